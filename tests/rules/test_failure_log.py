"""Every number of the failure log has its file."""

from __future__ import annotations

from pathlib import Path

FAILURES = Path(__file__).parents[1] / "failures"


def test_each_number_has_one_file() -> None:
    """F1 to F28 and U1 to U12; a row without a file would be forgotten."""
    numbers = sorted(path.name.split("_")[1] for path in FAILURES.glob("test_*.py"))
    assert numbers == [*(f"f{number:02}" for number in range(1, 29)), *(f"u{number:02}" for number in range(1, 13))]
