"""`./run check`: findings only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fluxstead.assembly import Assembled, files_of
from fluxstead.checks.acceptance import without
from fluxstead.checks.outside.built import kustomize
from fluxstead.checks.outside.evidence import Outside, PinnedK3s, Session
from fluxstead.checks.outside.listed import Listed
from fluxstead.checks.outside.rules import OF_FILES
from fluxstead.checks.outside.rules import RULES as OF_OUTSIDE
from fluxstead.checks.rule import Remark
from fluxstead.checks.rule import run as run_rules
from fluxstead.cli.formats import FORMATS
from fluxstead.cli.project import add_project_arguments, print_findings, run_project, tell
from fluxstead.core.findings import Finding, errors
from fluxstead.core.repository import repositories_around
from fluxstead.description.cluster import Cluster
from fluxstead.embedded import Run
from fluxstead.roster import SYSTEM_FACTS, all_checks, judged
from fluxstead.secrets.checks import WORK_LEFT
from fluxstead.tree.delivery import look


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_project_arguments(parser, formats=FORMATS)
    parser.add_argument("--list", action="store_true", help="list every check: what it protects from and what it says")
    parser.add_argument("--tree", type=Path, metavar="DIR", help="check a Flux repository that people wrote, without a description")
    parser.add_argument("--online", action="store_true", help="look up every pinned chart, image and binary where it is published")
    parser.add_argument("--entry", metavar="DIR", help="with --tree: the directory that Flux starts from (detected by default)")


def run(options: argparse.Namespace) -> int:
    """Check, and give the exit status."""
    if options.list:
        print(listing())
        return 0
    if options.tree:
        return _hand_written(options)
    result, said = run_project(options), set[Finding | Remark]()
    if result.assembled:
        outside = Outside(
            result.assembled.applied, result.root, Session(kustomize(), options.online), _k3s(result.assembled.description.cluster)
        )
        said.update(result.assembled.remarks, run_rules(outside, OF_OUTSIDE))
        said.update(run_rules(Listed(result.root, _looked_at(result.assembled)), OF_FILES))
    said.update(_differences(result))
    remarks = (one for one in said if isinstance(one, Remark))
    kept = without((one for one in said if isinstance(one, Finding)), _accepted(result))
    # `render` only warns of these: the tree is right, and a cluster without them is not.
    left = any(one.id in WORK_LEFT for one in result.findings)
    failed = _print({*result.findings, *kept, *remarks}, options) or left
    if options.format == "text" and not failed:
        print("no errors")
    return int(failed)


def _looked_at(assembled: Assembled) -> frozenset[str]:
    return frozenset((*assembled.applied.files, *assembled.applied.used, *files_of(assembled.description)))


def _k3s(cluster: Cluster) -> PinnedK3s | None:
    kubernetes, binaries = cluster.kubernetes, cluster.kubernetes.binaries
    if binaries is None:
        return None
    digests = {architecture: (digest, binaries.source_of(architecture)) for architecture, digest in binaries.digests().items()}
    return PinnedK3s(str(kubernetes.version), kubernetes.binaries_from, digests)


def _accepted(result: Run) -> set[str]:
    return {one.id for one in result.assembled.description.cluster.accept} if result.assembled else set()


def _differences(result: Run) -> Iterator[Finding]:
    """What was done to the generated files by hand, and how they differ from a description without errors."""
    assembled = result.assembled
    if assembled is None:
        return
    delivery = look(assembled.desired(result.root, overwrite=False, say=tell))
    yield from delivery.findings
    if not errors(result.findings):
        yield from delivery.differences()


def listing() -> str:
    """The registry as a Markdown table, which is also in docs/checks.md."""
    head = ["| id | severity | protects from | looks at | says, for example |", "| --- | --- | --- | --- | --- |"]
    rows = [
        f"| `{one.id}` | {one.severity} | {one.protects} | {one.looks_at} | {one.says.replace('|', chr(92) + '|')} |"
        for one in all_checks()
    ]
    return "\n".join([*head, *rows])


def _hand_written(options: argparse.Namespace) -> int:
    from fluxstead.checks.hand_written import cluster_at, clusters_in  # noqa: PLC0415 - of no use to a description

    root: Path = options.tree
    if not root.is_dir():
        print(f"fluxstead: there is no directory {root}", file=sys.stderr)
        return 2
    top = next(iter(repositories_around(root)), None)
    if top is not None and not top.samefile(root):
        tell(
            f"{root} is a folder of the repository {top}, where Flux begins every path; unless it is pushed by itself: --tree {top}"
        )
    clusters = {options.entry: cluster_at(root, options.entry, SYSTEM_FACTS)} if options.entry else clusters_in(root, SYSTEM_FACTS)
    if not clusters:
        print(f"fluxstead: no Flux Kustomization below {root}; say --entry DIR if there is one", file=sys.stderr)
        return 2
    said: set[Finding | Remark] = set()
    session, known = Session(kustomize(), options.online), set[str]()
    for entry, past in clusters.items():
        tree = past.context.tree
        said.update(judged(past), run_rules(Outside(tree, root, session), OF_OUTSIDE))
        known.update(tree.files, tree.used)
        print(f"{entry or '.'}: {len(tree.kustomizations)} Kustomizations, {len(tree.objects)} objects", file=sys.stderr)
    said.update(run_rules(Listed(root, frozenset(known)), OF_FILES))
    return int(_print(said, options))


def _print(said: Iterable[Finding | Remark], options: argparse.Namespace) -> bool:
    """Print the findings, and beside them what was not checked; whether one of them is an error."""
    failed = print_findings([one for one in said if isinstance(one, Finding)], options.format, options.quiet)
    for remark in sorted(one for one in said if isinstance(one, Remark)):
        print(remark.text, file=sys.stderr)
    return failed
