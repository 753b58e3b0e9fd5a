"""The order as a picture: text for a terminal, Mermaid for those who would rather look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.requirement import Requirement
from fluxstead.tree.layer import groups_of
from fluxstead.tree.order import Edge, Order


def text(order: Order) -> str:
    """One line per layer, in the order in which they come up, and below it what it waits for and why."""
    return "".join(_lines(order))


def _lines(order: Order) -> Iterator[str]:
    for position, layer in enumerate(order.layers, 1):
        yield f"{position:3}. {layer.group}/{layer.name}\n"
        for edge in order.edges[layer.name]:
            yield f"       after {edge.dependency}: {_reason(edge)}\n"
        for name in order.beside[layer.name]:
            yield f"       after {name}, which is not generated: the description says so\n"


def _reason(edge: Edge) -> str:
    if edge.watched:
        return f"ready only with {_some(edge.watched)}"
    if not edge.needs:
        return "the description says so"
    return _some(edge.needs)


def _some(things: Sequence[Requirement]) -> str:
    shown = ", ".join(str(thing) for thing in things[:3])
    return f"{shown} and {len(things) - 3} more" if len(things) > 3 else shown  # noqa: PLR2004 -- a line's worth


def mermaid(order: Order) -> str:
    """A flowchart: groups as boxes, and an arrow from each layer to those that wait for it; dotted where only readiness waits."""
    lines = ["flowchart LR"]
    for group in groups_of(order.layers):
        lines.append(f"  subgraph {group}_group[{group}]")
        lines += [f"    {_id(layer.name)}[{layer.name}]" for layer in order.layers if layer.group == group]
        lines.append("  end")
    for layer in order.layers:
        lines += [
            f"  {_id(edge.dependency)} {'-.->' if edge.watched else '-->'} {_id(layer.name)}" for edge in order.edges[layer.name]
        ]
        lines += [f"  {_id(name)}([{name}]) --> {_id(layer.name)}" for name in order.beside[layer.name]]
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    # `end`, `graph` and the like are keywords in Mermaid.
    return f"layer_{name.replace('-', '_').replace('.', '_')}"
