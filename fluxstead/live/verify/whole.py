"""All that `./run verify` tries, as one procedure: what does not need a step that failed is tried all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from fluxstead.live.procedure import Procedure, Step
from fluxstead.live.verify import network, storage
from fluxstead.live.verify.place import left_as_it_was, namespace_step

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi


def procedure(api: LiveApi, words: str, machines: Sequence[str], say: Callable[[str], object]) -> Procedure:
    """`machines`: those that the description says are there."""
    return Procedure(
        words,
        dict,
        partial(_steps, api, machines),
        goes_on=True,
        around=partial(left_as_it_was, api, (), say),
    )


def _steps(api: LiveApi, machines: Sequence[str], notes: Mapping[str, str]) -> Sequence[Step]:
    del notes  # it begins anew each time: what an earlier run left is removed first
    of_storage = (step for tried in storage.classes(api) for step in storage.steps(api, tried))
    return (namespace_step(api), *network.steps(api, machines), *of_storage)
