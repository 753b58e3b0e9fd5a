"""A running cluster that goes from one trouble to the next, and what the doctor says of it."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from fluxstead.cli import doctor
from tests.e2e.cluster.api import Json
from tests.e2e.cluster.description import STACK, Project
from tests.e2e.cluster.flux import Cluster, applied

TREE = f"generated/{STACK}"
NODE = ("longhorn.io/v1beta2", "Node")
CHART, REPOSITORY = ("source.toolkit.fluxcd.io/v1", "HelmChart"), ("source.toolkit.fluxcd.io/v1", "HelmRepository")
LONGHORN = "longhorn-system"


def begin(cluster: Cluster) -> Project:
    """The cluster's description, applied as it is committed; certificates are said to be there, since nothing issues any here."""
    made = Project(cluster.repository.folder)
    cluster.bootstrap(f"./clusters/{STACK}")
    cluster.wait_for_layers(made.layers(), cluster.commit("as it is committed"))
    issued = {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    for one in cluster.api.list("cert-manager.io/v1", "Certificate"):
        place = one["metadata"]
        change: Json = {"status": {"conditions": [issued]}}
        cluster.api.patch("cert-manager.io/v1", "Certificate", place["name"], change, namespace=place["namespace"], part="/status")
    return made


@dataclass
class Stage:
    """The cluster, the rows that are played on it, and the files of the tree that they changed by hand, as they were."""

    cluster: Cluster
    project: Project
    revision: str = ""
    _played: list[Row] = field(default_factory=list)
    _were: dict[Path, str | None] = field(default_factory=dict)

    def doctor(self, *more: str) -> tuple[int, str]:
        """`./run doctor` without machines, which are not there, in this process: its exit status, and what it printed."""
        parser = argparse.ArgumentParser()
        doctor.add_arguments(parser)
        words = ["--no-hosts", "--project", str(self.project.folder), "--kubeconfig", str(self.cluster.control_plane.kubeconfig)]
        with redirect_stdout(io.StringIO()) as said:
            status = doctor.run(parser.parse_args([*words, *more]))
        return status, said.getvalue()

    def wrong(self) -> list[dict[str, Any]]:
        """What it says, as data."""
        found: list[dict[str, Any]] = json.loads(self.doctor("--format", "json")[1])["wrong"]
        return found

    def report(self) -> str:
        """What a person would look at first."""
        return f"{self.doctor('--all')[1]}\n{self.cluster.report()}"

    def play(self, rows: Sequence[Row]) -> None:
        """From what is played to these; the tree's in one commit, which also puts back what the former ones changed."""
        former, self._played = self._played, list(rows)
        was_edited = bool(self._were)
        self._restore()
        for row in (row for row in rows if row.layer):
            row.bring(self)
        if was_edited or self._were:
            self.revision = self.cluster.commit(f"{len(rows)} rows, edited by hand")
        for row in former:
            row.right(self)
        for row in rows:
            (row.pushed if row.layer else row.bring)(self)

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file of the tree; what is replaced must be there."""
        file = self.project.folder / TREE / path
        text = file.read_text()
        assert old in text, f"{path} no longer holds {old!r}"
        self._were.setdefault(file, text)
        file.write_text(text.replace(old, new, 1))

    def add(self, folder: str, name: str, text: str) -> None:
        """Another file in a layer's folder, which its list names."""
        file = self.project.folder / TREE / folder / name
        self._were.setdefault(file, None)
        file.write_text(text)
        self.edit(f"{folder}/kustomization.yaml", "resources:\n", f"resources:\n- {name}\n")

    def read(self, path: str) -> str:
        """A file of the tree."""
        return (self.project.folder / TREE / path).read_text()

    def status(self, of: tuple[str, str], name: str, change: Json, namespace: str = "") -> None:
        """What the program whose object it is would write."""
        self.cluster.api.patch(*of, name, {"status": change}, namespace=namespace, part="/status")

    def applied(self, layer: str) -> None:
        """Wait until a layer has applied the last commit: it puts right what it finds otherwise."""
        if self.revision:
            self.cluster.eventually(f"{layer} applied", lambda: applied(self.cluster.layers()[layer]) == self.revision)

    def _restore(self) -> None:
        for file, text in self._were.items():
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        self._were.clear()


Act = Callable[[Stage], object]


def nothing(stage: Stage) -> None:
    """What is in the tree is put right with the tree."""
    del stage


class Row(NamedTuple):
    """One row, how it is brought about, and what the doctor has to say: the root, its words, and words of what follows from it.

    `right`: how it is put right. `layer`: the one whose files are edited; none if it is not about the tree. Meanwhile the doctor
    says as well that the tree was edited. `breaks`: the layer that is not ready then, so that nothing arrives below it.
    `pushed`: what is done once the edit is pushed. `of`: what it is about, of which no other row can be at once.
    """

    bring: Act
    subject: str
    words: str
    follows: str = ""
    right: Act = nothing
    layer: str = ""
    breaks: str = ""
    pushed: Act = nothing
    of: tuple[str, ...] = ()


Rows = Mapping[str, Row]
