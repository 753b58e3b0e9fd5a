"""A real API server, with all definitions, accepts every object of both committed trees under strict field validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from fluxstead.catalog.kinds import BUILT_IN_GROUPS, is_namespaced
from fluxstead.core.manifest import group_of
from fluxstead.core.version import Version
from tests.e2e.cluster import control_plane
from tests.e2e.cluster.api import Api, Json, RefusedError, eventually, refusals
from tests.e2e.cluster.control_plane import ControlPlane
from tests.e2e.cluster.crds import chart_crds, flux_crds, k3s_crds, origin, published_crds
from tests.e2e.cluster.description import PROJECT, tree_objects
from tests.e2e.cluster.processes import Processes
from tests.e2e.helm import chart_of, releases, rendered, without_chart
from tests.e2e.isolation import scratch

Need = Callable[..., dict[str, Path]]
Record = Callable[[str, object], None]
FLUX_SYSTEM = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}}
TREES = {
    "k3s-flux": (PROJECT, "generated/k3s-flux"),
    "edge": (PROJECT / "examples/edge", "generated/edge"),
}


@pytest.fixture
def api(need: Need) -> Iterator[Api]:
    """A Kubernetes that knows no kinds but its own."""
    tools = need(*control_plane.API_TOOLS)
    with scratch() as folder:
        (folder / "logs").mkdir()
        processes = Processes(folder / "logs")
        plane = ControlPlane(folder, processes, tools)
        try:
            plane.start_api()
            yield plane.api
        finally:
            processes.stop()


@pytest.mark.parametrize("cluster", TREES)
def test_the_server_accepts_every_object_of_the_committed_tree(cluster: str, api: Api, record_property: Record) -> None:
    """Unknown and repeated fields are errors to it; kinds have the schemas of the versions that the description names."""
    objects = tree_objects(tree_of(cluster))
    flux = flux_of(cluster)
    record_property(f"{cluster}: definitions of Flux {flux}", origin(flux_crds(flux), published_crds(f"flux-{flux}")))
    for definition in definitions(cluster, objects):
        api.create(definition)
    for obj in [FLUX_SYSTEM, *objects]:
        if obj["kind"] == "Namespace":
            api.apply(obj)
    assert len(objects) > 60
    assert not refusals(api, objects)


def test_half_a_set_is_not_called_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may hold one file of a release, or another release."""
    monkeypatch.setenv("FLUXSTEAD_CRDS", str(tmp_path))
    whole = flux_crds("2.6.1")
    assert origin(whole, published_crds("flux-2.6.1")) == "from the catalog's schemas"
    (tmp_path / "flux-2.6.1").mkdir()
    (tmp_path / "flux-2.6.1/a.yaml").write_text(yaml.safe_dump_all(whole[:3]))
    assert origin(whole, published_crds("flux-2.6.1")) == f"3 of {len(whole)} as published, the others from the catalog's schemas"
    (tmp_path / "flux-2.6.1/b.yaml").write_text(yaml.safe_dump_all(whole[3:]))
    assert origin(whole, published_crds("flux-2.6.1")) == "as published"


def test_the_tables_of_built_in_kinds_are_the_servers(api: Api) -> None:
    """Which groups it serves itself (more are served by choice), and which of their kinds belong to no namespace."""
    served = {group["name"]: group["preferredVersion"]["groupVersion"] for group in api.ask("GET", "/apis")["groups"]}
    assert served.keys() | {""} <= BUILT_IN_GROUPS
    assert len(served) > 15
    kinds = [
        (version, one["kind"], one["namespaced"])
        for version in ("v1", *served.values())
        for one in api.ask("GET", f"/{'apis' if '/' in version else 'api'}/{version}")["resources"]
        # What is asked of the server and never kept is in no tree.
        if "/" not in one["name"] and "get" in one["verbs"]
    ]
    assert len(kinds) > 50
    wrong = [f"{version} {kind}" for version, kind, namespaced in kinds if is_namespaced(group_of(version), kind) != namespaced]
    assert not wrong


