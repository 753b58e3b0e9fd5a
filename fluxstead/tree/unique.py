"""Names that have to be there once: layers and groups share one namespace of Flux Kustomizations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.findings import Finding, error
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.tree.layer import GROUPS, Layer


def findings_of(layers: Sequence[Layer]) -> Iterator[Finding]:
    """Layers that are called like another layer, a group or Flux's own Kustomization."""
    taken = {name: f"the group `{name}`" for name in GROUPS} | {FLUX_NAMESPACE: "Flux's own Kustomization"}
    for layer in layers:
        if layer.name in taken:
            yield error(
                "tree/name-taken",
                layer.source,
                what=f"the layer `{layer.name}` has the name of {taken[layer.name]}",
                why="one Kustomization would overwrite the other, and prune what it had applied (F8)",
                write="another name",
            )
        taken.setdefault(layer.name, f"the layer described at {layer.source}")
