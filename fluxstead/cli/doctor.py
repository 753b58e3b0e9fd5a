"""`./run doctor`: what is wrong with the running cluster and its machines, each trouble once, at its root. Read-only."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fluxstead.assembly import Assembled
from fluxstead.cli.beside import answers_in, delivered_in
from fluxstead.cli.formats import workflow_command
from fluxstead.cli.progress import progress
from fluxstead.cli.project import add_stack_arguments, choose_stack, print_findings
from fluxstead.core.findings import counted, errors
from fluxstead.embedded import run_program
from fluxstead.hosts.kubeconfig import file_of
from fluxstead.hosts.ssh import plan
from fluxstead.live.api import LiveApi
from fluxstead.live.doctor import kinds_of, rules_of, troubles_in
from fluxstead.live.expected import Expected, WayIn
from fluxstead.live.facts import ClusterFacts, cluster_facts
from fluxstead.live.hosts import host_troubles
from fluxstead.live.resources import Unanswered
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Root, Subject, chain, is_wrong, roots
from fluxstead.roster import SYSTEMS

_WATCH_SECONDS = 10
_CLEAR = "\x1b[H\x1b[2J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_stack_arguments(parser)
    parser.add_argument("--kubeconfig", metavar="FILE", help="the way in (KUBECONFIG, else ~/.kube/fluxstead-<cluster>.yaml)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--hosts", action="store_true", help="the machines alone, over SSH")
    which.add_argument("--no-hosts", action="store_true", help="the cluster alone, by its API, and Git")
    parser.add_argument("--all", action="store_true", help="also what follows from something else that is wrong")
    parser.add_argument("--brief", action="store_true", help="a line for each")
    parser.add_argument("--watch", action="store_true", help=f"again every {_WATCH_SECONDS} seconds, until it is interrupted")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text", help="how to print")


def run(options: argparse.Namespace) -> int:
    """Look, say what is wrong, and give the exit status: 1 if anything is."""
    root, stack = choose_stack(options)
    described = run_program(root, stack)
    if described.assembled is None:
        print_findings(errors(described.findings), "text")
        return 1
    rules = rules_of(system.live for system in SYSTEMS if system.live)
    while True:
        status, text = _looked(options, root, described.assembled, rules)
        print(f"{_CLEAR}{text}" if options.watch else text, flush=True)
        if not options.watch:
            return status
        time.sleep(_WATCH_SECONDS)


def _looked(options: argparse.Namespace, root: Path, assembled: Assembled, rules: Sequence[LiveRule]) -> tuple[int, str]:
    expected = expected_of(assembled)
    with ThreadPoolExecutor(2) as beside:
        hosts = beside.submit(_of_hosts, root, assembled) if not options.no_hosts else None
        answers = beside.submit(answers_in, root, assembled) if not options.no_hosts and not options.hosts else None
        facts, unreached = (None, []) if options.hosts else _of_cluster(options, expected.cluster, rules)
        found = [*(hosts.result() if hosts else ()), *unreached]
    if facts:
        asked = answers.result() if answers else {}
        facts = facts._replace(delivered=delivered_in(root, assembled, facts), answers=asked)
        found += troubles_in(rules, expected, facts)
    told = roots(found)
    text = _FORMATS[options.format](options, facts, expected, told)
    return int(is_wrong(found)), text


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
        tuple(
            WayIn(link.name, link.url, route.layer, route.namespace, route.service)
            for plan in assembled.plans.values()
            for route, link in zip(plan.routes, plan.links, strict=True)
        ),
        tuple(pods for plan in assembled.plans.values() if plan.router for pods in plan.router.controllers),
    )


def _of_cluster(
    options: argparse.Namespace, cluster: str, rules: Sequence[LiveRule]
) -> tuple[ClusterFacts | None, list[LiveTrouble]]:
    named = os.environ.get("KUBECONFIG", "").partition(os.pathsep)[0]
    kubeconfig = options.kubeconfig or named or str(file_of(cluster))
    try:
        with LiveApi(kubeconfig) as api:
            return cluster_facts(api, kinds_of(rules)), []
    except Unanswered as problem:
        return None, [_unreached(cluster, str(problem))]


def _unreached(cluster: str, why: str) -> LiveTrouble:
    return LiveTrouble(
        Subject("cluster", cluster),
        f"cannot be asked: {why}",
        "what is wrong in it is not known",
        "./run kubeconfig; ./run doctor --hosts",
        "docs/tasks/something-is-wrong.md",
    )


def _of_hosts(root: Path, assembled: Assembled) -> list[LiveTrouble]:
    nodes = [node for node in assembled.description.nodes if node.state == "live"]
    with progress(len(nodes), "hosts") as say:
        return list(host_troubles(nodes, plan(nodes, root, say, {})))


def _text(options: argparse.Namespace, facts: ClusterFacts | None, expected: Expected, told: Sequence[Root]) -> str:
    lines = [f"{expected.cluster}: {_seen(facts)}"]
    for number, one in enumerate(told, 1):
        lines += _brief(one) if options.brief else _whole(number, one, show=options.all)
    if not told:
        lines.append("nothing is wrong")
        return "\n".join(lines)
    followed = sum(len(one.explains) for one in told)
    more = f", and {followed} more that follow from {'it' if len(told) == 1 else 'them'}" if followed else ""
    shown = "" if options.all or not followed or options.brief else " (--all)"
    lines.append(f"{'' if options.brief else chr(10)}{counted(len(told), 'thing')} wrong{more}{shown}")
    return "\n".join(lines)


def _seen(facts: ClusterFacts | None) -> str:
    if facts is None:
        return "its API was not asked, or gave no answer"
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


def _json(options: argparse.Namespace, facts: ClusterFacts | None, expected: Expected, told: Sequence[Root]) -> str:
    del options
    answer = {
        "cluster": expected.cluster,
        "kubernetes": facts.kubernetes if facts else None,
        "taken": facts.taken.isoformat() if facts else None,
        "unread": facts.delivered.unread if facts and facts.delivered else "",
        "wrong": [{**_as_json(one.trouble), "explains": [_as_json(other) for other in one.explains]} for one in told],
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


def _github(options: argparse.Namespace, facts: ClusterFacts | None, expected: Expected, told: Sequence[Root]) -> str:
    del options, facts, expected
    return "\n".join(
        workflow_command(one.trouble.gravity, f"{one.trouble.says}\ntype: {one.trouble.do}", title=str(one.trouble.subject))
        for one in told
    )


_FORMATS = {"text": _text, "json": _json, "github": _github}
