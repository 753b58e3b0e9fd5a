"""What releases of `flux` hold and its Go module lacks: the manifests of its controllers, made from the controllers' own modules.

As flux2's `manifests/scripts/bundle.sh` makes them, which takes the controllers' parts from their releases' files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def lay_out(flux: Path, controllers: Mapping[str, Path], kustomize: Path) -> None:
    """Write `cmd/flux/manifests/` in a copy of flux2's module, for these controllers; the others cannot be exported."""
    target = flux / "cmd/flux/manifests"
    target.mkdir()
    for name, module in controllers.items():
        folder = flux / "manifests/bases" / name
        listing = folder / "kustomization.yaml"
        parts = {"crds": "config/crd", "deployment": "config/manager"}
        text = listing.read_text()
        for part, place in parts.items():
            (folder / f"{part}.yaml").write_text(_built(kustomize, module / place))
            text = re.sub(rf"^- https://\S+/{name}\.{part}\.yaml$", f"- {part}.yaml", text, flags=re.MULTILINE)
        listing.write_text(text)
        (target / f"{name}.yaml").write_text(_built(kustomize, folder))
    for name in ("rbac", "policies"):
        (target / f"{name}.yaml").write_text(_built(kustomize, flux / "manifests" / name))


def copy_of(module: Path, target: Path) -> None:
    """A module's files, writable as Go's cache is not."""
    shutil.copytree(module, target, copy_function=shutil.copyfile)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _built(kustomize: Path, folder: Path) -> str:
    done = subprocess.run([kustomize, "build", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
