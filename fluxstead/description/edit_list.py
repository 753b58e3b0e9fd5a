"""Changing one item of a list, such as a disk in a machine's file, for its operator: the item's lines, and no other byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from fluxstead.core.shape import entries_of
from fluxstead.description.edit import NotEdited, after, child, end_of, insert, line_end


class ListItem(NamedTuple):
    """An item, by the list that it is in and by its `name`: `disks`, `sdf1`."""

    of: str
    name: str


def item_in(text: str, item: ListItem) -> Mapping[str, Any] | None:
    """What a file says of it; None where it says nothing, or is no YAML."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    items = entries_of(data, item.of) if isinstance(data, Mapping) else []
    return next((one for one in items if one.get("name") == item.name), None)


def with_key(text: str, item: ListItem, key: str, value: str) -> str:
    """The file with a key of an item, to a value as YAML has it. Raises NotEdited."""
    by_hand = f"{key}: {value} for {item.name} under {item.of}"
    wanted = _data(text, by_hand)
    _of(wanted, item, by_hand)[key] = yaml.safe_load(value)
    node, _ = _node(text, item, by_hand)
    old = child(node, key)
    if old is not None:
        new = text[: old.start_mark.index] + value + text[old.end_mark.index :]
    elif node.flow_style:
        new = insert(text, node.end_mark.index - 1, f", {key}: {value}")
    else:
        new = after(text, node, {key: yaml.safe_load(value)})
    return _proved(new, wanted, by_hand)


def without(text: str, item: ListItem) -> str:
    """The file without an item; comments around it stay. Raises NotEdited."""
    by_hand = f"{item.of} without {item.name}"
    wanted = _data(text, by_hand)
    former = _of(wanted, item, by_hand)
    wanted[item.of].remove(former)
    node, among = _node(text, item, by_hand)
    new = _out_of_flow(text, among, node) if among.flow_style else _out_of_block(text, among, node, item)
    return _proved(new, wanted, by_hand)


def _data(text: str, by_hand: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        data = None
    if not isinstance(data, dict):
        raise NotEdited(by_hand)
    return data


def _of(data: Mapping[str, Any], item: ListItem, by_hand: str) -> dict[str, Any]:
    found = [one for one in entries_of(data, item.of) if one.get("name") == item.name]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise NotEdited(by_hand)
    return found[0]


def _node(text: str, item: ListItem, by_hand: str) -> tuple[yaml.MappingNode, yaml.SequenceNode]:
    among = child(yaml.compose(text, Loader=yaml.SafeLoader), item.of)
    items = among.value if isinstance(among, yaml.SequenceNode) else ()
    found = [one for one in items if isinstance(named := child(one, "name"), yaml.ScalarNode) and named.value == item.name]
    if len(found) != 1 or not isinstance(among, yaml.SequenceNode):
        raise NotEdited(by_hand)
    return found[0], among


def _proved(new: str, wanted: Mapping[str, Any], by_hand: str) -> str:
    """Anchors, and whatever else was not thought of, are left to the operator."""
    if _data(new, by_hand) != wanted:
        raise NotEdited(by_hand)
    return new


def _out_of_flow(text: str, among: yaml.SequenceNode, node: yaml.MappingNode) -> str:
    place = among.value.index(node)
    if place + 1 < len(among.value):
        begin, end = node.start_mark.index, among.value[place + 1].start_mark.index
    else:
        begin, end = among.value[place - 1].end_mark.index if place else node.start_mark.index, node.end_mark.index
    return text[:begin] + text[end:]


def _out_of_block(text: str, among: yaml.SequenceNode, node: yaml.MappingNode, item: ListItem) -> str:
    begin, end = _dash(text, among, node), line_end(text, end_of(node))
    left = text[:begin] + text[end + 1 :]
    if len(among.value) > 1:
        return left
    # A key with nothing below it would be null.
    place = left.rindex(f"{item.of}:", 0, begin) + len(item.of) + 1
    return insert(left, place, " []")


def _dash(text: str, among: yaml.SequenceNode, node: yaml.MappingNode) -> int:
    """Where the line with the item's dash begins; the item may begin further down."""
    begin = text.rfind("\n", 0, node.start_mark.index) + 1
    while begin and text[begin : line_end(text, begin)][among.start_mark.column :][:1] != "-":
        begin = text.rfind("\n", 0, begin - 1) + 1
    return begin
