"""What tests of checks share with pytest."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Git as somebody without settings."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for key in [key for key in os.environ if key.startswith("GIT_")]:
        monkeypatch.delenv(key)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "a")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.test")
