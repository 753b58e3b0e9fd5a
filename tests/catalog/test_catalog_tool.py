"""The tool that makes the data: what it keeps of an upstream schema and of a chart's values."""

from __future__ import annotations

from typing import Any

from tools.catalog import layered
from tools.catalog_schemas import normalised, packed
from tools.catalog_values import history

PORT: dict[str, Any] = {
    "description": "a port",
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "x-kubernetes-int-or-string": True,
}


def test_a_schema_becomes_strict_and_keeps_what_validates() -> None:
    """Descriptions, defaults and formats go; unknown keys are refused; int-or-string and nullable stay."""
    source = {
        "type": "object",
        "description": "a thing",
        "properties": {
            "count": {"type": "integer", "format": "int64", "default": 1},
            "port": PORT,
            "maybe": {"type": "array", "nullable": True, "items": {"type": "string"}},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "description": {"type": "string"},
        },
    }
    assert normalised(source, {}) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "count": {"type": "integer"},
            "port": {"type": ["integer", "string"]},
            "maybe": {"type": ["array", "null"], "items": {"type": "string"}},
            "any": {"type": "object"},
            "description": {"type": "string"},
        },
    }


def test_null_is_no_value_of_kubernetes_own_kinds() -> None:
    """Their document allows it everywhere, because the server drops it: in a manifest somebody forgot the value."""
    definitions = {"io.k8s.Inner": {"type": ["object", "null"], "properties": {"name": {"type": ["string", "null"]}}}}
    assert normalised({"$ref": "#/$defs/io.k8s.Inner"}, definitions) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}},
    }


def test_what_repeats_is_stored_once() -> None:
    """And a key that is called like a keyword is a key."""
    part = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"items": {"type": "string", "pattern": "^long enough$"}},
    }
    small = packed({"type": "object", "properties": {"a": part, "b": part, "c": {"type": "array", "items": part}}})
    assert small["$defs"] == {"d0": part}
    assert small["properties"]["c"] == {"type": "array", "items": {"$ref": "#/$defs/d0"}}


def test_a_version_holds_what_changed() -> None:
    """The same kind is not stored twice; one that went is taken back by an empty file."""
    versions: dict[tuple[int, ...], dict[str, bytes]] = {
        (1, 9): {"A.json": b"1", "B.json": b"1"},
        (1, 10): {"A.json": b"1", "C.json": b"2"},
    }
    assert layered("x", versions) == {"x-1.9/A.json": b"1", "x-1.9/B.json": b"1", "x-1.10/C.json": b"2", "x-1.10/B.json": b""}


def test_what_a_chart_hands_on_takes_any_key() -> None:
    """The defaults show a beginning of it, or nothing."""
    defaults = {"log": {"format": "json"}, "resources": {"requests": {"cpu": "1"}}, "nodeSelector": {"os": "linux"}, "free": {}}
    assert history([defaults]) == {"free": 1, "log": {"format": 0}, "nodeSelector": 1, "resources": 1}


def test_the_versions_of_a_chart_are_one_tree() -> None:
    """0 is a value without keys, 1 takes any; a key that only some versions have says which."""
    versions: list[dict[str, Any]] = [
        {"a": 1, "old": {"x": 1}},
        {"a": 1, "old": {"x": 1, "y": {}}, "new": None},
        {"a": 1, "new": {"z": 1}},
    ]
    assert history(versions) == {"a": 0, "old": [{"x": 0, "y": [1, [1, 2]]}, [0, 2]], "new": [1, [1, 3]]}
