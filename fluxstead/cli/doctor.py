"""`./run doctor`: what is wrong with the running cluster and its machines, each trouble once, at its root. Read-only."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from fluxstead.assembly import Assembled
from fluxstead.cli.beside import answers_in, delivered_in
from fluxstead.cli.formats import workflow_command
from fluxstead.cli.progress import progress
from fluxstead.cli.project import add_stack_arguments, choose_nodes, choose_stack, described, print_findings, tell
from fluxstead.cli.way_in import add_kubeconfig_argument, kubeconfig_of
from fluxstead.core.findings import counted, errors
from fluxstead.description.state_copies import state_copies
from fluxstead.embedded import run_program
from fluxstead.hosts.ssh import plan
from fluxstead.live.api import LiveApi
from fluxstead.live.doctor import counts_of, kinds_of, overview, rules_of, troubles_in
from fluxstead.live.expected import Expected, RouteWanted
from fluxstead.live.facts import ClusterFacts, Kind, cluster_facts
from fluxstead.live.hosts import counted_hosts, host_troubles
from fluxstead.live.resources import Unanswered
from fluxstead.live.trouble import LiveTrouble, Root, Subject, chain, is_wrong, roots
from fluxstead.nodes.model import Node
from fluxstead.roster import SYSTEM_FACTS, SYSTEMS

_WATCH_SECONDS = 10
_PATIENCE = 2
"""Seconds that nobody asks about."""
_CLEAR = "\x1b[H\x1b[2J"
"""To the top of the screen, and erase it (ECMA-48, CUP and ED)."""


class Asked(NamedTuple):
    """Whom to ask: these machines over SSH; and the cluster by its API, if there is something to compare it with."""

    root: Path
    cluster: str
    nodes: Sequence[Node]
    assembled: Assembled | None
    state: Mapping[str, Mapping[str, object]]
    """What servers are told of copies of the cluster's state."""


