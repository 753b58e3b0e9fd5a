"""What CI finds without any key: ciphertext that nothing opens any more, and plain text beside it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.secrets.guard import SNIPPET
from tests.conftest import Project
from tests.secrets.conftest import GRAFANA, WIKI, RunSecrets

_GIT = "secrets/edge/operator/flux-git.sops.yaml"


def _cut(text: str) -> str:
    return re.sub(r"(admin-user: ENC\[\S{40})\S*", r"\1", text)


def _tag(text: str) -> str:
    return re.sub(r",tag:[^,]{4}", ",tag:", text, count=1)


def _mac(text: str) -> str:
    return re.sub(r"mac: ENC\[AES256_GCM,data:", "mac: ENC[AES256_GCM,date:", text)


def _armor(text: str) -> str:
    return text.replace("-----END AGE ENCRYPTED FILE-----", "", 1)


def _no_header(text: str) -> str:
    return text.replace("YWdlLWVuY3J5cHRpb24u", "YWdlLWVuY3J5cHRpb24v", 1)


def _date(text: str) -> str:
    return re.sub(r'lastmodified: "?\d{4}', 'lastmodified: "20', text)


def _conflict(text: str) -> str:
    return re.sub(r"(?m)^(  admin-user.*)$", r"<<<<<<< HEAD\n\1\n=======\n\1\n>>>>>>> other", text)


def _as_ci_runs_it(project: Project) -> list[int]:
    commands = [shlex.split(line.partition("- run: ./run ")[2]) for line in SNIPPET.splitlines() if "- run: " in line]
    return [main([*command, "--project", str(project.root)]) for command in commands]


@pytest.mark.parametrize("spoil", [_cut, _tag, _mac, _armor, _no_header, _date, _conflict])
@pytest.mark.parametrize("file", [GRAFANA, _GIT])
def test_ci_fails_without_a_key(example: Project, keys: Path, spoil: Callable[[str], str], file: str) -> None:
    """By the very lines that `./run secrets guard` prints; as it was, they pass."""
    keys.unlink()
    assert main(["render", "--project", str(example.root)]) == 0
    assert _as_ci_runs_it(example) == [0, 0]
    text = (example.root / file).read_text()
    spoilt = spoil(text.replace("  identity:", "  admin-user:"))
    (example.root / file).write_text(spoilt.replace("  admin-user:", "  identity:") if file == _GIT else spoilt)
    assert (example.root / file).read_text() != text
    assert _as_ci_runs_it(example) == [1, 1]


def test_what_is_broken_is_named(run: RunSecrets, example: Project) -> None:
    """The key and not its value, and where a whole one is."""
    (example.root / GRAFANA).write_text(_cut((example.root / GRAFANA).read_text()))
    status, said = run()
    assert (status, "broken: the value of admin-user; git log -p" in said) == (1, True), said
    [finding] = [one for one in example.run().findings if one.id == "secrets/broken"]
    assert "the value of admin-user" in finding.what
    assert "git log -p" in finding.fix


@pytest.mark.parametrize(("spoil", "says"), [(_cut, "the value of admin-user"), (_conflict, "is not one Secret")])
def test_what_is_broken_is_not_written_into(run: RunSecrets, example: Project, spoil: Callable[[str], str], says: str) -> None:
    """sops would say which ciphertext it cannot read, and not of which file."""
    (example.root / GRAFANA).write_text(spoil((example.root / GRAFANA).read_text()))
    before = (example.root / GRAFANA).read_bytes()
    status, said = run("set", "grafana-admin", "admin-password", "--generate")
    assert (status, says in said, f"git log -p {GRAFANA}" in said) == (1, True, True), said
    assert (example.root / GRAFANA).read_bytes() == before


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json"])
def test_plain_text_beside_ciphertext_is_told_by_check(example: Project, suffix: str) -> None:
    """Whether or not its ciphertext is there; of the operator's own, too."""
    for there in (True, False):
        for file in (WIKI, _GIT):
            plain = example.root / file.replace(".sops.yaml", suffix)
            plain.write_text("kind: Secret\nstringData: {TOKEN: hunter2}\n")
            if not there:
                (example.root / file).unlink(missing_ok=True)
            found = [one for one in example.run().findings if one.id == "secrets/plain-beside"]
            assert [str(one.source.file) for one in found] == [str(plain.relative_to(example.root))]
            plain.unlink()


@pytest.mark.parametrize("folder", ["secrets", "secrets/edge", "secrets/edge/wiki-live-access"])
def test_a_folder_that_is_a_link_is_refused_with_words(run: RunSecrets, example: Project, tmp_path: Path, folder: str) -> None:
    """Flux would not follow it; and what is behind it may be somebody else's."""
    (example.root / folder).rename(tmp_path / "elsewhere")
    (example.root / folder).symlink_to(tmp_path / "elsewhere")
    before = {path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()}
    status, said = run()
    assert (status, f"{folder} is a link" in said) == (1, True), said
    status, said = run("set", "wiki-settings", "A", "--stdin", given="x")
    assert (status, f"{folder} is a link" in said) == (1, True), said
    assert {path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("character", ["\\u001b[D", "\\u0007", "\\u200b"])
def test_what_an_editor_does_not_show_is_not_taken(
    run: RunSecrets, example: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, character: str
) -> None:
    """An arrow key, or a paste from a page, in the middle of a password."""
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\nsed -i \'s/SESSION_KEY:.*/SESSION_KEY: "a{character.replace(chr(92), chr(92) * 2)}b"/\' "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    before = (example.root / WIKI).read_bytes()
    status, said = run("edit", "wiki-settings")
    assert (status, "a character in it that is not seen, U+" in said) == (1, True), said
    assert (example.root / WIKI).read_bytes() == before
