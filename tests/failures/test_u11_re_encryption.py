"""U11: re-encryption changed every secret at every run."""

from __future__ import annotations

import pytest

from tests.failures.refusal import not_done


@pytest.mark.gap("nothing is encrypted by the program yet")
def test_the_failure_is_prevented() -> None:
    """Expected to fail until it is implemented."""
    not_done("nothing is encrypted by the program yet")
