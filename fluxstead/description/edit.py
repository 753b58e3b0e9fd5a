"""Changing the stack file for its operator: the lines of one key, and no other byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from fluxstead.core.yaml_text import to_yaml
from fluxstead.description.load import PROJECT

Value = str | Sequence[str] | Mapping[str, str]


class NotEdited(Exception):  # noqa: N818 -- the operator does it instead
    """The file is written in a way that cannot be changed here; the text is what to write by hand."""


def with_values(text: str, section: str, values: Mapping[str, Value]) -> str:
    """The stack file with these keys in a section of it, such as `secrets`; a mapping's keys come to those that are there.

    Raises NotEdited.
    """
    wanted = _data(text)
    held = wanted["config"].setdefault(f"{PROJECT}:{section}", {})
    if not isinstance(held, dict):  # as `pulumi config set` writes it
        raise NotEdited(_by_hand(section, values))
    for key, value in values.items():
        before = held.get(key)
        held[key] = {**before, **value} if isinstance(value, Mapping) and isinstance(before, dict) else _plain(value)
    for key, value in values.items():
        text = _with_value(text, (f"{PROJECT}:{section}",), key, value)
    if _data(text) != wanted:
        raise NotEdited(_by_hand(section, values))
    return text


def value_at(text: str, section: str, key: str) -> object:
    """What a stack file says there; None where it says nothing, or is no stack file."""
    try:
        found = _data(text)["config"].get(f"{PROJECT}:{section}")
    except (NotEdited, yaml.YAMLError):
        return None
    return found.get(key) if isinstance(found, dict) else None


def _data(text: str) -> dict[str, Any]:
    data = yaml.safe_load(text)
    if not isinstance(data, dict) or not isinstance(data.get("config"), dict):
        raise NotEdited("config: with the keys of the cluster")
    return data


def _with_value(text: str, path: Sequence[str], key: str, value: Value) -> str:
    config = child(yaml.compose(text, Loader=yaml.SafeLoader), "config")
    section, *below = path
    found = child(config, section)
    if not isinstance(config, yaml.MappingNode) or config.flow_style:
        raise NotEdited(_by_hand(section.removeprefix(f"{PROJECT}:"), {key: value}))
    if not isinstance(found, yaml.MappingNode):
        return after(text, config, {section: {key: value}})
    for name in below:
        found = child(found, name)
        assert isinstance(found, yaml.MappingNode)  # noqa: S101 -- the caller looked
    old = child(found, key)
    if isinstance(value, Mapping) and isinstance(old, yaml.MappingNode) and old.value:
        for name, one in value.items():
            text = _with_value(text, (*path, key), name, one)
        return text
    if old is None and found.flow_style:
        return insert(text, found.end_mark.index - 1, f"{', ' if found.value else ''}{key}: {_flow(value)}")
    if old is None:
        return after(text, found, {key: value})
    begin, end = old.start_mark.index, end_of(old)
    if isinstance(old, yaml.SequenceNode) and not old.flow_style and old.value and not isinstance(value, Mapping):
        last = line_end(text, end)
        begin = text.rindex("\n", 0, begin) + 1
        lines = to_yaml(list(value)).splitlines() if not isinstance(value, str) else [f"{_flow(value)}"]
        return text[:begin] + "\n".join(_kept(text[begin:last], line, old.start_mark.column) for line in lines) + text[last:]
    return text[:begin] + _flow(value) + text[end:]


def _kept(before: str, line: str, column: int) -> str:
    """An item's line as it was, with its comment, where it was there."""
    same = (one for one in before.splitlines() if one.split("#")[0].strip() == line.strip())
    return next(same, f"{' ' * column}{line}")


def after(text: str, parent: yaml.MappingNode, value: Mapping[str, Any]) -> str:
    """Behind the last thing in a mapping, as deep as its keys."""
    column = parent.value[0][0].start_mark.column if parent.value else parent.start_mark.column
    plain = {key: _plain(one) for key, one in value.items()}
    lines = "".join(f"{' ' * column}{line}\n" for line in _indented(to_yaml(plain)).splitlines())
    place = line_end(text, end_of(parent))
    return insert(text, place, f"\n{lines.rstrip()}") if place < len(text) else f"{text.rstrip()}\n{lines}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _indented(text: str) -> str:
    """Lists one step further in than their key, as people write them."""
    deep, found = -1, []
    for line in text.splitlines():
        inside = line.lstrip().startswith("- ") and len(line) - len(line.lstrip()) >= deep >= 0
        found.append(f"  {line}" if inside else line)
        deep = deep if inside else len(line) - len(line.lstrip())
    return "\n".join(found)


def end_of(node: yaml.Node) -> int:
    """Where what is written ends; a block's own mark is where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return end_of(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return end_of(node.value[-1])
    index: int = node.end_mark.index
    return index - 1 if node.end_mark.column == 0 and index else index


def line_end(text: str, index: int) -> int:
    """Where the line of a place ends."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found


def insert(text: str, index: int, more: str) -> str:
    """With more text at a place."""
    return text[:index] + more + text[index:]


def child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """What stands at a key of a mapping; None where there is none."""
    entries = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in entries if name.value == key), None)


def _flow(value: Value) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {one}' for key, one in value.items())}}}"
    return value if isinstance(value, str) else f"[{', '.join(value)}]"


def _by_hand(section: str, values: Mapping[str, Value]) -> str:
    return f"{PROJECT}:{section}: {{{', '.join(f'{key}: {_flow(value)}' for key, value in values.items())}}}"
