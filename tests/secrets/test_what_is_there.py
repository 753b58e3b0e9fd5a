"""What cannot be read is there all the same: nothing takes its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.secrets.conftest import WIKI, RunSecrets, vault_of


def _link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def _not_utf8(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"# caf\xe9\n")


def _with_nul(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"# \0\n")


@pytest.mark.parametrize("spoil", [_link, _not_utf8, _with_nul])
def test_what_cannot_be_read_is_not_overwritten(run: RunSecrets, example: Project, spoil: object) -> None:
    """It holds values that nobody has elsewhere; the table does not call it missing either."""
    file = example.root / WIKI
    spoil(file)  # type: ignore[operator]
    before, link = file.read_bytes(), file.is_symlink()
    status, said = run("set", "wiki-settings", "NEW", "--stdin", given="v")
    assert (status, "is left as it is" in said) == (1, True), said
    assert (file.read_bytes(), file.is_symlink()) == (before, link)
    status, said = run()
    assert (status, re.search("wiki-live/wiki-settings +no Secret", said) is not None) == (1, True), said


def test_a_large_value_leaves_room_for_another_one(run: RunSecrets, example: Project) -> None:
    """Ciphertext is longer than what it stands for: 900,000 bytes are more than 1 MiB of it."""
    known = vault_of(example).values(WIKI)
    assert run("set", "wiki-settings", "BIG", "--stdin", given="x" * 900_000)[0] == 0
    assert (example.root / WIKI).stat().st_size > 1024**2
    assert run("set", "wiki-settings", "NEW", "--stdin", given="v")[0] == 0
    assert vault_of(example).values(WIKI) == {**known, "BIG": "x" * 900_000, "NEW": "v"}
    assert run()[0] == 0


def test_a_secret_that_the_api_server_would_refuse_is_refused(run: RunSecrets, example: Project) -> None:
    """Its limit is on all values together."""
    before = (example.root / WIKI).read_bytes()
    status, said = run("set", "wiki-settings", "BIG", "--stdin", given="x" * (1024**2 - 10))
    assert (status, "at most 1048576" in said) == (1, True), said
    assert (example.root / WIKI).read_bytes() == before


def test_rules_that_are_a_link_stay_one(run: RunSecrets, example: Project) -> None:
    """Its owner's rules are elsewhere."""
    rules = example.root / ".sops.yaml"
    rules.unlink(missing_ok=True)
    (example.root / "shared.yaml").write_text("creation_rules: []\n")
    rules.symlink_to("shared.yaml")
    status, said = run("recipients", "update")
    assert (status, ".sops.yaml is left as it is" in said) == (1, True), said
    assert rules.is_symlink()
