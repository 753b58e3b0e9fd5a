"""YAML in, as Kubernetes takes it: data that JSON can express, in the documents of one file, each with its place."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import yaml

from fluxstead.core.findings import Source
from fluxstead.core.yaml_depth import is_nested_without_end
from fluxstead.core.yaml_mark import break_in

_ENDLESS = "nested without end"


class Document(NamedTuple):
    """One YAML document of a file. `source` is where it was described, or the document's own place if people wrote it."""

    path: str
    data: Any
    source: Source
    generated: bool = False
    problem: str | None = None


class _Loader(yaml.CSafeLoader):
    """Of a duplicate key the last one counts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 -- PyYAML's
        return _mapping(self, node, deep=deep)


class _PatientLoader(yaml.SafeLoader):
    """The same in Python, for files in which an anchor is defined twice: YAML allows it, and PyYAML's composer does not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 -- PyYAML's
        return _mapping(self, node, deep=deep)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if not isinstance(event, yaml.AliasEvent) and isinstance(event, yaml.NodeEvent):
            self.anchors.pop(event.anchor, None)
        return super().compose_node(parent, index)


_AnyLoader = _Loader | _PatientLoader


def _mapping(loader: _AnyLoader, node: yaml.MappingNode, *, deep: bool) -> dict[Hashable, Any]:
    """Keys as JSON has them: numbers and booleans become text, and others are not keys (sigs.k8s.io/yaml)."""
    if not isinstance(node, yaml.MappingNode):
        raise _problem("expected a mapping", node)
    loader.flatten_mapping(node)
    found: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            if not isinstance(key, (int, float)):
                raise _problem("a key that is no text", key_node)
            key = str(key).lower() if isinstance(key, bool) else str(key)
        found[key] = loader.construct_object(value_node, deep=deep)
    return found


def _problem(what: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


def _strictly(construct: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A PyYAML constructor for a scalar whose tag may say what it is not."""

    def constructed(loader: _AnyLoader, node: yaml.Node) -> Any:
        try:
            found = construct(loader, node)
        except (ValueError, LookupError):
            found = math.nan
        if isinstance(found, int) and not -(2**63) <= found < 2**64:  # which is not an integer to Kubernetes either
            found = float(found) if abs(found) < sys.float_info.max else math.inf
        if isinstance(found, float) and not math.isfinite(found):
            raise _problem("a number or a truth value that JSON does not have", node)
        return found

    return constructed


def _text(loader: _AnyLoader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_TAG = "tag:yaml.org,2002:"
_OF_JSON = {
    "map": yaml.SafeLoader.construct_yaml_map,
    "seq": yaml.SafeLoader.construct_yaml_seq,
    "str": yaml.SafeLoader.construct_yaml_str,
    "null": yaml.SafeLoader.construct_yaml_null,
    "bool": _strictly(yaml.SafeLoader.construct_yaml_bool),
    "int": _strictly(yaml.SafeLoader.construct_yaml_int),
    "float": _strictly(yaml.SafeLoader.construct_yaml_float),
    "timestamp": _text,
    "binary": _text,
    "value": _text,  # a bare `=`, which is in Prometheus' CRDs
}


def _plain(loader: type[_AnyLoader]) -> None:
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }
    loader.yaml_constructors = {
        None: yaml.SafeLoader.construct_undefined,
        **{f"{_TAG}{name}": construct for name, construct in _OF_JSON.items()},
    }


_plain(_Loader)
_plain(_PatientLoader)


def documents_in(text: str, path: str) -> Sequence[Document]:
    """The documents of one file's text, each with the line it begins on."""
    if is_nested_without_end(text):
        return [Document(path, None, Source(path), problem=_ENDLESS)]
    found = _documents(_Loader, text, path)
    return _documents(_PatientLoader, text, path) if found and found[-1].problem == "second occurrence" else found


def _documents(reader: type[_AnyLoader], text: str, path: str) -> list[Document]:
    found: list[Document] = []
    try:
        loader = reader(text)
    except yaml.YAMLError as problem:  # characters that YAML does not allow
        return [Document(path, None, Source(path), problem=str(problem).splitlines()[0])]
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                break
            found.append(Document(path, loader.construct_document(node), Source(path, node.start_mark.line + 1)))
    except yaml.MarkedYAMLError as problem:
        broken = break_in(text, problem)
        found.append(Document(path, None, Source(path, broken.line), problem=broken.what))
    except yaml.YAMLError as problem:
        found.append(Document(path, None, Source(path), problem=str(problem).splitlines()[0]))
    except RecursionError:
        found.append(Document(path, None, Source(path), problem=_ENDLESS))
    finally:
        loader.dispose()
    return found
