"""The README of the generated tree: the order, the machines and where to click."""

from __future__ import annotations

from collections.abc import Sequence

from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node
from fluxstead.tree.asks import Link
from fluxstead.tree.order import Order
from fluxstead.tree.picture import mermaid


def readme(platform: Platform, order: Order, nodes: Sequence[Node], links: Sequence[Link], bootstrap: str) -> str:
    """The whole page, as Markdown."""
    parts = [
        f"# {platform.cluster}\n",
        f"Written by fluxstead from `Pulumi.{platform.cluster}.yaml` and `nodes/`; changes made here are refused, not kept.\n",
        "## The order\n",
        "An arrow goes to a layer that waits for it, a dotted one to one that is ready only after it; `./run graph` says why.\n",
        f"```mermaid\n{mermaid(order)}```\n",
        "## Machines\n",
        _table(("node", "address", "role", "state", "disks"), [_node_row(node) for node in nodes]),
        "## Disks\n",
        _table(("node", "disk", "device", "size", "mounted at", "tags"), [row for node in nodes for row in _disk_rows(node)]),
        "## Addresses\n",
        _table(("what", "where"), [(link.name, link.url) for link in links]),
        "## Bootstrap\n",
        f"```\n{bootstrap}\n```\n",
    ]
    return "\n".join(parts)


def _node_row(node: Node) -> tuple[str, ...]:
    return (node.name, str(node.address), node.role, node.state, str(len(node.disks)))


def _disk_rows(node: Node) -> list[tuple[str, ...]]:
    return [
        (node.name, disk.name, disk.device or f"serial {disk.serial}", str(disk.size), disk.mount_path, ", ".join(disk.tags))
        for disk in node.disks
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
