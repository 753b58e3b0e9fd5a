"""Node labels: what the nodes' files say, kept on the Kubernetes nodes."""

from fluxstead.systems.node_labels.manifests import plan

__all__ = ["plan"]
