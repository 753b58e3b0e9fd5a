"""The one file outside `generated/`: the Flux Kustomization through which the bootstrapped cluster finds the tree.

It is written once and then belongs to the operator, so no regeneration can make Flux prune itself.
"""

from __future__ import annotations

from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.yaml_text import to_yaml


def entry_path(cluster: str) -> str:
    """Where the file is: next to what `flux bootstrap --path clusters/<cluster>` writes."""
    return f"clusters/{cluster}/tree.yaml"


def entry_text(cluster: str, directory: str) -> str:
    """The Kustomization that reconciles the tree in `directory`, a path from the repository's root."""
    header = "# Written once by fluxstead; yours from here on. Flux reads the generated tree through it.\n"
    return header + to_yaml(
        {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": cluster, "namespace": FLUX_NAMESPACE},
            "spec": {
                "interval": "10m",
                "retryInterval": "1m",
                "timeout": "1m",
                "sourceRef": {"kind": "GitRepository", "name": FLUX_NAMESPACE},
                "path": f"./{directory}",
                "prune": True,
                "wait": False,
            },
        }
    )
