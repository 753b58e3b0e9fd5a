"""Images that lie in a folder, into containerd."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .children import say
from .places import CONTAINERD, PROGRAMS


def ctr(*words: str) -> list[str]:
    """The command that asks this machine's containerd."""
    return [str(PROGRAMS / "ctr"), "--address", str(CONTAINERD), "--namespace", "k8s.io", *words]


def import_all(files: Iterable[Path]) -> None:
    """Import each; one that cannot be read is said, and no other is kept from being imported, as with k3s."""
    for file in files:
        if file.name.endswith((".tar", ".tar.gz")):
            _import(file)
        elif file.suffix in (".zst", ".txt", ".json"):
            say(f'level=warning msg="the stand-in reads no {file.suffix}: {file}"')


def _import(file: Path) -> None:
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(ctr("images", "import", "-"), input=data, capture_output=True, check=False, env=environment)
    if done.returncode:
        say(f'level=error msg="Failed to import {file}: {done.stderr.decode(errors="replace").strip()}"')
    else:
        say(f"imported {file}")
