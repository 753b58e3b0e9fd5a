"""The JSON schemas of the description's files, for editors: completion and checks while typing."""

from __future__ import annotations

import json
from typing import Any

from fluxstead.description.cluster import Cluster
from fluxstead.description.load import PROJECT, STACK_KEYS
from fluxstead.nodes.model import Node

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files() -> dict[str, str]:
    """Each schema's text by its path in the repository."""
    return {"schemas/stack.schema.json": _text(_stack()), "schemas/node.schema.json": _text(_node())}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _node() -> dict[str, Any]:
    schema = Node.model_json_schema()
    del schema["properties"]["name"]
    schema["required"].remove("name")
    return {"$schema": _DIALECT, **schema, "title": "A machine of a fluxstead cluster: nodes/<name>.yaml"}


def _stack() -> dict[str, Any]:
    cluster = Cluster.model_json_schema()
    config = {
        "type": "object",
        "properties": {f"{PROJECT}:{key}": value for key, value in cluster["properties"].items()},
        "required": [f"{PROJECT}:{key}" for key in cluster["required"]],
        # Keys of other namespaces belong to Pulumi and its providers.
        "patternProperties": {f"^(?!{PROJECT}:)[^:]+:": True},
        "additionalProperties": False,
    }
    return {
        "$schema": _DIALECT,
        "title": "A fluxstead cluster: Pulumi.<stack>.yaml",
        "type": "object",
        "properties": {**dict.fromkeys(sorted(STACK_KEYS), True), "config": config},
        "required": ["config"],
        "additionalProperties": False,
        "$defs": cluster["$defs"],
    }
