"""The tree as Flux sees it: where it begins, what its own Kustomization says of it, and where another source comes in."""

from __future__ import annotations

from pathlib import Path

from fluxstead.checks.hand_written import clusters_in
from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import TextStore
from fluxstead.roster import SYSTEM_FACTS
from tests.checks.planted import CONFIG, WEB, layer


def test_the_root_of_another_source_is_not_ours() -> None:
    """Taken for ours, everything would be applied a second time, and wait for itself."""
    files = layer("web", WEB)
    charts = files["clusters/home/web.yaml"].replace("name: web,", "name: charts,").replace("./web", "./")
    files["clusters/home/charts.yaml"] = charts.replace("GitRepository, name: flux-system", "OCIRepository, name: charts")
    applied = read_applied_tree(TextStore(files), ["clusters/home"])
    assert applied.partial
    assert [kustomization.ref.qualified_name for kustomization in applied.kustomizations.values() if kustomization.elsewhere] == [
        "flux-system/charts"
    ]
    assert len(list(applied.of("Namespace"))) == 1


def test_what_the_first_kustomization_lays_over_all() -> None:
    """It lies in the directory that it reconciles, as `flux bootstrap` writes it."""
    own = layer("flux-system", spec="patches: [{patch: '{spec: {targetNamespace: a}}', target: {kind: Kustomization}}]")
    files = {**layer("web", WEB, CONFIG), "clusters/home/own.yaml": own["clusters/home/flux-system.yaml"]}
    files["clusters/home/own.yaml"] = files["clusters/home/own.yaml"].replace("./flux-system", "./clusters/home")
    applied = read_applied_tree(TextStore(files), ["clusters/home"])
    [config] = applied.of("ConfigMap")
    assert config.has_final_name
    assert not config.is_final


def test_files_of_elsewhere_are_not_missing() -> None:
    """kustomize fetches what a generator names by a URL."""
    listing = "resources: [objects.yaml]\nconfigMapGenerator: [{name: a, files: ['a.json=https://example.test/a.json']}]\n"
    applied = read_applied_tree(TextStore({**layer("web", WEB), "web/kustomization.yaml": listing}), ["clusters/home"])
    assert not applied.findings


def test_a_part_that_is_switched_off_is_no_cluster(tmp_path: Path) -> None:
    """Without what bootstrapping wrote, Flux begins below `clusters`, if there is such a folder."""
    files = layer("web", WEB)
    files["apps/off/clusters/ks.yaml"] = files["clusters/home/web.yaml"].replace("web", "idle")
    files["apps/off/ks.yaml"] = files["clusters/home/web.yaml"].replace("web", "other")
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert list(clusters_in(tmp_path, SYSTEM_FACTS)) == ["clusters/home"]
    (tmp_path / "clusters").rename(tmp_path / "live")
    (tmp_path / "apps/off/clusters").rename(tmp_path / "apps/off/more")
    assert list(clusters_in(tmp_path, SYSTEM_FACTS)) == ["apps/off", "apps/off/more", "live/home"]
