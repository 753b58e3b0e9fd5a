"""A day of use in Git: no value in what is committed, and only the lines that had to change (failures U11 and F22)."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.secrets.identities import cluster_file
from fluxstead.secrets.tools import new_key, recipients_of
from fluxstead.secrets.vault import texts_in
from fluxstead.tree.lock import locked
from tests.conftest import REPOSITORY, Project
from tests.edge_keys import CLUSTER, OFFLINE
from tests.secrets.conftest import WIKI, scope_of, standard_input, vault_of
from tests.secrets.test_guard import git

VALUES = ("first-value-of-the-day", "second-value-of-the-day", "a-third-one-of-the-day")


@pytest.fixture
def commit(example: Project) -> Callable[[str], str]:
    """Commits everything, and gives what the commit changes."""
    git(example.root, "init", "-q", "-b", "main")

    def all_of_it(message: str) -> str:
        assert git(example.root, "add", "-A").returncode == 0
        assert git(example.root, "commit", "-qm", message).returncode == 0
        return git(example.root, "show", "--format=", "-U0", "HEAD").stdout

    all_of_it("as it was")
    return all_of_it


def run(project: Project, monkeypatch: pytest.MonkeyPatch, *words: str, given: str = "") -> None:
    """One command, which succeeds."""
    monkeypatch.setattr(sys, "stdin", standard_input(given))
    assert main(["secrets", words[0], "--project", str(project.root), *words[1:]]) == 0


def changed(diff: str) -> list[str]:
    """The keys of the lines that a commit adds or changes; without sops' date, which within a second stays the same."""
    lines = (line[1:].strip() for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++"))
    return [key for key in (line.split(":")[0] for line in lines) if key != "lastmodified"]


def test_a_day_of_use_shows_no_value_and_only_what_had_to_change(
    example: Project, commit: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given, given again, changed, made, taken away; a person comes, and one goes."""
    _, other = new_key()
    run(example, monkeypatch, "set", "wiki-settings", "TOKEN", "--stdin", given=VALUES[0])
    assert changed(commit("a value")) == ["TOKEN", "mac"]
    run(example, monkeypatch, "set", "wiki-settings", "TOKEN", "--stdin", given=VALUES[0])
    assert not git(example.root, "status", "--porcelain").stdout
    run(example, monkeypatch, "set", "wiki-settings", "TOKEN", "--stdin", given=VALUES[1])
    assert changed(commit("another")) == ["TOKEN", "mac"]
    run(example, monkeypatch, "set", "grafana-admin", "admin-password", "--generate")
    assert changed(commit("a password")) == ["admin-password", "mac"]
    run(example, monkeypatch, "unset", "wiki-settings", "TOKEN")
    assert changed(commit("taken away")) == ["mac"]
    run(example, monkeypatch, "recipients", "add", other)
    assert not {"TOKEN", "SESSION_KEY", "admin-user", "mac"} & set(changed(commit("a person"))), "values keep their bytes"
    run(example, monkeypatch, "recipients", "remove", other)
    assert {"SESSION_KEY", "admin-user", "mac"} <= set(changed(commit("a person is gone"))), "under a new data key"
    run(example, monkeypatch, "set", "wiki-settings", "TOKEN", "--stdin", given=VALUES[2])
    commit("a third")
    history = git(example.root, "log", "-p", "--all").stdout
    assert len(history) > 10_000
    assert not [
        value for value in (*VALUES, "AGE-SECRET-KEY", "postgres://wiki@") if value in history.replace("tests/edge_keys", "")
    ]


def test_a_second_run_of_everything_changes_nothing(
    example: Project, commit: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """U11: what was the best peer's failure."""
    run(example, monkeypatch, "init")
    commit("the rules")
    for _ in range(2):
        run(example, monkeypatch, "init")
        run(example, monkeypatch, "recipients", "update")
        assert main(["secrets", "--project", str(example.root)]) == 0
    assert not git(example.root, "status", "--porcelain").stdout


def test_a_file_that_is_gone_is_an_error_where_the_cluster_applies_it(
    example: Project, commit: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F3: its list would leave it out, and Flux would delete the running Secret."""
    assert main(["render", "--project", str(example.root)]) == 0
    commit("the tree")
    [file] = example.root.glob("secrets/edge/*/wiki-settings.sops.yaml")
    file.unlink()
    assert "moves/secret" in {finding.id for finding in example.run().findings}
    assert main(["render", "--project", str(example.root)]) == 1
    git(example.root, "checkout", "-q", "HEAD", "--", ".")
    assert "moves/secret" not in {finding.id for finding in example.run().findings}
    run(example, monkeypatch, "unset", "wiki-settings", "SESSION_KEY")
    assert main(["render", "--project", str(example.root)]) == 0


def test_the_old_key_stays_as_long_as_what_is_committed_needs_it(
    example: Project,
    commit: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Flux has the commit, and not the working tree."""
    old = scope_of(example).settings.cluster[0]
    run(example, monkeypatch, "recipients", "add", "--cluster")
    assert main(["secrets", "recipients", "remove", old, "--project", str(example.root)]) == 1
    assert "is for none of the keys that stay" in capsys.readouterr().err
    commit("a second key")
    words = ["secrets", "recipients", "remove", old, "--project", str(example.root)]
    assert main(words) == 1
    assert "Git does not say what is in @{upstream}" in capsys.readouterr().err
    assert git(example.root, "clone", "-q", "--bare", ".", "up").returncode == 0
    assert git(example.root, "remote", "add", "origin", "up").returncode == 0
    git(example.root, "fetch", "-q", "origin")
    assert git(example.root, "branch", "-q", "--set-upstream-to", "origin/main").returncode == 0
    _kubectl(tmp_path, monkeypatch, {"age.agekey": CLUSTER})
    assert main(words) == 1
    assert "has none of the keys that stay" in capsys.readouterr().err
    kept = texts_in(vault_of(example).own.opened((example.root / cluster_file(scope_of(example))).read_text()))
    _kubectl(tmp_path, monkeypatch, kept)
    run(example, monkeypatch, "recipients", "remove", old)
    [left] = scope_of(example).settings.cluster
    assert left != old
    assert main(["secrets", "recipients", "remove", left, "--project", str(example.root)]) == 1
    assert "would have no key" in capsys.readouterr().err


def _kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, held: dict[str, str]) -> None:
    """A stand-in that answers what the API server would of the Secret that Flux decrypts with."""
    data = {name: base64.b64encode(key.encode()).decode() for name, key in held.items()}
    kubectl = folder / "bin/kubectl"
    kubectl.parent.mkdir(exist_ok=True)
    kubectl.write_text(f"#!/bin/sh\ncat <<'E'\n{json.dumps({'kind': 'Secret', 'data': data})}\nE\n")
    kubectl.chmod(0o755)
    if str(kubectl.parent) not in os.environ["PATH"]:
        monkeypatch.setenv("PATH", f"{kubectl.parent}:{os.environ['PATH']}")


def test_without_git_or_kubectl_a_person_has_to_know(
    example: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No silence where nothing could be asked."""
    old = scope_of(example).settings.cluster[0]
    run(example, monkeypatch, "recipients", "add", "--cluster")
    before = example.stack_file.read_text()
    assert main(["secrets", "recipients", "remove", old, "--project", str(example.root)]) == 1
    assert "Git does not say what is in HEAD" in capsys.readouterr().err
    assert example.stack_file.read_text() == before
    run(example, monkeypatch, "recipients", "remove", old, "--handed-over")
    assert old not in scope_of(example).settings.cluster


def test_who_was_taken_out_of_the_description_reads_nothing_new(example: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `check` says to type: under the old data key, which that person has, all later values would be theirs, too."""
    [gone] = recipients_of(OFFLINE)
    former = (example.root / WIKI).read_text()
    example.replace("Pulumi.edge.yaml", f"      - {gone}\n", "")
    run(example, monkeypatch, "recipients", "update")
    text = (example.root / WIKI).read_text()
    assert gone not in text
    values = [re.findall(r"(?m)^  SESSION_KEY: .*", one) for one in (former, text)]
    assert values[0] != values[1], "the value is under another data key"


def test_a_cluster_key_taken_out_by_hand_is_guarded_as_well(
    example: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`update` is the same step by another name."""
    run(example, monkeypatch, "recipients", "add", "--cluster")
    old = scope_of(example).settings.cluster[0]
    example.replace("Pulumi.edge.yaml", f"      - {old}\n", "")
    before = (example.root / WIKI).read_bytes()
    assert main(["secrets", "recipients", "update", "--project", str(example.root)]) == 1
    assert "Git does not say" in capsys.readouterr().err
    assert (example.root / WIKI).read_bytes() == before


@pytest.mark.parametrize("words", [("recipients", "add"), ("init", "--offline")])
def test_the_clusters_key_is_no_persons(example: Project, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """It would read what protects it; the description is refused, too."""
    [own] = recipients_of(CLUSTER)
    if words[0] == "init":
        text = example.stack_file.read_text()
        example.stack_file.write_text(re.sub(r"(?m)^    people:.*\n(      - .*\n){2}", "", text))
    before = example.stack_file.read_text()
    assert main(["secrets", *words, own, "--project", str(example.root)]) == 1
    assert "is the cluster's own key" in capsys.readouterr().err
    assert example.stack_file.read_text() == before
    example.stack_file.write_text(before.replace("    cluster:\n", f"    people: [{own}]\n    cluster:\n"))
    if words[0] == "init":
        assert "among the people and among the cluster's keys" in str(example.run().findings)


def test_a_description_that_cannot_be_written_stops_before_any_ciphertext(
    example: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the files would be for others than the description says."""
    [gone] = recipients_of(OFFLINE)
    example.stack_file.rename(example.root / "elsewhere")
    example.stack_file.symlink_to("elsewhere")
    before = (example.root / WIKI).read_bytes()
    assert main(["secrets", "recipients", "remove", gone, "--project", str(example.root)]) == 1
    assert "is left as it is" in capsys.readouterr().err
    assert (example.root / WIKI).read_bytes() == before


def test_what_two_runs_describe_at_once_is_both_there(example: Project) -> None:
    """The description is read once the lock is held."""
    others = [new_key()[1] for _ in range(2)]
    command = [sys.executable, "-m", "fluxstead.cli", "secrets", "recipients", "add"]
    with locked(example.root, alone=True, say=print):
        runs = [
            subprocess.Popen([*command, one, "--project", str(example.root)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
            for one in others
        ]
        for run_ in runs:
            assert run_.stderr is not None
            assert "waiting for" in run_.stderr.readline()
    assert [one.wait() for one in runs] == [0, 0]
    assert set(others) <= set(scope_of(example).settings.people)


def test_what_was_cut_off_is_completed_by_the_same_command(example: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is in the cluster's Secret, and not yet in the description, is taken again."""
    text = example.stack_file.read_text()
    run(example, monkeypatch, "recipients", "add", "--cluster")
    added = scope_of(example).settings.cluster
    example.stack_file.write_text(text)
    run(example, monkeypatch, "recipients", "add", "--cluster")
    assert scope_of(example).settings.cluster == added
