"""Which disk should carry the tags that a class asks for: the line that must change is its own, and not the class's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.core.findings import Source
from fluxstead.core.shape import mapping


class Untagged(NamedTuple):
    """A disk without all the tags, and what it should have. `commit`: the one in which it had them."""

    node: AppliedObject
    name: str
    tags: frozenset[str]
    should_have: frozenset[str] = frozenset()
    commit: str = ""

    def __str__(self) -> str:
        return f"disk {self.name} of {self.node.ref.name}"


def untagged(context: CheckContext, nodes: Sequence[AppliedObject], wanted: frozenset[str]) -> Untagged | None:
    """The disk that had the tags before; or has one that is almost one of them; or is the only one without any, or without these.

    None where nothing says which.
    """
    without = [one for node in nodes for one in _disks(node) if not wanted <= one.tags]
    for commit, tree in context.earlier.items():
        had = {(node.ref, one.name): one.tags for node in context.facts.disk_objects(tree) for one in _disks(node)}
        for one in without:
            before = had.get((one.node.ref, one.name), frozenset())
            if wanted <= before:
                return one._replace(should_have=before, commit=commit)
    for one in without:
        meant = {near for tag in wanted - one.tags if (near := nearest(tag, one.tags - wanted))}
        if meant:
            return one._replace(should_have=one.tags - meant | wanted)
    likely = [one for one in without if not one.tags] or without
    return likely[0]._replace(should_have=likely[0].tags | wanted) if len(likely) == 1 else None


def _disks(node: AppliedObject) -> Iterator[Untagged]:
    for name, disk in mapping(node.spec, "disks").items():
        if isinstance(disk, Mapping) and disk.get("evictionRequested") is not True:
            yield Untagged(node, name, frozenset(words(disk.get("tags"))))


def words(value: Any) -> set[str]:
    """Tags, as a list or between commas."""
    found = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return {str(word).strip() for word in found if str(word).strip()}


def place_of_tags(context: CheckContext, disk: Untagged) -> Source:
    """Where they stand, or would: in the machine's file, or in the object that people wrote."""
    for node in context.nodes if disk.node.document.generated else ():
        if node.name == disk.node.ref.name:
            index = next((index for index, one in enumerate(node.disks) if one.name == disk.name), 0)
            return node.source_of("disks", index, "tags")
    start = disk.node.source
    lines = context.tree.store.text(start.file).splitlines()
    found = start.line - 1
    for word in (f"{disk.name}:", "tags:"):
        found = next((number for number in range(found, len(lines)) if word in lines[number]), found)
    return Source(start.file, found + 1)
