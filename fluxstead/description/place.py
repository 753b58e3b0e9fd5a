"""Where the project is in the repository that Flux reads: its paths start at the repository's root.

It is described, not taken from Git, so that the tree is the same from a copy without Git. Git is only asked to confirm it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.refusal import refuse
from fluxstead.core.repository import repositories_around

BEGINS_ELSEWHERE = warns(
    "flux/begins-elsewhere",
    "F3",
    "Flux was bootstrapped into clusters/home at the repository's root, but its entry …",
    "the description",
)
WRONG_DIRECTORY = refuses(
    "flux/directory",
    "F3",
    "the project is in homelab of its Git repository, but its paths would start in the root",
    "the description",
)
CHECKS = (BEGINS_ELSEWHERE, WRONG_DIRECTORY)

HERE = "."
"""The project's folder is the root of a repository of its own, wherever it is now."""
_FOLDERS = re.compile(r"(?!\.\.?(?:/|$))[\w.-]+(?:/(?!\.\.?(?:/|$))[\w.-]+)*")


def _place(value: str) -> str:
    path = value.removeprefix("./").rstrip("/") or HERE
    if path == HERE or _FOLDERS.fullmatch(path):
        return path
    raise refuse(
        f"{value!r} is not a folder of a repository",
        why="Flux finds the tree by its path from the repository's root",
        fix="a path such as clusters/home, or '.'",
    )


RepositoryPath = Annotated[str, AfterValidator(_place)]
"""A folder, by its path from the repository's root, or `HERE`."""


def in_git(root: Path) -> list[str]:
    """The project's path in every Git repository that contains it, the innermost first; empty where it is the root itself."""
    folder = root.resolve()
    return ["" if above == folder else folder.relative_to(above).as_posix() for above in repositories_around(root)]


def findings_of(said: str | None, source: Source, root: Path, cluster: str) -> Iterator[Finding]:
    """A place that is not the one in Git, and a Flux that starts next to it.

    Without Git, the description is believed. An outer repository may be the one that Flux reads, if the description says so.
    """
    found = in_git(root)
    if found and said != HERE and (said or "") not in (found if said else found[:1]):
        inside = found[0]
        yield WRONG_DIRECTORY(
            source,
            what=f"the project is in {inside or 'the root'} of its Git repository,"
            f" but its paths would start in {said or 'the root'}",
            why="Flux resolves every path from the repository's root, finds none of the tree's there, and applies nothing (F3)",
            fix=f"flux: {{directory: {inside or HERE}}}"
            + ("" if said else "; or '.', if this folder is meant to be a repository of its own"),
        )
    elif found and said and said != HERE:
        begins = f"clusters/{cluster}"
        top = root.resolve().parents[said.count("/")]
        if (top / begins / FLUX_NAMESPACE).is_dir() and not (root / begins / FLUX_NAMESPACE).is_dir():
            yield BEGINS_ELSEWHERE(
                source,
                what=f"Flux was bootstrapped into {begins} at the repository's root,"
                f" but its entry to the tree is in {said}/{begins}",
                why="Flux reads the folder that it was bootstrapped into, and would never see the tree",
                fix=f"flux bootstrap once more, with --path {said}/{begins}",
            )
