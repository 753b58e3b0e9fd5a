"""What dynamic resources share: they act in a process of the engine's, which knows of the project only what their inputs say."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from fluxstead.description.load import Description, load
from fluxstead.description.operator_secrets import operator_secrets
from fluxstead.nodes.model import Node
from fluxstead.secrets.state import Scope

# What these raise is for people; gRPC's server would print a traceback beside it.
logging.getLogger("grpc._server").setLevel(logging.CRITICAL + 1)


def described_at(project: str, stack: str) -> tuple[Path, Description, Scope]:
    """The project's folder, its description, and where its secrets lie. Raises RuntimeError where it can no longer be read."""
    root = Path(project)
    description = load(root, stack).description
    if description is None:
        raise RuntimeError("the description changed while `up` ran, and is wrong now: ./run check")
    cluster = description.cluster
    operators = tuple(operator_secrets(cluster))
    return root, description, Scope(root, description.name, (), cluster.secrets, cluster.flux.sops_secret, operators)


def node_of(description: Description, name: str) -> Node:
    """The machine of that name. Raises RuntimeError where it is described no longer."""
    node = next((node for node in description.nodes if node.name == name), None)
    if node is None:
        raise RuntimeError(f"nodes/{name}.yaml was removed while `up` ran")
    return node


def as_told(value: Any) -> Any:
    """An input as it was given: on its way through the engine, every number becomes a float."""
    if isinstance(value, dict):
        return {key: as_told(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_told(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def say(line: str) -> None:
    """Show a line of progress: the engine shows a plugin's standard error while it is at work. From a host may come anything."""
    sys.stderr.write("".join(character if character.isprintable() else "?" for character in line) + "\n")
    sys.stderr.flush()
