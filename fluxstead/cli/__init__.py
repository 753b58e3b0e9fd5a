"""The command line: arguments, printing and exit status. 0 fine, 1 findings or differences, 2 wrong use."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
"""Where fluxstead itself is, and its tests and pages."""
