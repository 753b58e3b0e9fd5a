"""A `set` that is killed at any call to the system leaves the old file or the new one, whole, and the next one carries on."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluxstead.secrets.giving import chosen
from fluxstead.secrets.state import Scope
from fluxstead.secrets.vault import Vault
from fluxstead.tree.staging import SCRATCH
from tests.conftest import Project
from tests.secrets.conftest import scope_of
from tests.tree.cut_off import Counting, in_a_process

WIKI = "secrets/edge/wiki-live-access/wiki-settings.sops.yaml"


def _give(scope: Scope, values: dict[str, str]) -> None:
    Vault(scope).put(chosen(scope, "wiki-settings")[0], values)


def _killed(number: int, work: Callable[[], object], called: Path) -> None:
    write = os.write

    def at(count: int, name: str, arguments: tuple[Any, ...]) -> None:
        if count == number:
            if name == "write":
                write(arguments[0], arguments[1][: len(arguments[1]) // 2])
            called.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    Counting(at)
    work()


@pytest.mark.parametrize("there", [True, False], ids=["a change", "a new Secret"])
def test_killed_at_any_call(example: Project, tmp_path: Path, there: bool) -> None:
    """Each write, rename and sync; the list never names what is not there."""
    start, cut, called = tmp_path / "start", example.root, tmp_path / "called"
    if not there:
        (example.root / WIKI).unlink()
        (example.root / WIKI).with_name("kustomization.yaml").unlink()
    shutil.copytree(example.root / "secrets", start)
    old = (example.root / WIKI).read_bytes() if there else None
    scope, seen = scope_of(example), set()
    for number in range(1, 200):
        shutil.rmtree(cut / "secrets")
        shutil.copytree(start, cut / "secrets")
        status = in_a_process(lambda number=number: _killed(number, lambda: _give(scope, {"COLOUR": "blue"}), called))  # type: ignore[misc]
        if status == 0:
            break
        assert status == -signal.SIGKILL
        seen.add(called.read_text())
        file = cut / WIKI
        found = file.read_bytes() if file.exists() else None
        if found != old:
            assert Vault(scope).values(WIKI)["COLOUR"] == "blue"
        listing = file.with_name("kustomization.yaml")
        assert file.exists() or not listing.exists() or "wiki-settings" not in listing.read_text()
        _give(scope, {"COLOUR": "blue"})
        assert Vault(scope).values(WIKI)["COLOUR"] == "blue"
        assert "wiki-settings.sops.yaml" in listing.read_text()
        assert not [path for path in (cut / "secrets").rglob("*") if SCRATCH.fullmatch(path.name)]
    assert {"open", "write", "fsync", "replace"} <= seen
