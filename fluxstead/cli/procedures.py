"""What the commands that change a running cluster share: the way in, the plan, one at a time, and how it ended."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, TextIO

from fluxstead.cli.project import add_stack_arguments, tell
from fluxstead.cli.way_in import add_kubeconfig_argument, kubeconfig_of
from fluxstead.core.shape import entries_of, mapping, named
from fluxstead.description.load import Description
from fluxstead.live.api import LiveApi
from fluxstead.live.lease import Lost, Taken, unfinished
from fluxstead.live.procedure import Outcome, Procedure
from fluxstead.live.resources import MACHINES, Unanswered
from fluxstead.live.running import carried_out, plan


def add_arguments(parser: argparse.ArgumentParser, *, inherit: bool = False) -> None:
    """The arguments of every procedure. `inherit`: of a word, before which some may stand as well."""
    add_stack_arguments(parser, inherit=inherit)
    add_kubeconfig_argument(parser, inherit=inherit)
    parser.add_argument("--plan", action="store_true", help="only say how it stands with each step; change nothing")
    parser.add_argument("--abandon", action="store_true", help="leave what was begun as it stands, and begin anew")


Report = Callable[[Sequence[Outcome], bool], str]
"""What is said in the end, of how each step ended, and whether all is done and put back."""


class AnotherCluster(Exception):  # noqa: N818 -- said to people as it is
    """What answers is not what is described; the text says so."""


def carry_out(
    options: argparse.Namespace,
    description: Description,
    procedure: Callable[[LiveApi], Procedure],
    report: Report | None = None,
    steps_to: TextIO | None = None,
) -> int:
    """Plan a procedure or run it, and give the exit status: 0 where all of it is done. `steps_to`: where its lines go."""
    try:
        with LiveApi(kubeconfig_of(options, description.name)) as api:
            _recognise(api, options, description)
            return _planned(api, procedure(api)) if options.plan else _run(options, api, procedure(api), report, steps_to)
    except (Unanswered, Taken, Lost, AnotherCluster) as problem:
        tell(str(problem))
        return 1


def _recognise(api: LiveApi, options: argparse.Namespace, description: Description) -> None:
    """KUBECONFIG may be left from other work: nothing is changed in a cluster of other machines.

    Names such as k3s1 are many clusters'. Where nobody named the kubeconfig, a machine has to have its address as well.
    """
    there = {named(one).name: _addresses(one) for one in api.list(MACHINES)}
    known = [node for node in description.nodes if node.name in there]
    if "KUBECONFIG" in os.environ and not options.kubeconfig:
        known = [node for node in known if there[node.name] & {str(node.address), str(node.second_address)}]
    if not known:
        described = ", ".join(f"{node.name} at {node.address}" for node in description.nodes)
        found = ", ".join(f"{name} at {' and '.join(sorted(there[name])) or 'no address'}" for name in sorted(there))
        raise AnotherCluster(
            f"{api.server}, by {kubeconfig_of(options, description.name)}, is another cluster: {described} is described,"
            f" and there is {found or 'no machine'}; ./run kubeconfig, or --kubeconfig FILE, if it is the right one"
        )


def _addresses(machine: Mapping[str, Any]) -> set[str]:
    return {str(one.get("address")) for one in entries_of(mapping(machine, "status"), "addresses") if one.get("type") != "Hostname"}


def _planned(api: LiveApi, procedure: Procedure) -> int:
    before = unfinished(api)
    goes_on = before.words == procedure.words
    if before.words:
        print(f"./run {before.words} was begun at {before.begun} and has not ended")
    for line in plan(procedure.steps(before.notes if goes_on else procedure.begin())):
        print(line)
    return 0


def _run(
    options: argparse.Namespace,
    api: LiveApi,
    procedure: Procedure,
    report: Report | None,
    steps_to: TextIO | None,
) -> int:
    with _ends_in_order():
        say = partial(print, file=steps_to, flush=True)
        ended, well = carried_out(api, procedure, say, tell, abandon=options.abandon)
    print(report(ended, well) if report else "all of it is done" if well else _ended_badly(ended))
    return 0 if well else 1


def _ended_badly(ended: Sequence[Outcome]) -> str:
    wrong = [one for one in ended if not one.well and not one.skipped]
    return "\n".join(f"{one.step.name}: {one.standing.says}\n    type: {one.standing.do}" for one in wrong)


@contextmanager
def _ends_in_order() -> Iterator[None]:
    """What ends a program ends it as an interruption does, so that what has to be put back is."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    former = [(one, signal.signal(one, interrupted)) for one in (signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for one, handler in former:
            signal.signal(one, handler)
