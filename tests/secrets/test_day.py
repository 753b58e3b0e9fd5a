"""A day of use in Git: no value in what is committed, and only the lines that had to change (failures U11 and F22)."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.secrets.tools import new_key
from tests.conftest import Project
from tests.secrets.conftest import scope_of, standard_input
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
    example: Project, commit: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flux has the commit, and not the working tree."""
    old = scope_of(example).settings.cluster[0]
    run(example, monkeypatch, "recipients", "add", "--cluster")
    assert main(["secrets", "recipients", "remove", old, "--project", str(example.root)]) == 1
    assert "is for none of the keys that stay" in capsys.readouterr().err
    commit("a second key")
    run(example, monkeypatch, "recipients", "remove", old)
    [left] = scope_of(example).settings.cluster
    assert left != old
    assert main(["secrets", "recipients", "remove", left, "--project", str(example.root)]) == 1
    assert "would have no key" in capsys.readouterr().err


def test_what_was_cut_off_is_completed_by_the_same_command(example: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is in the cluster's Secret, and not yet in the description, is taken again."""
    text = example.stack_file.read_text()
    run(example, monkeypatch, "recipients", "add", "--cluster")
    added = scope_of(example).settings.cluster
    example.stack_file.write_text(text)
    run(example, monkeypatch, "recipients", "add", "--cluster")
    assert scope_of(example).settings.cluster == added
