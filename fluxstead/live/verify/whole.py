"""All that `./run verify` tries, as one procedure: what does not need a step that failed is tried all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fluxstead.live.procedure import Procedure, Step
from fluxstead.live.verify import moving, network, storage
from fluxstead.live.verify.place import Cleaner, namespace_step
from fluxstead.live.verify.storage import Tried
from fluxstead.live.verify.ways import Ways
from fluxstead.live.verify.ways import steps as steps_of_ways

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi
    from fluxstead.live.kept import Restoring


class Deeper(Protocol):
    """What a system tries of the storage that it provides: a module with these."""

    PROVISIONER: str
    """Of the classes that are its own."""

    def steps(self, api: LiveApi, tried: Tried, after: str) -> tuple[Step, ...]:
        """With the claim of one class, while an application has it, which it has after the step `after`."""

    def put_back(self, api: LiveApi) -> None:
        """Remove what is outside the namespace, where there is something."""


class Tries(NamedTuple):
    """What is tried. `machines`: those that are described as there. `deep`: also what interrupts pods, and takes copies away."""

    machines: Sequence[str]
    systems: Sequence[Deeper] = ()
    ways: Ways = Ways()
    deep: bool = False


def restores(api: LiveApi, words: str, kept: Restoring, say: Callable[[str], object]) -> Procedure:
    """Every claim's newest backup, and nothing else; nothing of it is left."""

    def steps(notes: Mapping[str, str]) -> Sequence[Step]:
        del notes  # as below
        # Files may be anybody's, and only root reads them all.
        return (namespace_step(api, "baseline"), *kept.drill(api))

    return Procedure(words, dict, steps, goes_on=True, around=Cleaner(api, [kept.put_back], say).left_as_it_was)


def procedure(api: LiveApi, words: str, tries: Tries, say: Callable[[str], object]) -> Procedure:
    """All of it; nothing of it is left."""
    return Procedure(
        words,
        dict,
        partial(_steps, api, tries),
        goes_on=True,
        around=Cleaner(api, [one.put_back for one in tries.systems], say).left_as_it_was,
    )


def _steps(api: LiveApi, tries: Tries, notes: Mapping[str, str]) -> Sequence[Step]:
    del notes  # it begins anew each time: what an earlier run left is removed first
    of_storage = (step for tried in storage.classes(api) for step in _of_class(api, tried, tries.systems if tries.deep else None))
    return (namespace_step(api), *network.steps(api, tries.machines), *of_storage, *steps_of_ways(tries.ways))


def _of_class(api: LiveApi, tried: Tried, deep: Sequence[Deeper] | None) -> Iterator[Step]:
    yield from storage.steps(api, tried)
    if deep is None:
        return
    yield moving.run_step(api, tried)
    for system in deep:
        if tried.provisioner == system.PROVISIONER:
            yield from system.steps(api, tried, moving.running(tried))
    yield from moving.move_steps(api, tried)
