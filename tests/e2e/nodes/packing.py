"""The stand-in for k3s as one file, and the folder with the programs that it starts."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import yaml

from tests.e2e.tools.build import tool

from .images import PAUSE, image_tar
from .root import MachineRoot
from .stand_in.version import BUILT_AS

SOURCES = Path(__file__).parent / "stand_in"
START = "#!/usr/bin/env python3\n"
MAIN = "from stand_in.main import main\nraise SystemExit(main())\n"
UPSTREAM = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kube-proxy"),
    "pod",
)
"""The tools that have to be built, for the fixture `need`."""
MADE = (2026, 1, 1, 0, 0, 0)
"""In the place of the files' times, so that the same content has the same SHA-256."""


def stand_in_binary(version: str, folder: Path) -> Path:
    """Write `<folder>/<version>/k3s`, one executable file that says of itself, and of its nodes, that it is this release.

    The version has as many letters as the kubelet's own, which it takes the place of. ValueError where it has not.
    """
    if len(version) != len(BUILT_AS):
        raise ValueError(f"the stand-in plays releases with names as long as {BUILT_AS}, not {version}")
    file = folder / version / "k3s"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(START.encode() + _packed(version))
    file.chmod(0o755)
    return file


def _packed(version: str) -> bytes:
    """Its own sources, and PyYAML's, which no bare machine has."""
    files = {f"stand_in/{one.name}": one.read_bytes() for one in SOURCES.glob("*.py")}
    files["stand_in/version.py"] = f'BUILT_AS = "{BUILT_AS}"\nVERSION = "{version}"\n'.encode()
    files |= {f"yaml/{one.name}": one.read_bytes() for one in Path(yaml.__file__).parent.glob("*.py")}
    files["__main__.py"] = MAIN.encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, MADE), files[name], zipfile.ZIP_DEFLATED)
    return made.getvalue()


def programs(base: MachineRoot, folder: Path) -> Path:
    """A folder with all that the stand-in starts, as it lies in machines at `/opt/fluxstead-stand-in`."""
    made = folder / "programs"
    shutil.copytree(base.runtime, made, symlinks=True)
    for name in UPSTREAM:
        _link(tool(name), made / name)
    (made / "pause.tar").write_bytes(image_tar([PAUSE]))
    return made


def _link(source: Path, target: Path) -> None:
    """A second name where the file system has them, else a copy."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy(source, target)
