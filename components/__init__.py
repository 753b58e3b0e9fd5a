"""The systems as Pulumi components, and the program around them."""

from components.applications import Applications
from components.longhorn import Longhorn
from components.node_labels import NodeLabels
from components.program import Program

__all__ = ["Applications", "Longhorn", "NodeLabels", "Program"]
