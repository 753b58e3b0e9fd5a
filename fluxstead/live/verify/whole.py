"""All that `./run verify` tries, as one procedure: what does not need a step that failed is tried all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from fluxstead.live.procedure import Procedure, Step
from fluxstead.live.verify import moving, network, storage
from fluxstead.live.verify.place import left_as_it_was, namespace_step
from fluxstead.live.verify.storage import Tried

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi


class Deeper(Protocol):
    """What a system tries of the storage that it provides: a module with these."""

    PROVISIONER: str
    """Of the classes that are its own."""

    def steps(self, api: LiveApi, tried: Tried, after: str) -> tuple[Step, ...]:
        """With the claim of one class, while an application has it, which it has after the step `after`."""

    def put_back(self, api: LiveApi) -> None:
        """Remove what is outside the namespace, where there is something."""


def procedure(
    api: LiveApi,
    words: str,
    machines: Sequence[str],
    systems: Sequence[Deeper],
    say: Callable[[str], object],
    *,
    deep: bool = False,
) -> Procedure:
    """`machines`: those that the description says are there. `deep`: also what interrupts pods, and takes copies away."""
    return Procedure(
        words,
        dict,
        partial(_steps, api, machines, systems if deep else None),
        goes_on=True,
        around=partial(left_as_it_was, api, [one.put_back for one in systems], say),
    )


def _steps(api: LiveApi, machines: Sequence[str], deep: Sequence[Deeper] | None, notes: Mapping[str, str]) -> Sequence[Step]:
    del notes  # it begins anew each time: what an earlier run left is removed first
    of_storage = (step for tried in storage.classes(api) for step in _of_class(api, tried, deep))
    return (namespace_step(api), *network.steps(api, machines), *of_storage)


def _of_class(api: LiveApi, tried: Tried, deep: Sequence[Deeper] | None) -> Iterator[Step]:
    yield from storage.steps(api, tried)
    if deep is None:
        return
    yield moving.run_step(api, tried)
    for system in deep:
        if tried.provisioner == system.PROVISIONER:
            yield from system.steps(api, tried, moving.running(tried))
    yield from moving.move_steps(api, tried)
