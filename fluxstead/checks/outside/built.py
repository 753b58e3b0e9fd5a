"""Directories that people wrote, built by real kustomize where it is on the PATH; read as files otherwise."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fluxstead.checks.reading.directory import kustomization_in
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, Source, error

_TIME = 60


def kustomize() -> str | None:
    """Where kustomize is."""
    return shutil.which("kustomize")


def findings(subject: Subject) -> Iterator[Finding]:
    """Directories of people's own that kustomize refuses to build. What is checked of their objects is read from the files."""
    root, outside = subject.root, subject.outside
    folders = sorted(set(_own(subject))) if outside else []
    if root is None or outside is None or not folders:
        return
    program = outside.kustomize
    if program is None:
        subject.notes.append(f"read as files, because kustomize is not on the PATH: {', '.join(folders)}")
        return
    subject.notes.append(f"built with {program}: {', '.join(folders)}")
    for folder in folders:
        listing = kustomization_in(subject.view.store, folder)
        problem = _problem(program, root, folder) if listing else None
        if problem:
            yield error(
                "references/does-not-build",
                Source(listing or folder),
                what=f"kustomize does not build {folder}: {problem}",
                why="Flux would fail the same way, and apply nothing of it (F3)",
                write=f"what `kustomize build {folder}` takes",
            )


def _own(subject: Subject) -> Iterator[str]:
    for unit in subject.view.units.values():
        hand_written = [item for item in unit.items if not item.document.generated]
        path = subject.view.folder_of(unit.spec)
        if unit.document and not unit.elsewhere and hand_written and subject.view.store.is_folder(path):
            yield path


def _problem(program: str, root: Path, folder: str) -> str | None:
    command = [program, "build", str(root / folder), "--load-restrictor=LoadRestrictionsNone"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIME)  # noqa: S603 -- the operator's kustomize
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    return None if done.returncode == 0 else done.stderr.strip().removeprefix("Error: ").splitlines()[0][:300]
