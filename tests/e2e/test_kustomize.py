"""Real kustomize builds every directory of both committed trees, and helm renders every release where its chart is to be had."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

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
        listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        expected = [yaml.safe_load((folder / name).read_text()) for name in listed]
        assert sorted(map(canonical, found)) == sorted(map(canonical, expected))


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


def releases() -> list[tuple[str, dict[str, object]]]:
    """Every HelmRelease of both trees."""
    return [
        (f"{cluster}-{file.stem}", yaml.safe_load(file.read_text()))
        for cluster, tree in TREES.items()
        for file in sorted(tree.rglob("helm-release-*.yaml"))
    ]


@pytest.mark.parametrize("release", [pytest.param(release, id=name) for name, release in releases()])
def test_helm_renders_the_release_with_its_real_chart(release: dict[str, dict[str, object]], need: Need, tmp_path: Path) -> None:
    """Where charts are to be had: FLUXSTEAD_CHARTS holds `<chart>-<version>.tgz` files, or folders of that name."""
    charts = os.environ.get("FLUXSTEAD_CHARTS")
    spec = release["spec"]
    chart = spec["chart"]["spec"]  # type: ignore[index]
    found = list(Path(charts).glob(f"{chart['chart']}-{chart['version']}*")) if charts else []
    if not found:
        pytest.skip(f"no chart {chart['chart']} {chart['version']}: FLUXSTEAD_CHARTS does not hold it")
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(spec["values"]))
    helm = need("helm")["helm"]
    rendered = subprocess.run(
        [helm, "template", str(spec["releaseName"]), found[0], "--namespace", str(release["metadata"]["namespace"]), "-f", values],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rendered.returncode == 0, rendered.stderr
    assert [document for document in yaml.safe_load_all(rendered.stdout) if document]
