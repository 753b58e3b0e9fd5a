"""U11: re-encryption changed every secret at every run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fluxstead.secrets.vault import Vault
from tests.conftest import Project
from tests.secrets.conftest import keys, scope_of

__all__ = ["keys"]


@pytest.mark.usefixtures("keys")
def test_an_unchanged_value_keeps_its_bytes(example: Project) -> None:
    """One value of two is changed, then both are given again: one line of ciphertext differs, and then none."""
    scope = scope_of(example)
    [need] = scope.named("wiki-settings")
    file = example.root / scope.path_of(need)
    before = _ciphertexts(file)
    assert Vault(scope).put(need, {"SESSION_KEY": "other"})
    after = _ciphertexts(file)
    assert {key for key in before if before[key] != after[key]} == {"SESSION_KEY"}
    bytes_ = file.read_bytes()
    assert not Vault(scope).put(need, Vault(scope).values(scope.path_of(need)))
    assert file.read_bytes() == bytes_


def _ciphertexts(file: Path) -> dict[str, str]:
    return dict(re.findall(r"(?m)^  ([A-Z_]+): (ENC\[\S+)$", file.read_text()))
