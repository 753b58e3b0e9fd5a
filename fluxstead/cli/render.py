"""`./run render`: the description becomes `generated/<stack>/`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from fluxstead.cli.formats import as_json
from fluxstead.cli.project import add_project_arguments, print_findings, run_project
from fluxstead.core.findings import Finding, errors
from fluxstead.tree.entry import entry_path, missing_entry, write_entry
from fluxstead.tree.owned import Change, Difference, compare, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_project_arguments(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; show the difference, and exit with 1 if there is one")
    parser.add_argument("--overwrite", action="store_true", help="replace files that were edited by hand")


def run(options: argparse.Namespace) -> int:
    """Render, and give the exit status."""
    result = run_project(options)
    assembled = result.assembled
    if assembled is None or errors(result.findings):
        return _finish(options, result.findings, [], 1)
    root, directory, name = result.root, assembled.tree.directory, assembled.description.name
    difference = compare(root, directory, assembled.files)
    findings = (*result.findings, *(() if options.overwrite else difference.findings))
    changes = [_below(directory, change) for change in difference.changes]
    if missing_entry(root, name):
        changes.append(Change(entry_path(name), None, ""))
    if options.check:
        return _finish(options, findings, changes, int(bool(changes) or bool(errors(findings)) or not difference.recorded))
    if errors(findings):
        return _finish(options, findings, [], 1)
    _write(root, directory, name, difference)
    return _finish(options, findings, changes, 0)


def _write(root: Path, directory: str, name: str, difference: Difference) -> None:
    write(root, directory, difference)
    if missing_entry(root, name):
        write_entry(root, name, directory)


def _below(directory: str, change: Change) -> Change:
    return Change(f"{directory}/{change.path}", change.before, change.after)


def _finish(options: argparse.Namespace, findings: tuple[Finding, ...], changes: list[Change], status: int) -> int:
    if options.format == "json":
        answer = {
            "findings": [as_json(finding) for finding in sorted(findings)],
            "changes": [{"verb": change.verb, "path": change.path} for change in changes],
        }
        print(json.dumps(answer, indent=1, ensure_ascii=False))
        return status
    failed = print_findings(findings, "text")
    if options.check:
        sys.stdout.writelines(change.diff() for change in changes)
    if failed:
        print("fluxstead: nothing was written", file=sys.stderr)
    else:
        print(_summary(changes, check=options.check))
    return status


def _summary(changes: list[Change], *, check: bool) -> str:
    if not changes:
        return "the tree is up to date"
    counted = Counter(change.verb for change in changes)
    words = ", ".join(f"{verb} {number}" for verb, number in sorted(counted.items()))
    if check:
        return f"the tree is not what the description says ({words}): ./run render"
    return "\n".join([*(f"{change.verb} {change.path}" for change in changes), f"the tree is written ({words})"])