class Diagnosis(NamedTuple):
    """What was seen. `facts`: None where the API was not asked, or gave no answer. `counts`: the whole in a few lines."""

    cluster: str
    facts: ClusterFacts | None
    counts: Sequence[str]
    told: Sequence[Root]
    wrong: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_stack_arguments(parser)
    add_kubeconfig_argument(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--hosts", nargs="*", metavar="NODE", help="the machines alone, over SSH: these, or all live ones")
    which.add_argument("--no-hosts", action="store_true", help="the cluster alone, by its API, and Git")
    parser.add_argument("--all", action="store_true", help="also what follows from something else that is wrong")
    parser.add_argument("--brief", action="store_true", help="a line for each")
    parser.add_argument("--watch", action="store_true", help=f"again every {_WATCH_SECONDS} seconds, until it is interrupted")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text", help="how to print")


def run(options: argparse.Namespace) -> int:
    """Look, say what is wrong, and give the exit status: 1 if anything is."""
    root, stack = choose_stack(options)
    if options.watch:
        return _watch(options, root, stack)
    asked = _asked_for(options, root, stack)
    if asked is None:
        return 1
    seen = _looked(options, asked)
    print(_FORMATS[options.format](options, seen), flush=True)
    return int(seen.wrong)


def _watch(options: argparse.Namespace, root: Path, stack: str) -> int:
    """The description is read each time as well: whoever mends something changes it."""
    clear = _CLEAR if sys.stdout.isatty() else ""
    try:
        while True:
            asked = _asked_for(options, root, stack)
            if asked:
                print(f"{clear}{_FORMATS[options.format](options, _looked(options, asked))}", flush=True)
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        tell("not watched any more")
        return 0


def _asked_for(options: argparse.Namespace, root: Path, stack: str) -> Asked | None:
    """None where the description cannot be read, which is said. The machines alone need no tree."""
    if options.hosts is not None:
        description = described(root, stack)
        if description is None:
            return None
        return Asked(root, stack, choose_nodes(description.nodes, options.hosts), None, state_copies(description))
    read = run_program(root, stack)
    if read.assembled is None:
        print_findings(errors(read.findings), "text")
        return None
    nodes = [] if options.no_hosts else choose_nodes(read.assembled.description.nodes, ())
    return Asked(root, stack, nodes, read.assembled, state_copies(read.assembled.description))


def _looked(options: argparse.Namespace, asked: Asked) -> Diagnosis:
    live = [system.live for system in SYSTEMS if system.live]
    rules = rules_of(live)
    expected = expected_of(asked.assembled) if asked.assembled else None
    kinds = kinds_of(rules) if expected else []
    with progress(len(kinds) + len(asked.nodes), "answers", _PATIENCE) as say, ThreadPoolExecutor(2) as beside:
        hosts = beside.submit(plan, asked.nodes, asked.root, say, {}, asked.state)
        routes = beside.submit(answers_in, asked.root, asked.assembled) if asked.assembled and not options.no_hosts else None
        facts, unreached = _of_cluster(options, asked, kinds, say) if expected else (None, [])
        answers = hosts.result()
        opened = routes.result() if routes else {}
    found = [*host_troubles(asked.nodes, answers), *unreached]
    counts = [counted_hosts(answers)] if asked.nodes else []
    if asked.assembled and expected and facts:
        facts = facts._replace(delivered=delivered_in(asked.root, asked.assembled, facts), answers=opened)
        found += troubles_in(rules, expected, facts)
        counts += overview(counts_of(live), expected, facts)
    return Diagnosis(asked.cluster, facts, counts, roots(found), is_wrong(found))


def expected_of(assembled: Assembled) -> Expected:
    """What the rules compare the cluster with."""
    description, order = assembled.description, assembled.tree.order
    return Expected(
        description.name,
        description.cluster.kubernetes.version,
        tuple(description.nodes),
        {layer.name: tuple(edge.dependency for edge in order.edges[layer.name]) for layer in order.layers},
        {
            layer.name: tuple((one["kind"], one.get("namespace", ""), one["name"]) for one in layer.health_checks)
            for layer in order.layers
            if layer.health_checks
        },
        {product: version for plan in assembled.plans.values() for product, version in plan.products.items()},
        tuple(need for need in assembled.secrets.needs if not description.cluster.secrets.accepted(need)),
        tuple(RouteWanted(link.name, link.url, route.layer, route.namespace, route.service) for route, link in assembled.ways),
        tuple(pods for plan in assembled.plans.values() if plan.router for pods in plan.router.controllers),
        frozenset(f"{one['namespace']}/{one['name']}" for one in _metadata_of(assembled, "HelmRelease")),
        SYSTEM_FACTS.charts.singles,
    )


def _metadata_of(assembled: Assembled, kind: str) -> Iterator[Any]:
    objects = (one.object for layer in assembled.tree.order.layers for one in layer.manifests)
    return (one["metadata"] for one in objects if one["kind"] == kind)


def _of_cluster(
    options: argparse.Namespace, asked: Asked, kinds: Sequence[Kind[Any]], say: Callable[[str], None]
) -> tuple[ClusterFacts | None, list[LiveTrouble]]:
    try:
        with LiveApi(kubeconfig_of(options, asked.cluster)) as api:
            return cluster_facts(api, kinds, say), []
    except Unanswered as problem:
        return None, [_unreached(asked.cluster, str(problem))]


def _unreached(cluster: str, why: str) -> LiveTrouble:
    return LiveTrouble(
        Subject("cluster", cluster),
        f"cannot be asked: {why}",
        "what is wrong in it is not known",
        "./run kubeconfig; ./run doctor --hosts",
        "docs/tasks/something-is-wrong.md",
    )


def _text(options: argparse.Namespace, seen: Diagnosis) -> str:
    lines = [f"{seen.cluster}: {'the machines alone' if options.hosts is not None else _seen(seen.facts)}", *seen.counts]
    for number, one in enumerate(seen.told, 1):
        lines += _brief(one) if options.brief else _whole(number, one, show=options.all)
    if not seen.told:
        lines.append("nothing is wrong")
        return "\n".join(lines)
    followed = sum(len(one.explains) for one in seen.told)
    more = f", and {followed} more that follow from {'it' if len(seen.told) == 1 else 'them'}" if followed else ""
    shown = "" if options.all or not followed or options.brief else " (--all)"
    lines.append(f"{'' if options.brief else chr(10)}{_summed(seen.told)}{more}{shown}")
    return "\n".join(lines)


def _summed(told: Sequence[Root]) -> str:
    """What makes the exit status 1, and what does not."""
    wrong = sum(one.trouble.gravity == "error" for one in told)
    known = len(told) - wrong
    said = [f"{counted(wrong, 'thing')} wrong" if wrong else "nothing is wrong"]
    return ", ".join([*said, *([f"{counted(known, 'thing')} worth knowing"] if known else [])])


def _seen(facts: ClusterFacts | None) -> str:
    if facts is None:
        return "its API gave no answer"
    unread = facts.delivered.unread if facts.delivered else ""
    return f"Kubernetes {facts.kubernetes} at {facts.server}, seen at {facts.taken.astimezone():%H:%M:%S}{_without_git(unread)}"


def _without_git(unread: str) -> str:
    return f"; not compared with Git: {unread}" if unread else ""


def _brief(one: Root) -> Iterator[str]:
    mark = "!" if one.trouble.gravity == "error" else "-"
    follows = f" (and {len(one.explains)} more)" if one.explains else ""
    yield f"{mark} {one.trouble.subject} {one.trouble.says}{follows}"


def _whole(number: int, one: Root, *, show: bool) -> Iterator[str]:
    trouble = one.trouble
    yield f"\n{number}. {trouble.subject} {trouble.says}"
    yield f"   because: {trouble.means}"
    yield f"   type:    {trouble.do}"
    if trouble.page:
        yield f"   page:    {trouble.page}"
    if held := chain(one):
        yield f"   holds up: {held}"
    if show:
        yield from (f"     {other.subject} {other.says}" for other in one.explains)


def _json(options: argparse.Namespace, seen: Diagnosis) -> str:
    del options
    answer = {
        "cluster": seen.cluster,
        "kubernetes": seen.facts.kubernetes if seen.facts else None,
        "taken": seen.facts.taken.isoformat() if seen.facts else None,
        "unread": seen.facts.delivered.unread if seen.facts and seen.facts.delivered else "",
        "counts": seen.counts,
        "wrong": [{**_as_json(one.trouble), "explains": [_as_json(other) for other in one.explains]} for one in seen.told],
    }
    return json.dumps(answer, indent=1, ensure_ascii=False)


def _as_json(one: LiveTrouble) -> dict[str, Any]:
    return {
        "kind": one.subject.kind,
        "name": one.subject.name,
        "gravity": one.gravity,
        "says": one.says,
        "means": one.means,
        "do": one.do,
        "page": one.page,
    }


def _github(options: argparse.Namespace, seen: Diagnosis) -> str:
    del options
    return "\n".join(
        workflow_command(one.trouble.gravity, f"{one.trouble.says}\ntype: {one.trouble.do}", title=str(one.trouble.subject))
        for one in seen.told
    )


_FORMATS = {"text": _text, "json": _json, "github": _github}
