"""Layers, their order, and the files they become."""
