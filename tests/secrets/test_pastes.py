"""At a terminal: what is typed or pasted is taken whole or not at all, and an editor leaves nothing behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Project
from tests.secrets.conftest import WIKI, vault_of


def _pasted(project: Project, given: bytes) -> tuple[int | None, str, bytes]:
    """The status of `set`, what it showed, and what a shell would get afterwards."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "fluxstead.cli", "secrets", "--project", str(project.root), "set", "wiki-settings", "PIN"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as running:
        said = b""
        while not said.endswith(b"PIN: "):
            said += os.read(master, 1024)
        for begin in range(0, len(given), 512):
            os.write(master, given[begin : begin + 512])
        running.wait()
    os.write(master, b"\n")
    left = os.read(slave, 4096)
    os.set_blocking(master, False)
    said += os.read(master, 65536)
    os.close(slave)
    os.close(master)
    return running.returncode, said.decode(), left


def test_a_long_line_is_taken_whole(example: Project) -> None:
    """Linux would cut it off at 4,095 signs."""
    status, said, left = _pasted(example, b"x" * 6000 + b"\n")
    assert (status, left) == (0, b"\n"), said
    assert vault_of(example).values(WIKI)["PIN"] == "x" * 6000


@pytest.mark.parametrize("given", [b"-----BEGIN KEY-----\nhunter2\nhunter2\n", b"caf\xe9\n", b"\x04"])
def test_what_cannot_be_taken_whole_is_not_taken(example: Project, given: bytes) -> None:
    """Nor does the rest go to the shell."""
    before = (example.root / WIKI).read_bytes()
    status, said, left = _pasted(example, given)
    assert (status, left) == (1, b"\n"), said
    assert "Traceback" not in said
    assert "hunter2" not in said
    assert (example.root / WIKI).read_bytes() == before


def test_what_is_corrected_while_typing_is_corrected(example: Project) -> None:
    """A letter of several bytes is one; Ctrl-U begins anew."""
    assert _pasted(example, "nein\x15zwölff\x7f\x7f\x7f\x7fö\n".encode())[0] == 0
    assert vault_of(example).values(WIKI)["PIN"] == "zwö"


def _folder(at: Path) -> Path:
    """The run's own folder in memory, of the file that its editor was given; others' runs have theirs at the same time."""
    return next(one for one in Path(at.read_text().strip()).parents if one.name.startswith("fluxstead-edit-"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_an_editor_that_is_cut_off_leaves_no_plain_text(example: Project, tmp_path: Path, number: int) -> None:
    """After a kill, the next edit removes it."""
    at, later = tmp_path / "at", tmp_path / "later"
    command = [sys.executable, "-m", "fluxstead.cli", "secrets", "--project", str(example.root), "edit", "wiki-settings"]
    editor = f"sh -c 'echo $0 > {at}; echo $$ > {tmp_path}/shell; exec sleep 60'"
    with subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, "EDITOR": editor}, stderr=subprocess.PIPE) as running:
        while not at.exists() or not at.read_text().strip():
            assert running.poll() is None
            time.sleep(0.02)
        assert Path(at.read_text().strip()).is_file()
        running.send_signal(number)
        os.kill(int((tmp_path / "shell").read_text()), signal.SIGTERM)
    assert running.returncode != 0
    assert _folder(at).exists() is (number == signal.SIGKILL)
    editor = f"sh -c 'echo $0 > {later}'"
    subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "EDITOR": editor}, check=True, capture_output=True)
    assert not _folder(at).exists()
    assert not _folder(later).exists()
