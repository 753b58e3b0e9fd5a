"""Where ciphertext lies: `secrets/<cluster>/<layer>/<name>.sops.yaml`, one Secret a file, outside the generated tree.

The layer refers to the folder and copies nothing, so that the tree follows from the description alone. The folder's list is ours:
it names what is needed and there, since Flux builds nothing of a layer that lists a missing file (F3).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fluxstead.core.yaml_text import to_yaml
from fluxstead.tree.asks import SecretNeed
from fluxstead.tree.layer import Layer

FOLDER = "secrets"
OPERATOR = "operator"
"""The folder of what no layer applies, because no cluster may read it or because it is how the cluster reads."""
SUFFIX = ".sops.yaml"
LIST = "kustomization.yaml"
_HEADER = "# Kept by fluxstead: the Secrets that the layer needs and that are here.\n"


def secret_folder(cluster: str, layer: str) -> str:
    """The folder of a layer's ciphertext, from the project's root."""
    return posixpath.join(FOLDER, cluster, layer)


def secret_path(cluster: str, need: SecretNeed) -> str:
    """The file of one Secret, from the project's root."""
    return posixpath.join(secret_folder(cluster, need.layer), f"{need.name}{SUFFIX}")


def lists_of(root: Path | None, cluster: str, layers: Iterable[Layer]) -> dict[str, str]:
    """The lists of all layers that need Secrets, by path from `root`: those of their files that are there, as text."""
    return {path: list_text(names) for path, names in listed(root, cluster, layers).items()}


def listed(root: Path | None, cluster: str, layers: Iterable[Layer]) -> Mapping[str, list[str]]:
    """The same, as the names of the files."""
    return {
        posixpath.join(secret_folder(cluster, layer.name), LIST): sorted(_there(root, cluster, layer))
        for layer in layers
        if layer.secrets
    }


def _there(root: Path | None, cluster: str, layer: Layer) -> Iterator[str]:
    for need in layer.secrets:
        path = secret_path(cluster, need)
        if root is not None and (root / path).is_file():
            yield posixpath.basename(path)


def list_text(names: Iterable[str]) -> str:
    """A list as it is written. An empty one is a kustomization too, and builds nothing."""
    listing = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": sorted(names)}
    return _HEADER + to_yaml(listing)
