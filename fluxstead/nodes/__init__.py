"""Nodes and disks."""
