"""Names that may be there only once: layers and groups share one namespace of Flux Kustomizations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.tree.layer import GROUPS, Layer, groups_of
from fluxstead.tree.secret_files import OPERATOR

NAME_TAKEN = refuses(
    "tree/name-taken", "F8", "the layer `infrastructure` has the name of the group `infrastructure`", "the description"
)
NAMESPACE_NOT_OURS = refuses("tree/namespace-not-ours", "F27", "layer `web` would own the namespace kube-system", "the description")
SECRET_TWICE = refuses(
    "tree/secret-twice", "F8", "Secret web/login is applied by the layers `web-access` and `web-tls`", "the description"
)
CHECKS = (NAME_TAKEN, NAMESPACE_NOT_OURS, SECRET_TWICE)

_NOT_OURS = frozenset({*NAMESPACES, FLUX_NAMESPACE})
"""Namespaces that k3s and Flux own: relabelled, or pruned one day, they would take the cluster down."""


def findings_of(layers: Sequence[Layer], cluster: str) -> Iterator[Finding]:
    """Layers named like another layer, a group or one of the root's Kustomizations; and namespaces that are not ours."""
    taken = {name: f"the group `{name}`" for name in (*GROUPS, *groups_of(layers))} | {FLUX_NAMESPACE: "Flux's own Kustomization"}
    taken[cluster] = f"the root of the tree, clusters/{cluster}/tree.yaml"
    if any(layer.secrets for layer in layers):
        taken[OPERATOR] = f"the folder of the operator's own secrets, secrets/{cluster}/{OPERATOR}"
    taken["kustomization"] = "the file that lists a group's layers"
    yield from _secrets(layers)
    for layer in layers:
        yield from _namespaces(layer)
        if layer.name in taken:
            yield NAME_TAKEN(
                layer.source,
                what=f"the layer `{layer.name}` has the name of {taken[layer.name]}",
                why="one would overwrite the other, and Flux would prune what the other had applied (F8)",
                fix="another name",
            )
        taken.setdefault(layer.name, f"the layer described at {layer.source}")


def _secrets(layers: Sequence[Layer]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for layer in layers:
        for need in layer.secrets:
            other = first.setdefault(need.qualified_name, layer.name)
            if other != layer.name:
                yield SECRET_TWICE(
                    need.source,
                    what=f"Secret {need.qualified_name} is applied by the layers `{other}` and `{layer.name}`",
                    why="each would put its own values in place of the other's, again and again (F8)",
                    fix="another name for one of the two",
                )


def _namespaces(layer: Layer) -> Iterator[Finding]:
    for manifest in layer.manifests:
        if manifest.object["kind"] == "Namespace" and manifest.object["metadata"]["name"] in _NOT_OURS:
            yield NAMESPACE_NOT_OURS(
                manifest.source,
                what=f"layer `{layer.name}` would own the namespace {manifest.object['metadata']['name']}",
                why="k3s and Flux live there; relabelled, or pruned one day, it would take them down",
                fix="a namespace of its own",
            )
