"""The systems as Pulumi components, and the program around them."""

from components.dns import Dns
from components.ingress import Ingress
from components.longhorn import Longhorn
from components.node_labels import NodeLabels
from components.program import Program

__all__ = ["Dns", "Ingress", "Longhorn", "NodeLabels", "Program"]
