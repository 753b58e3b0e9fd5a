"""What dynamic resources share: they act in a process of the engine's, which knows of the project only what their inputs say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fluxstead.description.load import Description, load
from fluxstead.description.operator_secrets import operator_secrets
from fluxstead.secrets.state import Scope


def described_at(props: Mapping[str, Any]) -> tuple[Path, Description, Scope]:
    """The project's folder, its description, and where its secrets lie. Raises RuntimeError where it can no longer be read."""
    root = Path(props["project"])
    description = load(root, props["stack"]).description
    if description is None:
        raise RuntimeError("the description changed while `up` ran, and is wrong now: ./run check")
    cluster = description.cluster
    operators = tuple(operator_secrets(cluster))
    return root, description, Scope(root, description.name, (), cluster.secrets, cluster.flux.sops_secret, operators)


def say(name: str) -> Callable[[str], None]:
    """Takes lines of progress, which the engine shows beside the resource's own; from a host may come anything."""

    def line(text: str) -> None:
        shown = "".join(character if character.isprintable() else "?" for character in text)
        sys.stderr.write(f"{name}: {shown}\n")
        sys.stderr.flush()

    return line
