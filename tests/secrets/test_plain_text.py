"""No plain text on the disk, in an argument or on a socket: every program that a command starts is watched by the kernel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Project

MARK = "plain-text-marker-7f3a9c"
"""What every value given here holds."""
pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is needed")
_PIPES = re.compile(r"\d+<(?:pipe|anon_inode|/dev/(?:pts|tty|null)|char)")


def traced(folder: Path, project: Project, words: Sequence[str], *, given: str = "", editor: str = "true") -> list[str]:
    """The system calls of a command and of all that it starts which hand the marked value to anything but a pipe or memory.

    `-y` names what a descriptor is; strings are written whole.
    """
    log = folder / "trace"
    command = [sys.executable, "-m", "fluxstead.cli", "secrets", words[0], "--project", str(project.root), *words[1:]]
    watch = ["strace", "-f", "-y", "-s", "100000", "-e", "trace=execve,write,writev,pwrite64,pwritev,sendto,sendmsg,openat,rename"]
    done = subprocess.run(
        [*watch, "-o", str(log), *command],
        cwd=REPOSITORY,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "EDITOR": editor, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    assert MARK not in done.stdout + done.stderr
    lines = log.read_text(errors="replace").splitlines()
    assert any("execve(" in line and "/sops" in line for line in lines), "sops was not seen"
    return [line for line in lines if MARK in line]


def leaks(lines: Sequence[str], allowed: str = "") -> list[str]:
    """Those that are not writes to a pipe, nor to a file in memory below `allowed`."""
    return [
        line[:300]
        for line in lines
        if not re.search(rf"(?:write|writev)\({_PIPES.pattern}", line) and not (allowed and re.search(rf"\(\d+<{allowed}", line))
    ]


def test_a_value_reaches_sops_through_a_pipe_and_nothing_else(example: Project, tmp_path: Path) -> None:
    """From standard input: there is a write that is seen, so the watch sees what it should."""
    seen = traced(tmp_path, example, ["set", "wiki-settings", "TOKEN", "--stdin"], given=MARK)
    assert any("write(" in line for line in seen)
    assert not leaks(seen)


def test_a_new_secret_leaves_none_either(example: Project, tmp_path: Path) -> None:
    """The whole Secret is encrypted at once."""
    (example.root / "secrets/edge/wiki-live-access/wiki-settings.sops.yaml").unlink()
    seen = traced(tmp_path, example, ["set", "wiki-settings", "TOKEN", "--stdin"], given=MARK)
    assert seen
    assert not leaks(seen)


def test_what_a_cluster_begins_with_leaves_none(example: Project, tmp_path: Path) -> None:
    """A token, and a login that several Secrets share: what one has reaches the others in memory."""
    example.replace("Pulumi.edge.yaml", "    nodeCidr: ", f"    binaries: {{amd64: {'ab' * 32}}}\n    nodeCidr: ")
    example.replace("Pulumi.edge.yaml", "    - name: sensors\n", "    - name: sensors\n      imagePullSecrets: [registry]\n")
    assert not leaks(traced(tmp_path, example, ["set", "k3s-token", "--stdin"], given=MARK))
    login = f'{{"auths": {{"registry.example.test": {{"auth": "{MARK}"}}}}}}'
    assert not leaks(traced(tmp_path, example, ["set", "registry", "--stdin"], given=login))
    (example.root / "secrets/edge/sensors-trial-access/registry.sops.yaml").unlink()
    assert not leaks(traced(tmp_path, example, ["set", "registry"]))


def test_reading_and_rotating_leave_none(example: Project, tmp_path: Path) -> None:
    """Values are decrypted in memory only."""
    traced(tmp_path, example, ["set", "wiki-settings", "TOKEN", "--stdin"], given=MARK)
    for words in (["recipients", "add", "--cluster"], ["import", str(_plain(tmp_path))]):
        seen = traced(tmp_path, example, words)
        assert not leaks(seen)


def _plain(folder: Path) -> Path:
    file = folder / "plain.yaml"
    file.write_text(f"kind: Secret\nmetadata: {{name: wiki-settings, namespace: wiki-live}}\nstringData: {{OTHER: {MARK}}}\n")
    return file


def test_an_editor_has_it_in_memory_only(example: Project, tmp_path: Path) -> None:
    """sops writes a file for it: below a folder that no disk has."""
    traced(tmp_path, example, ["set", "wiki-settings", "TOKEN", "--stdin"], given=MARK)
    seen = traced(tmp_path, example, ["edit", "wiki-settings"], editor="sed -i s/x/x/")
    assert seen, "the editor's file was not seen"
    assert not leaks(seen, r"(?:/dev/shm|/run/user)/")


def test_the_watch_would_see_a_leak(tmp_path: Path) -> None:
    """A program that writes it to a file, and one that has it as an argument."""
    log = tmp_path / "trace"
    watch = ["strace", "-f", "-y", "-s", "1000", "-e", "trace=execve,write", "-o", str(log)]
    subprocess.run([*watch, "sh", "-c", f"echo {MARK} > {tmp_path}/leak; echo {MARK} | cat"], check=True, capture_output=True)
    found = leaks([line for line in log.read_text().splitlines() if MARK in line])
    assert any("execve" in line for line in found)
    assert any("/leak" in line for line in found)
