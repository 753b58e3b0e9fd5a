"""Real kustomize builds every directory of both committed trees, and helm renders every release where its chart is to be had."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.helm import Json, chart_of, releases, rendered, without_chart

REPOSITORY = Path(__file__).parents[2]
TREES = {
    "k3s-flux": REPOSITORY / "generated/k3s-flux",
    "edge": REPOSITORY / "examples/edge/generated/edge",
}
Need = Callable[..., dict[str, Path]]


@pytest.mark.parametrize("cluster", TREES)
def test_every_directory_builds_to_the_objects_that_its_files_hold(cluster: str, need: Need) -> None:
    """F3: a kustomization listed a file that was not there, and the whole layer failed."""
    kustomize = need("kustomize")["kustomize"]
    folders = sorted(path.parent for path in TREES[cluster].rglob("kustomization.yaml"))
    assert len(folders) >= 5
    for folder in folders:
        built = subprocess.run([kustomize, "build", folder], capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        found = [document for document in yaml.safe_load_all(built.stdout) if document]
        expected = [yaml.safe_load(file.read_text()) for file in files_of(folder)]
        assert sorted(map(canonical, found)) == sorted(map(canonical, expected))


def files_of(folder: Path) -> Iterator[Path]:
    """What a folder lists, with what a folder that it lists does, such as one of ciphertext."""
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        listed = folder / name
        yield from files_of(listed) if listed.is_dir() else [listed]


@pytest.mark.parametrize("cluster", TREES)
def test_each_kustomization_of_flux_points_at_a_directory_that_is_there(cluster: str) -> None:
    """A path of a Flux Kustomization is from the repository's root."""
    tree = TREES[cluster]
    root = tree.parents[1]
    paths = [
        document["spec"]["path"]
        for file in [*tree.rglob("*.yaml"), root / f"clusters/{cluster}/tree.yaml"]
        if (document := yaml.safe_load(file.read_text()))["apiVersion"].startswith("kustomize.toolkit.fluxcd.io/")
    ]
    assert len(paths) >= 5
    assert not [path for path in paths if not (root / path / "kustomization.yaml").exists()]


def canonical(document: object) -> str:
    """A document whatever the order of its keys: kustomize sorts them."""
    return json.dumps(document, sort_keys=True)


RELEASES = [
    pytest.param(release, id=f"{cluster}-{release['metadata']['name']}")
    for cluster, tree in TREES.items()
    for release in releases(tree)
]


@pytest.mark.parametrize("release", RELEASES)
def test_helm_renders_the_release_with_its_real_chart(release: Json, need: Need) -> None:
    """With the values that the description became."""
    chart = chart_of(release)
    if chart is None:
        pytest.skip(without_chart(release))
    assert rendered(need("helm")["helm"], release, chart)
