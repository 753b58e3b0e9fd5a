"""Sizes as Kubernetes writes them, and as Longhorn has them: in bytes, and whole units of two MiB (util/util.go, RoundUpSize)."""

from __future__ import annotations

from fluxstead.core.quantity import Quantity

UNIT = 2 * 1024 * 1024
LEAST = 10 * 1024 * 1024
"""What the CSI driver makes at least (util/util.go, MinimalVolumeSize)."""


def rounded(size: int) -> int:
    """So many bytes as a volume has that holds these."""
    return max(1, -(-size // UNIT)) * UNIT


def bytes_of(quantity: str) -> int:
    """What a claim asks for, in bytes."""
    return int(Quantity(quantity).amount)
