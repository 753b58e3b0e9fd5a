"""`./run check`: findings only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from fluxstead.checks.foreign import clusters_in, subject_of
from fluxstead.checks.outside.built import kustomize
from fluxstead.checks.registry import OUTSIDE
from fluxstead.checks.subject import Outside, Subject
from fluxstead.checks.subject import run as run_checks
from fluxstead.cli.formats import FORMATS
from fluxstead.cli.project import add_project_arguments, print_findings, run_project, tell
from fluxstead.core.findings import Finding, Severity, errors
from fluxstead.embedded import Run
from fluxstead.roster import CHECKS, KNOWN
from fluxstead.tree.delivery import look


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_project_arguments(parser, formats=FORMATS)
    parser.add_argument("--list", action="store_true", help="every check: what it protects from and what it says")
    parser.add_argument("--tree", type=Path, metavar="DIR", help="check a Flux repository that people wrote, without a description")
    parser.add_argument("--online", action="store_true", help="look every pinned chart and image up where it is published")
    parser.add_argument("--entry", metavar="DIR", help="with --tree: the directory that Flux begins with (found by itself)")


def run(options: argparse.Namespace) -> int:
    """Check, and give the exit status."""
    if options.list:
        print(listing())
        return 0
    if options.tree:
        return _hand_written(options)
    result = run_project(options)
    subjects = [result.assembled.subject] if result.assembled else []
    outside = Outside(kustomize(), options.online)
    found = {*result.findings, *_on_disk(result), *(finding for subject in subjects for finding in _outside(subject, outside))}
    failed = print_findings(found, options.format)
    _say_unchecked(subjects)
    if options.format == "text" and not failed:
        print("no errors")
    return int(failed)


def _on_disk(result: Run) -> Iterator[Finding]:
    """What a hand did to the generated files; and how they differ from a description that has no errors."""
    assembled = result.assembled
    if assembled is None:
        return
    delivery = look(assembled.desired(result.root, overwrite=False, say=tell))
    accepted = {acceptance.id for acceptance in assembled.description.cluster.accept}
    yield from delivery.findings
    if not errors(result.findings):
        yield from (one for one in delivery.differences() if one.severity is Severity.ERROR or one.id not in accepted)


def listing() -> str:
    """The registry as a table of Markdown, which docs/checks.md holds as well."""
    head = ["| id | severity | protects from | looks at | says, for example |", "| --- | --- | --- | --- | --- |"]
    rows = [
        f"| `{one.id}` | {one.severity} | {one.protects} | {one.looks_at} | {one.says.replace('|', chr(92) + '|')} |"
        for one in CHECKS
    ]
    return "\n".join([*head, *rows])


def _hand_written(options: argparse.Namespace) -> int:
    root: Path = options.tree
    if not root.is_dir():
        print(f"fluxstead: there is no directory {root}", file=sys.stderr)
        return 2
    subjects = {options.entry: subject_of(root, options.entry, KNOWN)} if options.entry else clusters_in(root, KNOWN)
    if not subjects:
        print(f"fluxstead: no Flux Kustomization below {root}; say --entry DIR if there is one", file=sys.stderr)
        return 2
    findings: set[Finding] = set()
    outside = Outside(kustomize(), options.online)
    for entry, subject in subjects.items():
        findings.update(run_checks(subject, CHECKS))
        findings.update(_outside(subject, outside))
        print(f"{entry or '.'}: {len(subject.view.units)} Kustomizations, {len(subject.view.items)} objects", file=sys.stderr)
    failed = print_findings(findings, options.format)
    _say_unchecked(subjects.values())
    return int(failed)


def _outside(subject: Subject, outside: Outside) -> Iterator[Finding]:
    """What takes more than the files: kustomize, and the network where it was asked for."""
    subject.outside = outside
    yield from run_checks(subject, OUTSIDE)


def _say_unchecked(subjects: Collection[Subject]) -> None:
    for line in sorted({line for subject in subjects for line in subject.unchecked}):
        print(f"not checked: {line}", file=sys.stderr)
    for line in sorted({line for subject in subjects for line in subject.notes}):
        print(line, file=sys.stderr)
