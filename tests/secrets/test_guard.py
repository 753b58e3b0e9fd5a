"""The hook: what is staged and must not be committed is refused, whatever the working tree holds; what is encrypted is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fluxstead.secrets.guard import wrong_in
from tests.conftest import REPOSITORY
from tests.edge_keys import CLUSTER

OPENING = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n"
SOPS = "sops:\n  mac: ENC[x]\n"


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("a.agekey", f"# created\n{CLUSTER}\n", "a.agekey:2: a private key of age"),
        ("notes.txt", f"key = '{CLUSTER}'\n", "a private key of age"),
        ("s.yaml", f"{OPENING}  password: hunter2\n", "s.yaml:6: Secret key password is in plain text:"),
        ("s.yaml", f"{OPENING}  a: ENC[AES256_GCM,x]\n  b: hunter2\n{SOPS}", "s.yaml:7: Secret key b is in plain text beside"),
        ("s.yaml", f"{OPENING}  b: |\n    long\n    text\n", "Secret key b is in plain text"),
        ("s.yaml", f"kind: ConfigMap\ndata:\n  b: x\n---\n{OPENING}  c: x\n", "s.yaml:10: Secret key c"),
        ("s.yaml", f"{OPENING.replace('stringData', 'data')}  c: aHVudGVyMg==\n", "Secret key c"),
        ("secrets/x/y/z.sops.yaml", "kind: Thing\n", "is not encrypted"),
        ("deploy.sh", "export T=ghp" + "_0123456789abcdefghij0123456789ab\n", "a GitHub token"),
        ("s.json", '{"kind": "Secret", "stringData": {"password": "hunter2"}}', "Secret key password is in plain text"),
        ("s.yaml", "{kind: Secret, stringData: {password: hunter2}}", "Secret key password is in plain text"),
        ("clusters/test/db.yaml", f"{OPENING}  password: hunter2\n", "Secret key password is in plain text"),
        ("apps/docs/db.yaml", f"{OPENING}  password: hunter2\n", "Secret key password is in plain text"),
        ("secrets/home/fixtures/db.yaml", f"{OPENING}  password: hunter2\n", "Secret key password is in plain text"),
        ("dump.txt", f"{'x' * 80}\n" * 20_000 + CLUSTER, "dump.txt:20001: a private key of age"),
        ("s.yaml", f"{OPENING}  big: {'x' * 1024**2}\n  password: hunter2\n", "Secret key password is in plain text"),
        ("DB.YAML", f"{OPENING}  password: hunter2\n", "Secret key password is in plain text"),
        ("s.yaml", f"{OPENING}  password: hunter2\n  : [\n", "s.yaml:6: a key of a Secret is in plain text"),
        ("s.yaml", "kind: Secret\n\t: [\n", "it has a Secret and is not YAML"),
        (
            "kustomization.yaml",
            "secretGenerator:\n- name: a\n  literals: [password=hunter2]\n",
            ":3: password of a",
        ),
        ("a.agekey", CLUSTER.lower(), "a private key of age"),
        ("core", f"\0\0{CLUSTER}\0", "a private key of age"),
        ("s.yaml", "kind: Secret\nstringData: {password: hunter2}\n", "Secret key password is in plain text"),
        ("s.yaml", "items:\n- kind: Secret\n  stringData:\n    password: hunter2\n", "Secret key password is in plain text"),
    ],
)
def test_what_must_not_be_committed_is_named(path: str, text: str, says: str) -> None:
    """File, line, what it is, and what to type; never the value."""
    found = "\n".join(wrong_in(path, text))
    assert says in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("s.yaml", f"{OPENING}  a: ENC[AES256_GCM,x]\n  b: ''\n  c: null\n{SOPS}"),
        ("s.yaml", f"{OPENING}  password: ${{PASSWORD}}\n"),
        ("s.yaml", "kind: ConfigMap\ndata:\n  password: see the page\n"),
        ("s.yaml", "kind: SecretStore\nspec:\n  data: x\n"),
        ("docs/tasks/secrets.md", f"```yaml\n{OPENING}  password: hunter2\n```\n"),
        ("keys.py", f'CLUSTER = "{CLUSTER}"  # gitleaks:allow\n'),
        ("README.md", "age-keygen prints AGE-SECRET-KEY-1…\n"),
        ("image.png", "\0AGE"),
        ("charts/a/templates/s.yaml", f"{{{{- if .Values.a }}}}\n{OPENING}  password: {{{{ .Values.password | quote }}}}\n"),
        ("kustomization.yaml", "secretGenerator:\n- name: a\n  literals: ['password=${PASSWORD}']\n  files: [a.env]\n"),
    ],
)
def test_what_may_be_committed_is_let_through(path: str, text: str) -> None:
    """A hook that cries wolf is switched off."""
    assert not list(wrong_in(path, text))


def test_every_file_of_this_repository_may_be_committed() -> None:
    """Over a thousand files that people wrote."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    files = [path for path in listed.split("\0") if path and (REPOSITORY / path).is_file()]
    assert len(files) > 500
    found = [line for path in files for line in wrong_in(path, (REPOSITORY / path).read_text(errors="replace"))]
    assert not [line for line in found if not line.startswith("tests/")]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the hook."""
    git(tmp_path, "init", "-q")
    done = _guard(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "./run check" in done.stdout
    return tmp_path


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As a person."""
    own = ("-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", "-C", str(folder), *own, *words], capture_output=True, text=True, check=False)


def _guard(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fluxstead.cli", "secrets", "guard", "--project", str(folder), *words]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_the_hook_stops_a_commit_by_what_is_staged(repository: Path) -> None:
    """Not by what the file holds by now."""
    file = repository / "s.yaml"
    file.write_text(f"{OPENING}  password: hunter2\n")
    git(repository, "add", ".")
    file.write_text("kind: ConfigMap\n")
    done = git(repository, "commit", "-qm", "a")
    assert done.returncode != 0
    assert "s.yaml:6: Secret key password is in plain text" in done.stderr
    git(repository, "add", ".")
    assert git(repository, "commit", "-qm", "a").returncode == 0


def test_a_hook_of_ones_own_is_kept(repository: Path) -> None:
    """What to add to it is said."""
    hook = repository / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 0\n")
    done = _guard(repository)
    assert "add this line to it" in done.stdout
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


def test_a_folder_of_hooks_that_others_use_is_named(repository: Path) -> None:
    """The hook then runs before every commit of theirs, too."""
    git(repository, "config", "core.hooksPath", str(repository / "shared"))
    assert "for every repository whose core.hooksPath" in _guard(repository).stdout


def test_the_hook_imports_next_to_nothing() -> None:
    """It runs before every commit: neither the models nor YAML are loaded."""
    program = (
        "import sys; from fluxstead.cli.__main__ import main; main(['secrets', 'guard', '--staged', '--project', '.']);"
        "print(sorted({'yaml', 'pydantic', 'fluxstead.roster', 'fluxstead.assembly'} & sys.modules.keys()), len(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[] ")
