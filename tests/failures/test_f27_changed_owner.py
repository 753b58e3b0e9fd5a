"""F27: an object that changed its Kustomization, or left the tree, was pruned, and the volumes with it."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest
import yaml

from fluxstead.core.findings import errors
from fluxstead.tree.entry import entry_path, entry_text
from fluxstead.tree.owned import compare, write
from tests.checks.defects import DEFECTS
from tests.checks.planted import layer, look, obj
from tests.conftest import Project
from tests.failures.refusal import refused
from tests.tree.earlier import to_earlier_layout


def test_a_new_owner_is_refused_while_the_committed_object_can_be_pruned() -> None:
    """`prune: disabled` in the new files comes too late."""
    refused("F27", "moves/owner")


def test_leaving_is_refused_while_the_committed_object_can_be_pruned() -> None:
    """The message prints the commit to make first."""
    refused("F27", "moves/left")


def test_what_the_old_kustomization_lays_over_its_objects_protects_them() -> None:
    """The takeover's first commit: an annotation in `commonMetadata` reaches the live objects, and the second is accepted."""
    over = "commonMetadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}"
    moved = DEFECTS["moves/owner"]
    annotated = dataclasses.replace(moved, before=layer("infrastructure", obj("Namespace", "longhorn-system"), spec=over))
    assert "moves/owner" in {finding.id for finding in look(moved, moved.files)}
    assert not look(annotated, annotated.files)


@pytest.mark.parametrize("cluster", ["reference", "example"])
def test_the_layout_before_machines_had_layers_is_taken_over_in_one_commit(cluster: str, request: pytest.FixtureRequest) -> None:
    """What changes its owner there was protected from the first commit on; where it was not, the first of two commits is said."""
    project: Project = request.getfixturevalue(cluster)
    tree = written(project)
    to_earlier_layout(tree)
    committed(project.root)
    assert not errors(project.run().findings)

    node = next(tree.glob("infrastructure/longhorn-storage/node-*.yaml"))
    bare = yaml.safe_load(node.read_text())
    del bare["metadata"]["annotations"]
    node.write_text(yaml.safe_dump(bare))
    committed(project.root)
    [finding] = [one for one in errors(project.run().findings) if one.id == "moves/owner"]
    assert (
        f"belongs to Kustomization flux-system/longhorn-storage, and now moves to flux-system/longhorn-{node.stem}" in finding.what
    )
    assert f"on it in {node.relative_to(project.root)} as it is committed" in finding.fix


def written(project: Project) -> Path:
    """The tree of the description, on disk."""
    assembled = project.run().assembled
    assert assembled is not None
    write(project.root, assembled.tree.directory, compare(project.root, assembled.tree.directory, assembled.files))
    entry = project.root / entry_path(project.stack)
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_text(entry_text(project.stack, assembled.tree.directory))
    return project.root / assembled.tree.directory


def committed(root: Path) -> None:
    """All of it, as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.test"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "tree"]):
        subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)
