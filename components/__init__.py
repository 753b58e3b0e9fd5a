"""The systems as Pulumi components, and the program around them."""

from components.longhorn import Longhorn
from components.monitoring import Monitoring
from components.node_labels import NodeLabels
from components.program import Program

__all__ = ["Longhorn", "Monitoring", "NodeLabels", "Program"]
