"""F9: Longhorn upgraded across more than one minor; pods stayed on the old version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fluxstead.core.version import Version
from fluxstead.systems.longhorn.moves import ladder
from fluxstead.tree.delivery import deliver
from tests.conftest import Project
from tests.failures.refusal import refused


def git(root: Path, *arguments: str) -> None:
    """Run git in the project, as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.test"]
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


def commit(project: Project) -> None:
    """Write the tree, and commit everything."""
    assembled = project.run().assembled
    assert assembled is not None
    assert not deliver(assembled.desired(project.root, overwrite=False, say=print)).findings
    git(project.root, "add", "-A")
    git(project.root, "commit", "-qm", "tree")


def jumps(project: Project) -> list[str]:
    """What the check of versions says."""
    return [finding.what for finding in project.run().findings if finding.id == "moves/longhorn-version"]


def upgrade(project: Project, old: str, new: str) -> None:
    """Describe another Longhorn."""
    project.replace(project.stack_file.name, f"version: {old} # reached", f"version: {new} # reached")


def test_a_jump_is_refused_with_the_ladder() -> None:
    """Between two trees in memory."""
    refused("F9", "moves/longhorn-version")
    assert list(map(str, ladder(Version("1.6.2"), Version("1.9.0")))) == ["1.6.2", "1.7.3", "1.8.2", "1.9.0"]


def test_two_rungs_pushed_together_are_a_jump(reference: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each commit is one rung; Flux sees only what is pushed."""
    upstream = tmp_path_factory.mktemp("upstream")
    subprocess.run(["git", "init", "-q", "--bare", str(upstream)], check=True)
    git(reference.root, "init", "-q", "-b", "main")
    git(reference.root, "remote", "add", "origin", str(upstream))
    commit(reference)
    git(reference.root, "push", "-qu", "origin", "main")
    assert not jumps(reference)
    upgrade(reference, "1.9.2", "1.10.2")
    assert not jumps(reference)
    commit(reference)
    upgrade(reference, "1.10.2", "1.11.3")
    assert jumps(reference) == ["Longhorn 1.9.2 in origin/main becomes 1.11.3, more than one minor release at once"]
    git(reference.root, "push", "-q", "origin", "main")
    assert not jumps(reference)
    upgrade(reference, "1.11.3", "1.9.2")
    assert jumps(reference) == ["Longhorn 1.10.2 in HEAD becomes 1.9.2"]


def test_outside_a_repository_nothing_is_compared(reference: Project) -> None:
    """There is no finding either."""
    upgrade(reference, "1.9.2", "1.12.1")
    assert not jumps(reference)
