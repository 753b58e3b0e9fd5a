"""Config files: the ConfigMap that holds them, and what changes with them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from fluxstead.core.names import bounded
from fluxstead.systems.applications.instance import Instance

VOLUME = "files"
"""What a pod calls the ConfigMap."""
ANNOTATION = "checksum/files"
"""By what it says, the pods' template changes with a file: Kubernetes restarts none for a ConfigMap."""
MOST_BYTES = 1024 * 1024
"""Of a ConfigMap's data (kubernetes: pkg/apis/core/validation, MaxSecretSize)."""

_NOT_IN_KEYS = re.compile(r"[^-._a-zA-Z0-9]+")


def name(instance: Instance) -> str:
    """The ConfigMap's name."""
    return f"{instance.app.name}-files"


def keys(instance: Instance) -> dict[str, str]:
    """Each file's key in the ConfigMap, by its path: its own name, and more of it where two have the same."""
    own = {path: _NOT_IN_KEYS.sub("_", path.rpartition("/")[2]) for path in instance.files}
    often = Counter(own.values())
    return {path: bounded(key) if often[key] == 1 else f"{_short(path)}-{bounded(key)}" for path, key in own.items()}


def digest(instance: Instance) -> str:
    """What differs whenever a file does, or its place."""
    return _short(json.dumps(instance.files, sort_keys=True))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def config_map(instance: Instance) -> Iterator[dict[str, Any]]:
    """The ConfigMap, if there are files."""
    if instance.files:
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name(instance), "namespace": instance.name},
            "data": {key: instance.files[path] for path, key in keys(instance).items()},
        }
