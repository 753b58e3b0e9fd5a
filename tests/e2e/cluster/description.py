"""A copy of a project whose description the tests change and render, as an operator would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from fluxstead.assembly import Assembled
from fluxstead.embedded import run_program
from tests.e2e.cluster.api import Json
from tests.e2e.cluster.web import copy_tracked

PROJECT = Path(__file__).parents[3]
STACK = "k3s-flux"


class Project:
    """A cluster's files in a repository that Flux reads; the reference cluster's, if nothing else is said."""

    def __init__(self, folder: Path, source: Path = PROJECT, stack: str = STACK) -> None:
        self.folder, self.stack = folder, stack
        copy_tracked(source, folder, ("Pulumi.yaml", f"Pulumi.{stack}.yaml", "nodes", "apps", "generated", "clusters", "secrets"))

    @property
    def stack_file(self) -> Path:
        """The cluster's description."""
        return self.folder / f"Pulumi.{self.stack}.yaml"

    def assembled(self) -> Assembled:
        """What the program makes of the description now."""
        assembled = run_program(self.folder, self.stack).assembled
        assert assembled is not None
        return assembled

    def layers(self) -> list[str]:
        """The layers that the description has now, in the tree's order."""
        return [layer.name for layer in self.assembled().tree.order.layers]

    def replace(self, file: str, old: str, new: str) -> None:
        """Edit a file of the description; what is replaced must be there."""
        text = (self.folder / file).read_text()
        assert old in text, f"{file} no longer holds {old!r}"
        (self.folder / file).write_text(text.replace(old, new, 1))

    def render(self) -> None:
        """`./run render`, which says nothing against it."""
        status, said = self.run("render")
        assert status == 0, said

    def run(self, command: str) -> tuple[int, str]:
        """`./run COMMAND`: its exit status, and what it printed."""
        words = [sys.executable, "-m", "fluxstead.cli", command, "--project", str(self.folder)]
        done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def tree_objects(tree: Path) -> list[Json]:
    """The objects of a generated tree; the lists of files that kustomize reads are none."""
    found = [yaml.safe_load(file.read_text()) for file in sorted(tree.rglob("*.yaml"))]
    return [obj for obj in found if not obj["apiVersion"].startswith("kustomize.config")]
