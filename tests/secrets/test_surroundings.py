"""What surrounds a run: the keys and programs of this machine, its environment, and what lies beside the files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from fluxstead.cli.__main__ import main
from fluxstead.secrets import opened
from fluxstead.secrets.tools import ToolTrouble
from tests.conftest import Project
from tests.edge_keys import OPERATOR
from tests.secrets.conftest import WIKI, RunSecrets


def test_nothing_of_the_environment_becomes_a_recipient(run: RunSecrets, example: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that is set up for another project: its key service would get the data key."""
    monkeypatch.setenv("SOPS_VAULT_URIS", "http://127.0.0.1:9/v1/transit/keys/other")
    monkeypatch.setenv("SOPS_AZURE_KEYVAULT_URLS", "http://127.0.0.1:9/keys/a/b")
    monkeypatch.setenv("SOPS_KEYSERVICE", "tcp://127.0.0.1:9")
    (example.root / WIKI).unlink()
    status, said = run("set", "wiki-settings", "TOKEN", "--stdin", given="x")
    assert status == 0, said
    sops = yaml.safe_load((example.root / WIKI).read_text())["sops"]
    assert not {"hc_vault", "azure_kv"} & {name for name, value in sops.items() if value}


def test_a_key_that_no_description_names_is_told(run: RunSecrets, example: Project) -> None:
    """Somebody ran sops with a key of PGP, too."""
    file = example.root / WIKI
    file.write_text(
        file.read_text().replace(
            "\nsops:\n", "\nsops:\n  pgp:\n    - fp: ABCD\n      enc: x\n      created_at: '2026-01-01T00:00:00Z'\n"
        )
    )
    status, said = run()
    assert (status, "still for keys of pgp" in said) == (1, True), said
    assert "secrets/former-recipients" in {finding.id for finding in example.run().findings}


def test_plain_text_beside_the_ciphertext_is_told(run: RunSecrets, example: Project) -> None:
    """What it was made of is still there."""
    (example.root / WIKI.replace(".sops", "")).write_text("kind: Secret\nstringData: {TOKEN: hunter2}\n")
    status, said = run()
    assert (status, "wiki-settings.yaml beside it" in said) == (1, True), said


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["a folder", "no text"])
def test_a_key_file_that_is_none_gives_no_traceback(run: RunSecrets, example: Project, keys: Path, content: bytes | None) -> None:
    """Neither the table nor `init` nor the list of recipients."""
    keys.unlink()
    if content is None:
        keys.mkdir()
    else:
        keys.write_bytes(content)
    status, said = run()
    assert "nothing is left to do" not in said
    assert run("recipients")[0] == 1
    text = example.stack_file.read_text()
    example.stack_file.write_text(text[: text.index("  fluxstead:secrets:")])
    status, said = run("init")
    assert (status, "cannot be read" in said) == (1, True), said


def test_a_key_that_only_sops_finds_opens(run: RunSecrets, keys: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program that prints it: asked of sops, and not guessed."""
    keys.unlink()
    script = tmp_path / "key"
    script.write_text(f"#!/bin/sh\necho {OPERATOR}\n")
    script.chmod(0o755)
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", str(script))
    status, said = run()
    assert (status, "nothing is left to do" in said) == (0, True), said
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", "false")
    assert "nothing is left to do" not in run()[1]


def test_without_sops_the_table_is_there(run: RunSecrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, keys and recipients can be read without it."""

    def none(_: object) -> None:
        raise ToolTrouble("sops 3.11 or newer is needed")

    monkeypatch.setattr(opened, "Vault", none)
    status, said = run()
    assert (status, "monitoring/grafana-admin  there" in said, "not looked into: sops 3.11" in said) == (0, True, True), said


def test_folders_of_the_key_are_the_owners_alone(
    run: RunSecrets, example: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the umask lets through."""
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    text = example.stack_file.read_text()
    example.stack_file.write_text(text[: text.index("  fluxstead:secrets:")])
    for path in sorted((example.root / "secrets").rglob("*.yaml")):
        path.unlink()
    before = os.umask(0)
    try:
        status, said = run("init", "--offline", "")
    finally:
        os.umask(before)
    assert status == 0, said
    made = [tmp_path / "config", tmp_path / "config/sops", tmp_path / "config/sops/age", tmp_path / "config/sops/age/keys.txt"]
    assert [path.stat().st_mode & 0o077 for path in made] == [0, 0, 0, 0]


def test_a_broken_description_is_told_as_data_to_programs(example: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asked for JSON reads nothing else."""
    example.replace("Pulumi.edge.yaml", "fluxstead:secrets:", "fluxstead:secretz:")
    assert main(["secrets", "--project", str(example.root), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)