@pytest.fixture
def released(cluster: str, need: Need) -> list[Json]:
    """What the releases of a tree become with their real charts; no test where one is not to be had."""
    found = releases(tree_of(cluster))
    objects: list[Json] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one["metadata"]["namespace"]}} for one in found
    ]
    for release in found:
        chart = chart_of(release)
        if chart is None:
            pytest.skip(without_chart(release))
        objects += rendered(need("helm")["helm"], release, chart)
    return objects


@pytest.mark.parametrize("cluster", TREES)
def test_the_server_accepts_what_the_releases_become(cluster: str, released: list[Json], api: Api) -> None:
    """The objects of the real charts with the description's values, and the tree's, by the charts' own definitions."""
    objects = tree_objects(tree_of(cluster))
    brought = [obj for obj in released if obj["kind"] == "CustomResourceDefinition"]
    made = {one["metadata"]["name"]: one for one in [*definitions(cluster, objects), *brought]}
    kinds = list(made.values())
    for obj in [*kinds, *(obj for obj in [FLUX_SYSTEM, *objects, *released] if obj["kind"] == "Namespace")]:
        api.apply(obj)
    for definition in kinds:
        names, group = definition["spec"]["names"], definition["spec"]["group"]
        version = next(one["name"] for one in definition["spec"]["versions"] if one["served"])
        eventually(f"{names['kind']} is served", 30, partial(_lists, api, f"{group}/{version}", names["kind"]), str)
    assert len(released) > 100
    assert not refusals(api, [*objects, *released])


def test_the_server_refuses_an_unknown_field(api: Api) -> None:
    """The schemas are strict where it counts: a mistake in a Longhorn disk or in a Kustomization does not pass."""
    for definition in (*chart_crds("longhorn", "1.9.0"), *flux_crds("2.6")):
        api.create(definition)
    for served in (("longhorn.io/v1beta2", "Node"), ("kustomize.toolkit.fluxcd.io/v1", "Kustomization")):
        eventually(f"{served[1]} is served", 30, partial(_lists, api, *served), str)
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "longhorn-system"}})
    tree = tree_of("k3s-flux")
    node = yaml.safe_load((tree / "infrastructure/longhorn-node-k3s1/node-k3s1.yaml").read_text())
    node["spec"]["disks"]["sdf1"]["storageReserve"] = 1
    with pytest.raises(RefusedError, match="storageReserve"):
        api.apply(node, dry_run=True)
    layer = yaml.safe_load((tree / "infrastructure/longhorn.yaml").read_text())
    layer["metadata"]["namespace"] = "default"
    layer["spec"]["dependOn"] = []
    with pytest.raises(RefusedError, match="dependOn"):
        api.apply(layer, dry_run=True)


def _lists(api: Api, api_version: str, kind: str) -> bool:
    """Whether a definition that was just made is served by now."""
    try:
        api.list(api_version, kind)
    except RefusedError:
        return False
    return True


def definitions(cluster: str, objects: list[Json]) -> list[Json]:
    """What the cluster has when all its charts are there: Flux, k3s and each release bring theirs."""
    kubernetes, flux = described(cluster)["fluxstead:kubernetes"], flux_of(cluster)
    found = flux_crds(flux)
    found += k3s_crds(kubernetes.get("disable", []), Version(kubernetes["version"]))
    for obj in objects:
        if obj["kind"] == "HelmRelease":
            chart = obj["spec"]["chart"]["spec"]
            found += chart_crds(chart["chart"], chart["version"])
    return list({one["metadata"]["name"]: one for one in [*found, *published_crds(f"flux-{flux}")]}.values())


def tree_of(cluster: str) -> Path:
    """The folder of a cluster's tree."""
    root, tree = TREES[cluster]
    return root / tree


def flux_of(cluster: str) -> str:
    """The version of Flux that a cluster has."""
    version: str = described(cluster)["fluxstead:flux"]["version"]
    return version


def described(cluster: str) -> Json:
    """What a cluster's file says."""
    found: Json = yaml.safe_load((TREES[cluster][0] / f"Pulumi.{cluster}.yaml").read_text())["config"]
    return found
