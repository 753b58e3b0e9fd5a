"""What is spoilt: every planted tree, and one in which stands, somewhere, every field that is read of a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.checks.defects_again import PLANTED
from tests.checks.planted import Planted, machine
from tests.conftest import REFERENCE, REPOSITORY
from tests.shapes.mutants import Pool

EXAMPLE = REPOSITORY / "examples/edge"


def files_in(folder: Path, *patterns: str) -> dict[str, str]:
    """The texts of a folder's files by their path."""
    found = (file for pattern in patterns for file in sorted(folder.glob(pattern)) if file.is_file())
    return {str(file.relative_to(folder)): file.read_text() for file in found}


EVERYTHING: Mapping[str, str] = files_in(Path(__file__).parent / "everything", "**/*")
"""With an instance of the Flux operator; `sets` is reached only by who adds it to the entry."""
ALL = Planted(files=EVERYTHING, cure=("", ""), says="", before=EVERYTHING, nodes=[machine()])
WITH_A_SET = replace(ALL, files={**EVERYTHING, "clusters/home/set.yaml": EVERYTHING["sets/set.yaml"]})
TREES = [*(planted for _, planted in PLANTED), ALL, WITH_A_SET]

DESCRIPTIONS = [
    (stack, files_in(root, f"Pulumi.{stack}.yaml", "nodes/*.yaml", "apps/**/*.yaml", "clusters/**/*.yaml"))
    for root, stack in ((REPOSITORY, REFERENCE), (EXAMPLE, "edge"))
    if (root / f"Pulumi.{stack}.yaml").is_file()
]
"""What people write of each cluster that is here, by its stack."""

POOL = Pool(
    [
        *(text for tree in TREES for text in tree.files.values()),
        *files_in(EXAMPLE / "generated", "**/*.yaml").values(),
        *(text for _, files in DESCRIPTIONS for text in files.values()),
    ]
)
