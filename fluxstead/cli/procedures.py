"""What the commands that change a running cluster share: the way in, the plan, one at a time, and how it ended."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType

from fluxstead.cli.project import add_stack_arguments, tell
from fluxstead.cli.way_in import add_kubeconfig_argument, kubeconfig_of
from fluxstead.core.shape import mapping
from fluxstead.description.load import Description
from fluxstead.live.api import LiveApi
from fluxstead.live.lease import Lost, Taken, held, unfinished
from fluxstead.live.procedure import Outcome, Procedure
from fluxstead.live.resources import MACHINES, Unanswered
from fluxstead.live.running import plan, run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every procedure."""
    add_stack_arguments(parser)
    add_kubeconfig_argument(parser)
    parser.add_argument("--plan", action="store_true", help="only say how it stands with each step; change nothing")
    parser.add_argument("--abandon", action="store_true", help="leave what another procedure has begun as it stands")


class AnotherCluster(Exception):  # noqa: N818 -- said to people as it is
    """What answers is not what is described; the text says so."""


def carry_out(
    options: argparse.Namespace,
    description: Description,
    procedure: Callable[[LiveApi], Procedure],
    report: Callable[[Sequence[Outcome]], str] = lambda _: "",
) -> int:
    """Plan a procedure or run it, and give the exit status: 0 where all of it is done."""
    kubeconfig = kubeconfig_of(options, description.name)
    try:
        with LiveApi(kubeconfig) as api:
            _recognise(api, kubeconfig, [node.name for node in description.nodes])
            return _planned(api, procedure(api)) if options.plan else _run(options, api, procedure(api), report)
    except (Unanswered, Taken, Lost, AnotherCluster) as problem:
        tell(str(problem))
        return 1


def _recognise(api: LiveApi, kubeconfig: str, described: Sequence[str]) -> None:
    """A kubeconfig may be anybody's, and KUBECONFIG left from other work: nothing is changed in a cluster of other machines."""
    there = {str(mapping(one, "metadata").get("name")) for one in api.list(MACHINES)}
    if not there.intersection(described):
        raise AnotherCluster(
            f"{api.server}, by {kubeconfig}, is another cluster: none of {', '.join(described)} is there, but"
            f" {', '.join(sorted(there)) or 'no machine'}; --kubeconfig FILE, or ./run kubeconfig"
        )


def _planned(api: LiveApi, procedure: Procedure) -> int:
    before = unfinished(api)
    goes_on = before.words == procedure.words
    if before.words:
        print(f"./run {before.words} was begun at {before.begun} and has not ended{': it goes on' if goes_on else ''}")
    for line in plan(procedure.steps(before.notes if goes_on else procedure.begin())):
        print(line)
    return 0


def _run(options: argparse.Namespace, api: LiveApi, procedure: Procedure, report: Callable[[Sequence[Outcome]], str]) -> int:
    ended: list[Outcome] = []
    where = sys.stderr if getattr(options, "format", "text") == "json" else sys.stdout
    with _ends_in_order(), held(api, procedure.words, procedure.begin, tell, abandon=options.abandon) as lease:
        steps = procedure.steps(lease.notes)
        with procedure.around():
            ended = run(steps, lease, partial(print, file=where, flush=True), goes_on=procedure.goes_on)
        well = len(ended) == len(steps) and all(one.well for one in ended)
        if not well and not procedure.goes_on:
            lease.leave_begun()
    print(report(ended) or ("all of it is done" if well else _ended_badly(ended)))
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
        sys.stdout.flush()
