"""One file per chart: every key that its values ever had, and in which versions.

A node is `0` for a value without keys, `1` for one that takes any keys, or a map of its keys. What has no one node for all the
versions of its parent is `[node, [first, end, ...], ...]`: from the version with index `first` up to, not including, `end`, or to
the newest, and so on for each node.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fluxstead.catalog.chart_values import node_at
from tools.catalog_charts import CLOSED, OPEN, Shape


def history(shapes: Sequence[Shape]) -> dict[str, Any]:
    """The shapes of all versions, oldest first, in one."""
    return _keys(dict(enumerate(shapes)))


def shape_at(keys: Mapping[str, Any], index: int) -> Shape:
    """The shape of one version, as it went into `history`."""
    nodes = {key: node_at(entry, index) for key, entry in keys.items()}
    return {key: shape_at(node, index) if isinstance(node, dict) else node for key, node in nodes.items() if node is not None}


def _keys(shapes: Mapping[int, Mapping[str, Shape]]) -> dict[str, Any]:
    return {
        key: _entry({index: shape[key] for index, shape in shapes.items() if key in shape}, shapes)
        for key in sorted({key for shape in shapes.values() for key in shape})
    }


def _entry(has: Mapping[int, Shape], among: Iterable[int]) -> Any:
    plain = {leaf: [index for index, shape in has.items() if shape == leaf] for leaf in (CLOSED, OPEN)}
    maps = {index: shape for index, shape in has.items() if isinstance(shape, dict)}
    nodes: list[tuple[Any, list[int]]] = [(leaf, indexes) for leaf, indexes in plain.items() if indexes]
    if maps:
        nodes.append((_keys(maps), list(maps)))
    versions = sorted(among)
    if len(nodes) == 1 and len(nodes[0][1]) == len(versions):
        return nodes[0][0]
    return [part for node, indexes in nodes for part in (node, _runs(set(indexes), versions))]


def _runs(has: set[int], among: Sequence[int]) -> list[int]:
    """The stretches of versions; a version that has not even the parent interrupts none."""
    runs: list[int] = []
    for index in among:
        if (index in has) != (len(runs) % 2 == 1):
            runs.append(index)
    return runs
