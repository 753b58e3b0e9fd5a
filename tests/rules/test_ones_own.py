"""A project made one's own: the reference cluster's files are gone, another stack is in their place, and the tests pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REFERENCE, REPOSITORY

THEIRS = {f"Pulumi.{REFERENCE}.yaml", "nodes", "generated", "apps", "clusters", "secrets"}
STACK = """\
config:
  fluxstead:flux: {version: 2.9.5}
  fluxstead:kubernetes: {version: v1.36.3+k3s1, nodeCidr: 10.9.0.0/24}
  fluxstead:ingress: {controller: traefik}
  fluxstead:longhorn: {version: 1.12.1, replicas: 1, ui: null}
"""
NODE = """\
cluster: mine
address: 10.9.0.1
role: server
state: live
disks: [{name: a, serial: S1, size: 465Gi, mountPath: /mnt/longhorn/a}]
"""
ABOUT_IT = ("test_readme.py", "test_reference_cluster.py", "description", "rules/test_systems.py", "rules/test_rules.py")
"""Tests that look at what is described here, of which a few are run; all are collected."""
ONLY = f"""
def pytest_collection_modifyitems(config, items):
    about_it = [one for one in items if str(one.path.relative_to(config.rootpath / "tests")).startswith({ABOUT_IT})]
    config.hook.pytest_deselected(items=[one for one in items if one not in set(about_it)])
    items[:] = about_it
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The project with one's own stack."""
    root = tmp_path / "own"
    shutil.copytree(REPOSITORY, root, ignore=lambda folder, _: ignored(Path(folder)), symlinks=True)
    (root / "nodes").mkdir()
    (root / "Pulumi.mine.yaml").write_text(STACK)
    (root / "nodes/first.yaml").write_text(NODE)
    (root / "only.py").write_text(ONLY)
    return root


def ignored(folder: Path) -> set[str]:
    """What is not copied; compiled modules are, where there are any, which is a second less of compiling."""
    return THEIRS | {".git", ".venv"} if folder == REPOSITORY else set()


def said(root: Path, *words: str) -> str:
    """What a command says in the project, which has to succeed."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-m", *words], cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    return done.stdout


def test_what_is_about_the_reference_cluster_is_skipped_and_nothing_else_breaks(own: Path) -> None:
    """Every file is collected, and those that look at the description are run."""
    said(own, "fluxstead.cli", "render")
    result = said(own, "pytest", "-rs", "-p", "no:cacheprovider", "-p", "only")
    assert "about the reference cluster, in whose place is one's own" in result
    assert re.search(r" passed, .* [1-9]\d{3} deselected", result.splitlines()[-1]), result.splitlines()[-1]
