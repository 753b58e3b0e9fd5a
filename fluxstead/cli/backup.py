"""`./run backup`: which claim has which backup, and how one comes back: beside the claim, in its place, or all of them at once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import cast

from fluxstead.assembly import Assembled
from fluxstead.cli import procedures
from fluxstead.cli.project import add_stack_arguments, choose_stack, described, print_findings, tell
from fluxstead.cli.way_in import add_kubeconfig_argument, kubeconfig_of
from fluxstead.core.findings import counted, errors
from fluxstead.description.load import Description
from fluxstead.embedded import run_program
from fluxstead.live.api import LiveApi
from fluxstead.live.kept import DescribedClaims, KeptVolume, Restoring
from fluxstead.live.procedure import Procedure
from fluxstead.live.resources import Unanswered
from fluxstead.roster import SYSTEMS

_HEAD = ("claim", "last good backup", "age", "size", "target", "name")
_GIB = 2**30
_DAY, _HOUR = 86400, 3600
_WORDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Without a word, which claim has which backup; `restore` brings one back."""
    add_stack_arguments(parser)
    add_kubeconfig_argument(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print the table")
    commands = parser.add_subparsers(dest="what", metavar="WHAT")
    restore = commands.add_parser("restore", help="bring a backup back")
    procedures.add_arguments(restore, inherit=True)
    restore.add_argument("claim", nargs="?", metavar="NAMESPACE/CLAIM", help="whose backup")
    how = restore.add_mutually_exclusive_group()
    how.add_argument("--as", dest="name", metavar="NAME", help="into a new claim of this name, beside the old one")
    how.add_argument(
        "--in-place", metavar="CLAIM", help="into the claim itself: its name again, as consent; the volume that it has is kept"
    )
    how.add_argument("--all", action="store_true", help="into all claims of a new cluster, before anything starts (waitForRestore)")
    restore.add_argument("--at", default="", metavar="BACKUP", help="which backup, as ./run backup names it; the newest without it")


def run(options: argparse.Namespace) -> int:
    """Do it, and give the exit status: 1 where a claim has no backup, or not all is restored."""
    return _restore(options) if options.what == "restore" else _list(options)


def restoring() -> Restoring:
    """The module of the system that keeps backups."""
    [module] = [system.backups for system in SYSTEMS if system.backups]
    return cast("Restoring", import_module(module))


def _restore(options: argparse.Namespace) -> int:
    if options.all:
        return _restore_all(options)
    namespace, _, claim = str(options.claim or "").partition("/")
    wrong = _wrong(options, namespace, claim)
    if wrong:
        tell(wrong)
        return 2
    description = described(*choose_stack(options))
    if description is None:
        return 1

    def procedure(api: LiveApi) -> Procedure:
        if options.name:
            return restoring().beside(api, namespace, claim, options.name, options.at)
        return restoring().in_place(api, namespace, claim, options.at)

    return procedures.carry_out(options, description, procedure)


def _wrong(options: argparse.Namespace, namespace: str, claim: str) -> str:
    if not namespace or not claim:
        return "which claim? ./run backup names them: NAMESPACE/CLAIM"
    if not options.name and not options.in_place:
        return f"--as NAME puts it beside the claim, to be looked at; --in-place {claim} puts it in its place"
    if options.in_place and options.in_place != claim:
        return f"--in-place {options.in_place} is not the claim's name: --in-place {claim}, if that is meant"
    return ""


def _restore_all(options: argparse.Namespace) -> int:
    read = run_program(*choose_stack(options))
    if read.assembled is None or errors(read.findings):
        print_findings(errors(read.findings), "text")
        return 1
    claims = claims_of(read.assembled)
    return procedures.carry_out(options, read.assembled.description, lambda api: restoring().everything(api, claims))


def claims_of(assembled: Assembled) -> DescribedClaims:
    """What a description says of claims."""
    refs = frozenset(one.ref for one in assembled.applied.objects)
    return DescribedClaims({(one.namespace, one.name): one for one in assembled.claims}, refs)


def _list(options: argparse.Namespace) -> int:
    description = described(*choose_stack(options))
    if description is None:
        return 1
    try:
        rows = _rows(options, description)
    except Unanswered as problem:
        tell(str(problem))
        return 1
    now = datetime.now(UTC)
    if options.format == "json":
        print(json.dumps([_as_json(row, now) for row in rows], indent=1, ensure_ascii=False))
    else:
        print("\n".join(_text(rows, now)))
    return int(any(row.lacks for row in rows))


def _rows(options: argparse.Namespace, description: Description) -> Sequence[KeptVolume]:
    with LiveApi(kubeconfig_of(options, description.name)) as api:
        return restoring().listed(api)


def _text(rows: Sequence[KeptVolume], now: datetime) -> Iterator[str]:
    if not rows:
        yield "no claim has a volume that could be backed up"
        return
    table = [_HEAD, *(_cells(row, now) for row in rows)]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(_HEAD))]
    for cells in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    lacking = [f"{row.namespace}/{row.claim}" for row in rows if row.lacks]
    if lacking:
        yield ""
        yield f"{counted(len(lacking), 'claim')} without a backup: {', '.join(lacking)}"
        yield "    because: what is lost there is lost; a new volume gets its first one at the next turn of its job"
        yield "    type:    ./run check, then ./run doctor; the page is docs/tasks/backups.md"


def _cells(row: KeptVolume, now: datetime) -> tuple[str, ...]:
    claim = f"{row.namespace}/{row.claim}{' (gone)' if row.gone else ''}"
    if row.made is None:
        return claim, "none, on purpose" if row.on_purpose else "NONE", "", "", "", ""
    return (
        claim,
        f"{row.made:%Y-%m-%d %H:%M} UTC",
        _age((now - row.made).total_seconds()),
        f"{row.size / _GIB:.1f}Gi",
        row.target,
        row.backup,
    )


def _age(seconds: float) -> str:
    """In its two largest words, as kubectl tells an age."""
    days, hours, minutes = int(seconds // _DAY), int(seconds % _DAY // _HOUR), int(seconds % _HOUR // 60)
    said = [f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if number]
    return "".join(said[:_WORDS]) or "0m"


def _as_json(row: KeptVolume, now: datetime) -> dict[str, object]:
    made = row.made
    return {
        "namespace": row.namespace,
        "claim": row.claim,
        "volume": row.volume,
        "backup": row.backup or None,
        "made": f"{made:%Y-%m-%dT%H:%M:%SZ}" if made else None,
        "ageSeconds": int((now - made).total_seconds()) if made else None,
        "sizeBytes": row.size or None,
        "target": row.target or None,
        "onPurpose": row.on_purpose,
        "gone": row.gone,
    }
