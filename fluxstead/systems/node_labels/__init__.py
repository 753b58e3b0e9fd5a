"""Node labels: what the nodes' files say, kept on the Kubernetes nodes."""

from fluxstead.systems.node_labels.manifests import plan
from fluxstead.systems.node_labels.system import NODE_LABELS

__all__ = ["NODE_LABELS", "plan"]
