"""`./run render`: the description becomes `generated/<stack>/`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from fluxstead.cli.formats import as_json
from fluxstead.cli.project import add_project_arguments, heard, print_findings, printable, run_project, tell
from fluxstead.core.findings import Finding, counted, errors
from fluxstead.tree.delivery import Delivery, deliver, look
from fluxstead.tree.owned import Change

_MOST_LINES, _MOST_FILES = 400, 40
"""Of differences, and of written files, that are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_project_arguments(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; show the difference, and exit with 1 if there is one")
    parser.add_argument("--overwrite", action="store_true", help="replace files that were edited by hand")


def run(options: argparse.Namespace) -> int:
    """Render, and give the exit status."""
    result = run_project(options)
    assembled = result.assembled
    if assembled is None:
        return _finish(options, result.findings, None)
    desired = assembled.desired(result.root, overwrite=options.overwrite, say=tell)
    unusable = bool(errors(result.findings))
    delivery = look(desired) if options.check or unusable else deliver(desired)
    findings = tuple(dict.fromkeys((*result.findings, *delivery.findings)))
    return _finish(options, findings, None if unusable else delivery)


def _finish(options: argparse.Namespace, findings: tuple[Finding, ...], delivery: Delivery | None) -> int:
    failed = bool(errors(findings))
    if options.format == "json":
        changes = [] if delivery is None else delivery.changes
        answer = {
            "findings": [as_json(finding) for finding in sorted(heard(findings, options.quiet))],
            "changes": [{"verb": change.verb, "path": change.path} for change in changes],
        }
        print(printable(json.dumps(answer, indent=1, ensure_ascii=False)))
    else:
        print_findings(findings, "text", options.quiet)
        if delivery is not None and options.check:
            sys.stdout.writelines(_diffs(delivery.changes))
        if failed and not any(finding.id == "tree/not-written" for finding in findings):
            tell("nothing was written")
        elif delivery is not None and not failed:
            print(_summary(delivery, check=options.check))
    differs = options.check and delivery is not None and not delivery.nothing_to_do
    return int(failed or differs)


def _diffs(changes: Sequence[Change]) -> Iterator[str]:
    """File by file, as many as somebody reads; the rest is named by the summary."""
    lines = 0
    for number, change in enumerate(changes):
        text = printable(change.diff())
        lines += text.count("\n")
        if lines > _MOST_LINES and number:
            yield f"… and {counted(len(changes) - number, 'more file')}: ./run render writes them, and git diff shows them\n"
            return
        yield text


def _summary(delivery: Delivery, *, check: bool) -> str:
    lines = delivery.summary()
    if not lines:
        return "the tree is up to date"
    counted = Counter(line.split()[0] for line in lines)
    words = ", ".join(f"{verb} {number}" for verb, number in sorted(counted.items()))
    if len(lines) > _MOST_FILES:
        lines = [*lines[:_MOST_FILES], f"… and {len(lines) - _MOST_FILES} more: git status names them"]
    if check:
        return f"the tree is not what the description says ({words}): ./run render"
    return "\n".join([*lines, f"the tree is written ({words})"])
