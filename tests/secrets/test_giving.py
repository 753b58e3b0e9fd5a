"""What may be given: names that keys may have, and values that stay what they are."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml

from tests.conftest import Project
from tests.secrets.conftest import GRAFANA, WIKI, RunSecrets, vault_of

KEYSTORE = b"\xff\xfe\x00\x01"


def _plain(folder: Path, **parts: object) -> str:
    """A manifest of the wiki's Secret."""
    file = folder / "plain.yaml"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "wiki-settings", "namespace": "wiki-live"}, **parts}
    file.write_text(json.dumps(secret))
    return str(file)


@pytest.mark.parametrize("name", ["TOKEN=hunter2", "a b", "", "café", "../x", "..", "x\ny", "hunter2!"])
@pytest.mark.parametrize("way", ["set", "import"])
def test_a_name_that_no_key_may_have_is_refused(run: RunSecrets, example: Project, tmp_path: Path, name: str, way: str) -> None:
    """It is often a value in the wrong place, and so is not said again."""
    before = (example.root / WIKI).read_bytes()
    words = ["set", "wiki-settings", name, "--generate"] if way == "set" else ["import", _plain(tmp_path, stringData={name: "x"})]
    status, said = run(*words)
    assert (status, "a value is never an argument" in said or "no name that a key may have" in said) == (1, True), said
    assert "hunter2" not in said
    assert (example.root / WIKI).read_bytes() == before


def test_what_is_no_text_stays_what_it_is(run: RunSecrets, example: Project, tmp_path: Path) -> None:
    """A keystore, from a Secret and from a file; beside text, and in place of text."""
    assert run("import", _plain(tmp_path, data={"ks": base64.b64encode(KEYSTORE).decode(), "t": "dGV4dA=="}))[0] == 0
    (tmp_path / "store.jks").write_bytes(KEYSTORE)
    assert run("set", "wiki-settings", "SESSION_KEY", "--file", str(tmp_path / "store.jks"))[0] == 0
    opened = vault_of(example).sops.opened((example.root / WIKI).read_text())
    assert [base64.b64decode(opened["data"][key]) for key in ("ks", "SESSION_KEY")] == [KEYSTORE] * 2
    assert "SESSION_KEY" not in opened["stringData"], "which would win"
    assert opened["stringData"]["t"] == "text"
    assert run("set", "wiki-settings", "ks", "--stdin", given="text again")[0] == 0
    assert vault_of(example).values(WIKI)["ks"] == "text again"
    (example.root / GRAFANA).unlink()
    status, said = run("set", "grafana-admin", "admin-user", "--file", str(tmp_path / "store.jks"))
    assert (status, "is not text" in said) == (1, True)


@pytest.mark.parametrize(
    ("yaml_text", "says"),
    [
        ("stringData: {K: 012}", "K under stringData is not text"),
        ("stringData: {K: yes}", "K under stringData is not text"),
        ("stringData: {K: {a: b}}", "K under stringData is not text"),
        ("data: {K: not base64!}", "K under data is not base64"),
        ("data: {K: 1234}", "K under data is not base64"),
        ("data: {}", "has no values there"),
        ("data: [a]", "has no values there"),
    ],
)
def test_what_the_api_server_would_refuse_is_not_taken_over(
    run: RunSecrets, example: Project, tmp_path: Path, yaml_text: str, says: str
) -> None:
    """Nor guessed at: YAML may have changed it already."""
    file, before = tmp_path / "plain.yaml", (example.root / WIKI).read_bytes()
    file.write_text(f"kind: Secret\nmetadata: {{name: wiki-settings, namespace: wiki-live}}\n{yaml_text}\n")
    status, said = run("import", str(file))
    assert (status, says in said) == (1, True), said
    assert (example.root / WIKI).read_bytes() == before


def test_of_several_all_are_looked_at_before_one_is_written(run: RunSecrets, example: Project, tmp_path: Path) -> None:
    """The second is needed by nobody; a List has Secrets, too."""
    known = yaml.safe_load(Path(_plain(tmp_path, stringData={"A": "x"})).read_text())
    other = {**known, "metadata": {"name": "nobody", "namespace": "wiki-live"}}
    file, before = tmp_path / "several.yaml", (example.root / WIKI).read_bytes()
    file.write_text(f"---\n{json.dumps(known)}\n---\n{json.dumps(other)}\n")
    status, said = run("import", str(file))
    assert (status, "wiki-live/nobody" in said) == (1, True), said
    assert (example.root / WIKI).read_bytes() == before
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [known]}))
    assert run("import", str(file))[0] == 0
    assert vault_of(example).values(WIKI)["A"] == "x"


@pytest.mark.parametrize("change", ["s/name: wiki-settings/name: other/", "s/SESSION_KEY:/'a b':/"])
def test_an_edit_of_what_may_not_be_so_is_not_taken(
    run: RunSecrets, example: Project, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Another Secret, or a name that no key may have: Flux would apply nothing of the layer."""
    monkeypatch.setenv("EDITOR", f'sed -i "{change}"')
    before = (example.root / WIKI).read_bytes()
    status, said = run("edit", "wiki-settings")
    assert (status, "nothing is taken" in said or "no name that a key may have" in said) == (1, True), said
    assert (example.root / WIKI).read_bytes() == before


def test_text_that_is_not_utf8_is_refused(run: RunSecrets, example: Project) -> None:
    """It would become another text."""
    before = (example.root / WIKI).read_bytes()
    status, said = run("set", "wiki-settings", "NAME", "--stdin", given=b"caf\xe9")
    assert (status, "is not UTF-8" in said) == (1, True), said
    assert (example.root / WIKI).read_bytes() == before
