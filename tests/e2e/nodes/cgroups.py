"""Cgroups of a machine's own: one in each hierarchy.

They stay when their processes are gone, so what killed runs left is removed by the next, as with their folders.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.e2e.isolation import PREFIX

EMPTY_SECONDS = 20


class Cgroups:
    """Named after the run's folder and the machine."""

    def __init__(self, run: Path, name: str) -> None:
        self._folders = [hierarchy / f"{run.name}-{name}" for hierarchy in _hierarchies()]

    def make(self) -> list[Path]:
        """Make them; gives the files into which who starts in them writes itself."""
        sweep()
        for folder in self._folders:
            folder.mkdir(exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):
                if (folder / setting).exists() and (folder.parent / setting).exists():
                    (folder / setting).write_text((folder.parent / setting).read_text())
        return [folder / "cgroup.procs" for folder in self._folders]

    def processes(self) -> list[int]:
        """All that run in the machine."""
        found: set[int] = set()
        for file in (file for folder in self._folders[:1] for file in folder.rglob("cgroup.procs")):
            with suppress(OSError):
                found.update(map(int, file.read_text().split()))
        return sorted(found)

    def memory(self) -> int:
        """Bytes that the machine's processes hold, shared ones counted once for each."""
        pages = 0
        for process in self.processes():
            with suppress(OSError):
                pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def await_empty(self) -> None:
        """Wait until the machine's last process is gone: its root cannot be mounted anew before."""
        end = time.monotonic() + EMPTY_SECONDS
        while left := self.processes():
            if time.monotonic() > end:
                raise RuntimeError(f"still running: {left}")
            time.sleep(0.05)

    def remove(self) -> None:
        """Remove them with what the machine made below."""
        for folder in self._folders:
            _remove(folder)


def sweep() -> None:
    """Remove those of runs whose folder is gone."""
    for folder in (folder for hierarchy in _hierarchies() for folder in hierarchy.glob(f"{PREFIX}*")):
        run = folder.name[: len(PREFIX) + 8]
        if not (Path(tempfile.gettempdir()) / run).exists():
            _remove(folder)


def _hierarchies() -> Iterator[Path]:
    """Those of version 1, or the one of version 2 where there is nothing else."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup" or (kind, place) == ("cgroup2", "/sys/fs/cgroup"):
            yield Path(place)


def _remove(folder: Path) -> None:
    for below in sorted((one for one in folder.rglob("*") if one.is_dir()), key=lambda one: -len(one.parts)):
        with suppress(OSError):
            below.rmdir()
    with suppress(OSError):
        folder.rmdir()
