"""`./run hosts`: what the preparation would do, and a file to start from. Read-only."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from fluxstead.cli.progress import progress
from fluxstead.cli.project import add_stack_arguments, choose_nodes, choose_stack, described
from fluxstead.description.load import Description
from fluxstead.description.state_copies import state_copies
from fluxstead.embedded import run_program
from fluxstead.hosts import report, ssh
from fluxstead.hosts.answer import Answer
from fluxstead.hosts.discover import met, node_file
from fluxstead.hosts.k3s import looked_for
from fluxstead.nodes.model import Node


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=("plan", "discover"), help="what would be done; a file to start from")
    parser.add_argument("names", nargs="*", metavar="NODE", help="which nodes (all live ones); for discover: USER@HOST")
    add_stack_arguments(parser)
    parser.add_argument("--port", type=int, metavar="N", help="sshd's port, where it is not the described one (22 for discover)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print")


def run(options: argparse.Namespace) -> int:
    """Ask the hosts, and give the exit status."""
    root, stack = choose_stack(options)
    if options.what == "discover":
        return _discover(options, stack)
    description = described(root, stack)
    if description is None:
        return 1
    nodes = [_at_port(node, options.port) for node in choose_nodes(description.nodes, options.names)]
    with progress(len(nodes), "hosts") as tell:
        answers = ssh.plan(nodes, root, tell, _told(root, stack, description), state_copies(description))
    if options.format == "json":
        print(json.dumps({name: asdict(answer) for name, answer in answers.items()}, indent=1, ensure_ascii=False))
    else:
        _print(stack, nodes, answers)
    return int(any(answer.refused for answer in answers.values()))


def _told(root: Path, stack: str, description: Description) -> Mapping[str, Mapping[str, object]]:
    """What the machines are told of k3s, where it is installed: systems have a say in it, so all of them are asked."""
    if description.cluster.kubernetes.binaries is None:
        return {}
    assembled = run_program(root, stack).assembled
    return {name: looked_for(told) for name, told in assembled.k3s.items()} if assembled else {}


def _print(stack: str, nodes: Sequence[Node], answers: dict[str, Answer]) -> None:
    print("\n\n".join(report.plan(node, answers[node.name]) for node in nodes))
    for initiator, names in report.same_initiator(answers):
        print(f"\n{' and '.join(names)} have one iSCSI initiator name, {initiator}")
        print(f"  type, on all but one: {report.NEW_INITIATOR}")
    ready = [
        node.name for node in nodes if answers[node.name].work and not answers[node.name].refused and not node.why_not_prepared
    ]
    if ready:
        without_k3s = [name for name in ready if (k3s := answers[name].k3s) and k3s.tasks]
        print(f"\n{report.replace_hint(stack, ready, without_k3s)}")
    for node in nodes:
        if node.why_not_prepared:
            print(f"\n{node.name} is not prepared by `pulumi up`: {node.why_not_prepared}")


def _at_port(node: Node, port: int | None) -> Node:
    return node if port is None else node.model_copy(update={"ssh": node.ssh.model_copy(update={"port": port})})


def _discover(options: argparse.Namespace, stack: str) -> int:
    if len(options.names) != 1 or "@" not in options.names[0]:
        print("fluxstead: ./run hosts discover USER@HOST", file=sys.stderr)
        return 2
    way = ssh.way_to(options.names[0], options.port)
    answer = ssh.ask(["-p", str(way.port), "--", way.destination], {"node": way.destination.rpartition("@")[2], "disks": []}, way)
    if not answer.inventory:
        print(f"fluxstead: {way.destination}: {'; '.join(answer.why) or 'no disks were found'}", file=sys.stderr)
        return 1
    print(node_file(stack, met(answer, way), answer.inventory), end="")
    return 0
