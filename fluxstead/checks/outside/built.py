"""Directories that people wrote, built by real kustomize where it is on the PATH; read as files otherwise."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fluxstead.checks.outside.evidence import Outside
from fluxstead.checks.reading.applied_tree import AppliedTree
from fluxstead.checks.reading.directory import kustomization_in
from fluxstead.checks.rule import Remark, Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source

DOES_NOT_BUILD = refuses("references/does-not-build", "F3", "kustomize cannot build apps/whoami: …", "the files on disk")

_TIME = 60


def kustomize() -> str | None:
    """Where kustomize is."""
    return shutil.which("kustomize")


def findings(outside: Outside) -> Iterator[Finding | Remark]:
    """Hand-written directories that kustomize refuses to build. Their objects are checked as read from the files."""
    program, folders = outside.session.kustomize, sorted(set(_own(outside.tree)))
    if not folders:
        return
    if program is None:
        yield Remark(f"read as files, because kustomize is not on the PATH: {', '.join(folders)}")
        return
    yield Remark(f"built with {program}: {', '.join(folders)}")
    for folder in folders:
        listing = kustomization_in(outside.tree.store, folder)
        problem = _problem(program, outside.root, folder) if listing else None
        if problem:
            yield DOES_NOT_BUILD(
                Source(listing or folder),
                what=f"kustomize cannot build {folder}: {problem}",
                why="Flux would fail the same way, and apply none of it (F3)",
                fix=f"what `kustomize build {folder}` accepts",
            )


def _own(tree: AppliedTree) -> Iterator[str]:
    for kustomization in tree.kustomizations.values():
        hand_written = [item for item in kustomization.objects if not item.document.generated]
        path = tree.folder_of(kustomization.spec)
        if kustomization.document and not kustomization.elsewhere and hand_written and tree.store.is_folder(path):
            yield path


def _problem(program: str, root: Path, folder: str) -> str | None:
    command = [program, "build", str(root / folder), "--load-restrictor=LoadRestrictionsNone"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIME)  # noqa: S603 -- the operator's kustomize
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    return None if done.returncode == 0 else done.stderr.strip().removeprefix("Error: ").splitlines()[0][:300]


RULES = (Rule(findings, (DOES_NOT_BUILD,)),)
