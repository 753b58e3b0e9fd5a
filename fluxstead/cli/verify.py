"""`./run verify`: whether network, storage and ways in work, tried in a namespace of its own, of which nothing is left."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import cast

from fluxstead.assembly import Assembled
from fluxstead.cli import procedures
from fluxstead.cli.backup import restoring
from fluxstead.cli.beside import trust_of
from fluxstead.cli.project import choose_stack, print_findings, tell
from fluxstead.core.findings import counted, errors
from fluxstead.embedded import run_program
from fluxstead.live.api import LiveApi
from fluxstead.live.procedure import Outcome, Procedure
from fluxstead.live.verify import whole
from fluxstead.live.verify.ways import Ways
from fluxstead.live.verify.whole import Deeper, Tries
from fluxstead.roster import SYSTEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    procedures.add_arguments(parser)
    parser.add_argument(
        "--deep", action="store_true", help="also cordon a machine, lose a copy and have it rebuilt, back up and restore"
    )
    parser.add_argument(
        "--restore",
        action="store_true",
        help="instead: restore the newest backup of every claim, read all of it, and remove it again",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print")


def run(options: argparse.Namespace) -> int:
    """Try it, and give the exit status: 1 if anything does not work."""
    if options.plan and options.format != "text":
        tell("--plan is for people: it has no --format")
        return 2
    root, stack = choose_stack(options)
    read = run_program(root, stack)
    described = read.assembled
    if described is None:
        print_findings(errors(read.findings), "text")
        return 1
    tries = tries_of(root, described, deep=options.deep)

    def procedure(api: LiveApi) -> Procedure:
        if options.restore:
            return whole.restores(api, "verify", restoring(), partial(print, file=sys.stderr, flush=True))
        return whole.procedure(api, "verify", tries, partial(print, file=sys.stderr, flush=True))

    steps_to = None if options.format == "text" else sys.stderr
    return procedures.carry_out(options, described.description, procedure, _REPORTS[options.format], steps_to)


def tries_of(root: Path, described: Assembled, *, deep: bool) -> Tries:
    """What a description says is there to be tried."""
    machines = [node.name for node in described.description.nodes if node.state == "live"]
    links = [(link.name, link.url) for _, link in described.ways]
    return Tries(machines, systems_to_try(), Ways(links, trust_of(root, described)), deep)


def systems_to_try() -> list[Deeper]:
    """The modules of the systems that try more than what is common to all storage."""
    return [cast("Deeper", import_module(system.verify)) for system in SYSTEMS if system.verify]


def _text(ended: Sequence[Outcome], well: bool) -> str:  # noqa: FBT001 -- as every report is called
    wrong = [one for one in ended if not one.well and not one.skipped]
    skipped = sum(one.skipped for one in ended)
    lines = []
    for number, one in enumerate(wrong, 1):
        lines += [f"\n{number}. {one.step.name}: no", f"   {one.standing.says}", f"   type:    {one.standing.do}"]
    tried = f"{sum(one.well for one in ended)} of {counted(len(ended), 'step')} well in {sum(one.seconds for one in ended):.0f} s"
    lines.append(f"{chr(10) if wrong else ''}{tried}{f', {skipped} not tried' if skipped else ''}")
    if not well and not wrong:
        lines.append("and not all of it is cleaned up: the lines above say what is left")
    return "\n".join(lines)


def _json(ended: Sequence[Outcome], well: bool) -> str:  # noqa: FBT001 -- likewise
    steps = [
        {
            "name": one.step.name,
            "state": "skipped" if one.skipped else one.standing.state,
            "says": one.standing.says,
            "do": one.standing.do,
            "seconds": round(one.seconds, 1),
        }
        for one in ended
    ]
    return json.dumps({"well": well, "steps": steps}, indent=1, ensure_ascii=False)


_REPORTS = {"text": _text, "json": _json}
