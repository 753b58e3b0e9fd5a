"""F26: health was not validated after a change."""

from __future__ import annotations

import pytest

from tests.failures.refusal import not_done


@pytest.mark.gap("the tree is not reconciled by real Flux in a test yet")
def test_the_failure_is_prevented() -> None:
    """Not a pass until it is."""
    not_done("the tree is not reconciled by real Flux in a test yet")
