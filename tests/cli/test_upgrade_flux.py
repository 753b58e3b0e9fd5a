"""`./run upgrade flux` writes whole files or none, and says which; the operator's `flux` is a stand-in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.tree.staging import scratch_of
from tests.conftest import Project

FOLDER = "clusters/edge/flux-system"
FILES = ("gotk-components.yaml", "gotk-sync.yaml", "kustomization.yaml")
FLUX = r"""#!/bin/sh
if [ "$1" = --version ]; then echo 'flux version 2.9.5'; exit; fi
printf 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: flux-system\n  labels:\n    app.kubernetes.io/version: v2.9.5\n'
"""


@pytest.fixture
def upgrades(example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    program = tmp_path / "bin" / "flux"
    program.parent.mkdir()
    program.write_text(FLUX)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return example


def test_what_a_killed_run_left_behind_stops_no_later_one(upgrades: Project) -> None:
    for name in FILES:
        left = scratch_of(upgrades.root / FOLDER / name)
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_text("half")
    assert main(["upgrade", "flux", "--project", str(upgrades.root)]) == 0
    assert sorted(one.name for one in (upgrades.root / FOLDER).iterdir()) == sorted(FILES)


def test_a_place_that_cannot_be_written_is_told_in_words(upgrades: Project, capsys: pytest.CaptureFixture[str]) -> None:
    in_the_way = scratch_of(upgrades.root / FOLDER / FILES[0])
    in_the_way.mkdir(parents=True)
    assert main(["upgrade", "flux", "--project", str(upgrades.root)]) == 1
    assert f"not written: {upgrades.root / FOLDER / FILES[0]}" in capsys.readouterr().err
    assert list((upgrades.root / FOLDER).iterdir()) == [in_the_way]
