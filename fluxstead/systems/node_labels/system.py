"""What node labels declare about themselves."""

from __future__ import annotations

from fluxstead.system import System

NODE_LABELS = System(name="node_labels", key=None, does="the labels of the Kubernetes nodes, kept by Flux; declared in nodes/")
