"""Machines, disks, systems and layers as Pulumi components, and the program around them."""

from components.program import Program

__all__ = ["Program"]
