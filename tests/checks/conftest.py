"""What tests of checks share with pytest."""

from __future__ import annotations

import pytest

from tests.checks.repository import as_somebody


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Git as somebody without settings."""
    as_somebody(monkeypatch, tmp_path_factory.mktemp("home"))
