"""Files that nothing lists: what is in Git's index is looked at, and nothing else."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from fluxstead.checks.outside import listed
from fluxstead.checks.outside.listed import Listed
from fluxstead.checks.outside.rules import OF_FILES
from fluxstead.checks.rule import Remark, run
from fluxstead.cli import REPOSITORY
from fluxstead.cli.__main__ import main
from fluxstead.core.findings import Finding
from tests.checks.planted import WEB, layer
from tests.checks.repository import git

pytestmark = pytest.mark.usefixtures("somebody")
_AGE = "AGE-SECRET" + "-KEY-1QYQSZQGPQYQSZQGPZ3X4C5"
_PEM = "-----BEGIN EC PRIVATE " + "KEY-----\nMHcCAQEEIDx8Zk2n4XyAbCd0\n"
_KUBECONFIG = f"apiVersion: v1\nkind: Config\nusers:\n- user: {{client-key-data: {base64.b64encode(_PEM.encode()).decode()}}}\n"
_URL = "postgres://web:" + "tr0ub4dor@db"
_SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"  # noqa: S105 -- it holds none


def said(root: Path, files: dict[str, str], *known: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The places of what is found in committed files, and what was not checked."""
    git(root, "init", "-q")
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "add", "-A")
    told = list(run(Listed(root, frozenset(known)), OF_FILES))
    found = sorted(one for one in told if isinstance(one, Finding))
    assert not any(word in one.text() for one in found for word in (_AGE, "hunter2", "tr0ub4dor", "MHcC"))
    places = [(one.id.removeprefix("secrets/"), str(one.source)) for one in found]
    return places, [one.text for one in told if isinstance(one, Remark)]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("age.agekey", f"# created: today\n{_AGE}\n", [("in-file", "age.agekey:2")]),
        (".ssh/id_ed25519", _PEM, [("in-file", ".ssh/id_ed25519:1")]),
        ("kubeconfig", _KUBECONFIG, [("in-file", "kubeconfig:4")]),
        ("kubeconfig", "kind: Config\nusers:\n- user:\n    password: hunter2\n", [("suspected-in-file", "kubeconfig:4")]),
        (".env", "A=1\nDB_PASSWORD=hunter2\nAPI_TOKEN=c0ffee\n", [("suspected-in-file", ".env:2")]),
        ("join.sh", f"curl {_URL}\nexport K3S_TOKEN=c0ffee\n", [("in-file", "join.sh:1"), ("suspected-in-file", "join.sh:2")]),
        ("k3s/config.yaml", "token: c0ffee\n", [("suspected-in-file", "k3s/config.yaml:1")]),
        ("a.yaml", f"{_SECRET}stringData: {{password: hunter2}}\n", [("in-file", "a.yaml:1")]),
        ("a.yaml", f"{_SECRET}data: {{password: aHVudGVyMg==}}\n", [("in-file", "a.yaml:1")]),
        ("a.yaml", f"{_SECRET}stringData: {{password: changeit}}\n", [("suspected-in-file", "a.yaml:1")]),
        ("a.yaml", f"{_SECRET}stringData: {{password: 'ENC[x]'}}\nsops: {{}}\n", []),
        ("README.md", f"Use {_URL} for the database.\n", []),
        ("README.md", f"{_AGE}\n", [("suspected-in-file", "README.md:1")]),
        (".env.example", "DB_PASSWORD=hunter2\n", []),
        ("tests/a_test.go", f'"{_URL}"\n', []),
        ("chart/values.yaml", "password: hunter2\n", []),
        (".github/workflows/a.yaml", "token: hunter2\n", []),
        ("run.sh", 'PASSWORD=$1\nTOKEN=$(cat /run/token)\nif [ -z "$TOKEN" ]; then exit; fi\n', []),
    ],
)
def test_what_whoever_clones_it_can_read(tmp_path: Path, path: str, text: str, expected: list[tuple[str, str]]) -> None:
    """F22: the cluster never sees these files, and everybody else does."""
    assert said(tmp_path, {path: text}) == (expected, [])


def test_what_is_not_looked_at(tmp_path: Path) -> None:
    """What others look at, what is ignored or too long, links, pipes, and files that are gone."""
    files = {".gitignore": "b.agekey\n", "b.agekey": _AGE, "c.agekey": _AGE, "d.agekey": "x" * 2**20 + _AGE, "e.agekey": "a"}
    (tmp_path / "f.agekey").symlink_to("b.agekey")
    assert said(tmp_path, files, "c.agekey") == ([], [])
    (tmp_path / "e.agekey").unlink()
    os.mkfifo(tmp_path / "e.agekey")
    (tmp_path / "c.agekey").unlink()
    git(tmp_path, "rm", "-q", "--cached", "c.agekey", "d.agekey")
    (tmp_path / "d.agekey").unlink()
    assert not list(run(Listed(tmp_path, frozenset()), OF_FILES))


def test_an_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository may have any number of files."""
    monkeypatch.setattr(listed, "_MOST_FILES", 2)
    _, remarks = said(tmp_path, {f"{name}.txt": "x" for name in "abcd"})
    assert remarks == ["not checked: secrets in 2 files that nothing lists, from c.txt on: too many"]


def test_without_git_it_is_said(tmp_path: Path) -> None:
    """There is no index to ask."""
    [remark] = run(Listed(tmp_path, frozenset()), OF_FILES)
    assert isinstance(remark, Remark)


def test_a_tree_that_people_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`./run check --tree` looks at it."""
    said(tmp_path, {**layer("web", WEB), "age.agekey": _AGE})
    assert main(["check", "--tree", str(tmp_path), "--entry", "clusters/home"]) == 1
    assert "[secrets/in-file] age.agekey holds" in capsys.readouterr().err


def test_a_key_that_is_not_added_yet_or_only_staged_is_found(tmp_path: Path) -> None:
    """F22: the next commit would have it. What Git ignores, it does not take."""
    git(tmp_path, "init", "-q")
    (tmp_path / "staged.agekey").write_text(f"{_AGE}\n")
    git(tmp_path, "add", "-A")
    (tmp_path / "staged.agekey").write_text("nothing\n")
    (tmp_path / "new.agekey").write_text(f"# created\n{_AGE}\n")
    (tmp_path / "mine.agekey").write_text(f"{_AGE}\n")
    (tmp_path / ".gitignore").write_text("mine.agekey\n")
    found = sorted(one for one in run(Listed(tmp_path, frozenset()), OF_FILES) if isinstance(one, Finding))
    assert [(one.id, str(one.source)) for one in found] == [
        ("secrets/in-file", "new.agekey:2"),
        ("secrets/in-file", "staged.agekey:1"),
    ]


def test_of_this_repository_itself_nothing_is_told() -> None:
    """What its tests need of this kind is put together when they run."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("no repository")
    described = frozenset(path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.rglob("Pulumi.*.yaml"))
    assert not [one.text() for one in run(Listed(REPOSITORY, described), OF_FILES) if isinstance(one, Finding)]
