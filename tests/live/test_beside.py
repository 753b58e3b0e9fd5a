"""The command, over an API on loopback: what it asks beside it, and that nothing else is dialled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fluxstead.assembly import Assembled
from fluxstead.cli import doctor
from fluxstead.cli.__main__ import main
from fluxstead.cli.beside import trust_of
from fluxstead.live.ways_in import Trust
from tests.conftest import Project
from tests.live.test_many import serving
from tests.live.world import healthy

pytestmark = pytest.mark.reference
ROOT = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"


def test_without_git_it_says_so_in_its_first_line(
    assembled: Assembled,
    reference: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And is well: a copy without Git is no trouble. No route is opened with `--no-hosts`."""
    monkeypatch.setattr(doctor, "answers_in", lambda *_: pytest.fail("a route was opened"))
    world = {key: of for key, of in healthy(assembled).items() if not key.startswith("nodes")}
    with serving(tmp_path, world) as (path, _):
        options = ["doctor", "--no-hosts", "--project", str(reference.root), "--kubeconfig", path]
        main(["render", "--project", str(reference.root)])
        capsys.readouterr()
        main(options)
        first = capsys.readouterr().out.splitlines()[0]
        main([*options, "--format", "json"])
        said = json.loads(capsys.readouterr().out)
    assert "not compared with Git: the folder is not in a Git repository" in first
    assert said["unread"] == "the folder is not in a Git repository"
    assert {one["kind"] for one in said["wrong"]} <= {"machine"}, "there is no machine in this one"


def test_ones_own_authority_is_taken_from_the_file_that_is_written_for_devices(assembled: Assembled, tmp_path: Path) -> None:
    """No key is opened for it; where it is not there, what is served cannot be traced to it."""
    assert trust_of(tmp_path, assembled) == Trust(known=False)
    (tmp_path / "k3s-flux-ca.crt").write_text(ROOT)
    assert trust_of(tmp_path, assembled) == Trust(ROOT)
    (tmp_path / "k3s-flux-ca.crt").write_text("no certificate")
    assert trust_of(tmp_path, assembled) == Trust(known=False)
