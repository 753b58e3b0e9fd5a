"""YAML in: text becomes plain data with the line of every key and value.

Strict where readers of YAML disagree: duplicate keys, the booleans and numbers of YAML 1.1 (`on`, `0755`, `1:30`), merge keys
and tags are findings, because Pulumi's own reader, or the next person, would read something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from fluxstead.core.check import refuses
from fluxstead.core.described import KeyPath
from fluxstead.core.findings import Finding, Source
from fluxstead.core.yaml_depth import is_nested_without_end
from fluxstead.core.yaml_mark import Break, break_in

BROKEN_YAML = refuses("description/yaml", "F20", "the key `state` is here a second time", "the description")
CHECKS = (BROKEN_YAML,)

_INT = re.compile(r"[-+]?(?:0|[1-9]\d*)")
_FLOAT = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+)")
_EXPONENT = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)[eE][-+]?\d+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DIGITS = 30
"""No number in a description is longer; a longer one is text, and refused where a number is expected."""
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULL = {"", "~", "null", "Null", "NULL"}
_OLD_TRUTH = re.compile(r"(?:y|yes|on)|(n|no|off)", re.IGNORECASE)
_OLD_NUMBER = re.compile(r"[-+]?(?:0\d[\d_]*|0[xob][\da-fA-F_]+|\d+_[\d_]*(?:\.[\d_]*)?|\d+(?::[0-5]?\d)+(?:\.\d*)?)")
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?")


@dataclass(slots=True)
class YamlFile:
    """One file: its data, the line of every key path, and what was wrong with it as YAML."""

    file: str
    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    written: dict[KeyPath, str] = field(default_factory=dict)
    """The source text of what is not text to YAML: numbers, booleans and null."""
    disputed: dict[KeyPath, Finding] = field(default_factory=dict)
    """What is found about scalars that readers of YAML disagree on; here, they are text."""
    incomplete: set[KeyPath] = field(default_factory=set)
    """The mappings with keys that could not be read."""


def read_yaml(text: str, file: str) -> YamlFile:
    """The single document in `text`. Never raises: what is wrong with it is in the findings."""
    document = YamlFile(file)
    if is_nested_without_end(text):
        document.findings.append(_endless(file))
        return document
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as problem:
        document.findings.append(_not_yaml(text, file, break_in(text, problem)))
        return document
    except yaml.YAMLError as problem:
        position = getattr(problem, "position", 0)
        document.findings.append(
            BROKEN_YAML(
                Source(file, text.count("\n", 0, position) + 1),
                what=f"this is not YAML: {str(problem).splitlines()[0]}",
                why="the file contains characters that YAML does not allow",
                fix="plain UTF-8 text",
            )
        )
        return document
    finally:
        loader.dispose()
    if node is not None:
        document.data = _Builder(document).build(node, (), 0)
    return document


def _not_yaml(text: str, file: str, broken: Break) -> Finding:
    line = (text.splitlines() or [""])[broken.at - 1 : broken.at]
    tab = bool(line) and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]
    return BROKEN_YAML(
        Source(file, broken.at if tab else broken.line),
        what="this line is indented with a tab" if tab else f"this is not YAML: {broken.what}",
        why="YAML is indented with spaces only, and nothing below this line can be read"
        if tab
        else "nothing below this line can be read",
        fix="spaces, as many as the lines around it have"
        if tab
        else "one document of plain YAML; check the indentation and quotes of this line",
    )


def _endless(file: str) -> Finding:
    return BROKEN_YAML(
        Source(file),
        what="this is nested without end: an anchor that contains itself, aliases of aliases, or hundreds of brackets",
        why="nothing in the file can be read",
        fix="the values themselves",
    )


class _Builder:
    def __init__(self, document: YamlFile) -> None:
        self._document = document

    def build(self, node: yaml.Node, path: KeyPath, line: int) -> Any:
        self._document.lines[path] = line or node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index), 0) for index, item in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                self._refuse(
                    line,
                    "a merge key or a key that is not plain text",
                    why="what it stands for cannot be seen where it is used",
                    fix="the keys themselves",
                )
                self._document.incomplete.add(path)
                continue
            key = self._key(key_node)
            if key in result:
                self._refuse(
                    line,
                    f"the key `{key}` is here a second time",
                    why="one of the two values would silently vanish (F20)",
                    fix=f"`{key}` once; the first one is on line {self._document.lines[(*path, key)]}",
                )
                continue
            result[key] = self.build(value_node, (*path, key), line)
        return result

    def _key(self, node: yaml.ScalarNode) -> str:
        key: str = node.value
        if not node.style and (key in _TRUTH or key in _NULL or _OLD_TRUTH.fullmatch(key)):
            self._refuse(
                node.start_mark.line + 1,
                f"the key `{key}` is {'null' if key in _NULL else 'a boolean'} to readers of YAML 1.1",
                why="it would become the key null" if key in _NULL else "it would become the key true or false",
                fix=f"'{key}' in quotes",
            )
        return key

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> str | bool | int | float | None:
        text: str = node.value
        if node.style:
            return text
        if not node.tag.startswith("tag:yaml.org,2002:"):
            self._refuse(
                node.start_mark.line + 1,
                f"the tag {node.tag}",
                why="the description holds plain data only",
                fix="the value without a tag",
            )
        found = _resolved(text)
        if isinstance(found, str):
            self._refuse_old_forms(node, text, path)
        else:
            self._document.written[path] = text
        return found

    def _refuse_old_forms(self, node: yaml.ScalarNode, text: str, path: KeyPath) -> None:
        line, before = node.start_mark.line + 1, len(self._document.findings)
        if truth := _OLD_TRUTH.fullmatch(text):
            self._refuse(
                line,
                f"`{text}` is a boolean to readers of YAML 1.1 and text to others",
                why="Pulumi and this program could read different things",
                fix=f"'{text}' in quotes for the text, or {'false' if truth[1] else 'true'}",
            )
        elif _OLD_NUMBER.fullmatch(text):
            self._refuse(
                line,
                f"`{text}` is a number in another base to some readers of YAML ({_as_old_number(text)})",
                why="Pulumi and this program could read different things",
                fix=f"'{text}' in quotes for the text, or the plain decimal number",
            )
        elif _EXPONENT.fullmatch(text):
            self._refuse(
                line,
                f"`{text}` is a number to some readers of YAML and text to others",
                why="a serial or a tag would become another one, and a number that is too large would become infinite",
                fix=f"'{text}' in quotes for the text, or all digits of the number",
            )
        elif _DATE.fullmatch(text):
            self._refuse(
                line,
                f"`{text}` is a date to readers of YAML 1.1 and text to others",
                why="Pulumi and this program could read different things",
                fix=f"'{text}' in quotes",
            )
        self._document.disputed.update((path, finding) for finding in self._document.findings[before:])

    def _refuse(self, line: int, what: str, *, why: str, fix: str) -> None:
        source = Source(self._document.file, line)
        self._document.findings.append(BROKEN_YAML(source, what=what, why=why, fix=fix))


def _resolved(text: str) -> str | bool | int | float | None:
    """What a plain scalar is to every reader; the text itself where readers disagree."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if len(text) <= _DIGITS and _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _as_old_number(text: str) -> str:
    try:
        read = yaml.safe_load(text)
        return str(read) if isinstance(read, (int, float)) else f"{float(text):g}"
    except (yaml.YAMLError, ValueError):
        return "unclear"
