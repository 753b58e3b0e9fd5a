"""What a stack that is described no more, or by another name, has left in the repository."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from fluxstead.core.check import warns
from fluxstead.core.findings import Finding, Source
from fluxstead.tree.entry import entry_path
from fluxstead.tree.record import RECORD

LEFT_BEHIND = warns(
    "tree/left-behind", "F27", "generated/home is the tree of a stack that no Pulumi.home.yaml describes", "the files on disk"
)
CHECKS = (LEFT_BEHIND,)


def left_behind(root: Path, directory: str) -> Iterator[Finding]:
    """Trees beside the one in `directory`, a path from `root`, whose stack has no file in `root`."""
    for record in sorted((root / directory).parent.glob(f"*/{RECORD}")):
        stack = record.parent.name
        if (root / f"Pulumi.{stack}.yaml").exists():
            continue
        tree = posixpath.join(posixpath.dirname(directory), stack)
        entry = posixpath.dirname(entry_path(stack))
        both = f"{tree} {entry}" if (root / entry).is_dir() else tree
        yield LEFT_BEHIND(
            Source(tree),
            what=f"{tree} is the tree of a stack that no Pulumi.{stack}.yaml describes",
            why="a cluster whose Flux begins there still applies it, and nothing keeps it up to date",
            fix=f"nothing here, once no cluster reads it: git rm -r {both}; if the stack was renamed: its former name",
        )
