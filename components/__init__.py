"""The systems as Pulumi components, and the program around them."""

from components.program import Program

__all__ = ["Program"]
