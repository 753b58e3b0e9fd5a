"""What the tests of secrets start from: the second cluster with its ciphertext, and the operator's key on this machine."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import ToolTrouble, sops_binary
from fluxstead.secrets.vault import Vault
from tests.conftest import Project
from tests.edge_keys import OPERATOR

WIKI = "secrets/edge/wiki-live-access/wiki-settings.sops.yaml"
GRAFANA = "secrets/edge/kube-prometheus-stack/grafana-admin.sops.yaml"
RunSecrets = Callable[..., tuple[int, str]]


def has_tools() -> bool:
    """Whether the programs that do the cryptography are here: sops comes with the lock file, where it exists for the platform."""
    try:
        return bool(sops_binary()) and shutil.which("age-keygen") is not None
    except ToolTrouble:
        return False


@pytest.fixture(autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing but the operator's key; gives the file that has it."""
    if not has_tools():
        pytest.skip("sops and age-keygen are needed")
    home = tmp_path_factory.mktemp("home")
    file = home / "keys.txt"
    file.write_text(f"{OPERATOR}\n")
    for name in ("SOPS_AGE_KEY", "SOPS_AGE_KEY_CMD", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(file))
    return file


def standard_input(given: str | bytes) -> io.TextIOWrapper:
    """As Python opens it: text over bytes."""
    return io.TextIOWrapper(io.BytesIO(given if isinstance(given, bytes) else given.encode()), encoding="utf-8")


@pytest.fixture
def run(example: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunSecrets:
    """Runs one of the commands on the second cluster; gives its status and all that it said."""

    def command(*words: str, given: str | bytes = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", standard_input(given))
        capsys.readouterr()
        status = main(["secrets", *words[:1], "--project", str(example.root), *words[1:]])
        said = capsys.readouterr()
        return status, said.out + said.err

    return command


def scope_of(project: Project) -> Scope:
    """The secrets of a project as it is described now."""
    assembled = project.run().assembled
    assert assembled is not None
    return assembled.secrets


def vault_of(project: Project) -> Vault:
    """The same, to be changed."""
    return Vault(scope_of(project))
