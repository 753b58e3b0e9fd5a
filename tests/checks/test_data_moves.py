"""What a commit does to data that stays, in trees that people wrote and in described ones."""

from __future__ import annotations

import pytest

from tests.checks.planted import WEB, Planted, claim, kept, layer, look, obj, release
from tests.checks.repository import commit, git, moves, render
from tests.conftest import Project


def _said(before: list[str], after: list[str]) -> list[str]:
    files = layer("web", kept(WEB), *after)
    planted = Planted(files=files, before=layer("web", kept(WEB), *before), cure=("", ""), says="", platform=None)
    return [f"{one.id}: {one.what}" for one in look(planted, files) if one.id.startswith(("moves/", "longhorn/"))]


def _database(image: str, volume: str = "persistentVolumeClaim: {claimName: data}") -> str:
    container = f"{{name: db, image: '{image}', volumeMounts: [{{name: data, mountPath: /data}}]}}"
    pod = f"{{metadata: {{labels: {{app: db}}}}, spec: {{containers: [{container}], volumes: [{{name: data, {volume}}}]}}}}"
    return obj("Deployment", "web/db", f"spec: {{selector: {{matchLabels: {{app: db}}}}, template: {pod}}}", "apps/v1")


def test_another_major_on_a_claim() -> None:
    [found] = _said([_database("postgres:16")], [_database("postgres:17")])
    assert found == "moves/data-version: Deployment web/db in HEAD runs postgres:16, and now postgres:17, on the same claim"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_database("postgres:16"), _database("postgres:16.6")),
        (_database("postgres:16", "emptyDir: {}"), _database("postgres:17", "emptyDir: {}")),
        (_database("postgres:16"), _database("postgres:17", "persistentVolumeClaim: {claimName: data-17}")),
    ],
)
def test_the_same_major_no_claim_or_another_one(before: str, after: str) -> None:
    assert _said([before], [after]) == []


def _cluster(spec: str) -> str:
    return kept(obj("Cluster", "web/db", f"spec: {{instances: 2, storage: {{size: 1Gi}}, {spec}}}", "postgresql.cnpg.io/v1"))


_CATALOG = "imageCatalogRef: {apiGroup: postgresql.cnpg.io, kind: ClusterImageCatalog, name: all, major: %s}"
_IMAGE = "imageName: ghcr.io/cloudnative-pg/postgresql:%s"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (_IMAGE % "16.4", _IMAGE % "17.2-standard-bookworm", "runs PostgreSQL 16, and now 17"),
        (_IMAGE % "17.2", _IMAGE % "16.4", "runs PostgreSQL 17, and now 16"),
        (_CATALOG % 16, _CATALOG % 17, "runs PostgreSQL 16, and now 17"),
        (_IMAGE % "16.4", _CATALOG % 17, "runs PostgreSQL 16, and now 17"),
        ("imageName: ghcr.io/tensorchord/cloudnative-vectorchord:16-0.4.3", _CATALOG % 18, "runs PostgreSQL 16, and now 18"),
        (_IMAGE % "16.4", _IMAGE % "16.6@sha256:abc", ""),
        (_IMAGE % "16.4", _CATALOG % 16, ""),
        (_IMAGE % "latest", _IMAGE % "17.2", ""),
        ("instances: 1", _IMAGE % "17.2", ""),
        (_CATALOG % "x", _CATALOG % 17, ""),
    ],
)
def test_another_major_of_a_database_that_an_operator_runs(before: str, after: str, said: str) -> None:
    found = [one for one in _said([_cluster(before)], [_cluster(after)]) if one.startswith("moves/data-version")]
    assert found == ([f"moves/data-version: Cluster.postgresql.cnpg.io web/db in HEAD {said}, on the same claims"] if said else [])


@pytest.mark.parametrize(("rest", "number"), [("persistence: {data: {existingClaim: db}}, ", 1), ("", 0)])
def test_another_major_in_the_values_of_a_chart(rest: str, number: int) -> None:
    image = "controllers: {db: {containers: {db: {image: {repository: docker.io/postgres, tag: '%s'}}}}}"
    before, after = (kept(release("web/db", "app", "1.0.0", f", values: {{{rest}{image % tag}}}")) for tag in (16, 17))
    assert len(_said([before], [after])) == number


def test_a_workload_that_takes_a_new_claim() -> None:
    """The old one is kept, and nothing mounts it."""
    old, new = claim("5Gi", "local-path"), claim("5Gi", "local-path").replace("name: data", "name: fresh")
    fresh = _database("postgres:16", "persistentVolumeClaim: {claimName: fresh}")
    [found] = _said([old, _database("postgres:16")], [new, fresh])
    assert found == "moves/claim-anew: PersistentVolumeClaim web/data in HEAD leaves the tree, and web/fresh is new"


def test_a_new_claim_of_the_same_name_that_asks_for_something_else() -> None:
    """It is no other place for the same data; the old one only stays."""
    other = claim("9Gi", "local-path").replace("namespace: web", "namespace: test")
    [found] = _said([claim("5Gi", "local-path")], [kept(obj("Namespace", "test")), other])
    assert found.startswith("moves/data-stays: PersistentVolumeClaim web/data in HEAD leaves the tree")


def test_a_claim_that_flux_prunes_does_not_stay() -> None:
    """That it goes is told as an error."""
    assert "moves/data-stays" not in str(_said([claim("5Gi", "local-path").replace("prune: disabled", "prune: enabled")], []))


@pytest.mark.usefixtures("somebody")
def test_a_renamed_environment_with_a_volume(reference: Project) -> None:
    stack = "Pulumi.k3s-flux.yaml"
    reference.replace(
        stack, "          interval: 1m\n", "          interval: 1m\n          volume: {size: 5Gi, mountPath: /data}\n"
    )
    git(reference.root, "init", "-q")
    render(reference)
    commit(reference.root)
    assert moves(reference) == []
    reference.replace(stack, "- name: dev\n", "- name: test\n")
    [found] = [one for one in moves(reference) if one.id == "moves/claim-anew"]
    assert "example-app-dev/example-app in HEAD leaves the tree, and example-app-test/example-app is new" in found.what


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("section", "old", "new", "check"),
    [
        ("prometheus", "10Gi", "9Gi", "moves/chart-claim"),
        ("prometheus", "10Gi", "20Gi", "moves/claim-kept"),
        ("alertmanager", "1Gi", "500Mi", "moves/chart-claim"),
        ("grafana", "5Gi", "4Gi", "moves/chart-claim"),
        ("grafana", "5Gi", "6Gi", ""),
    ],
)
def test_described_sizes_of_monitoring(reference: Project, section: str, old: str, new: str, check: str) -> None:
    git(reference.root, "init", "-q")
    render(reference)
    commit(reference.root)
    reference.replace("Pulumi.k3s-flux.yaml", f"{section}:\n      size: {old}", f"{section}:\n      size: {new}")
    found = moves(reference)
    assert [one.id for one in found] == ([check] if check else [])
    assert all(f"asks for {old} at `" in one.what and f"now for {new}" in one.what for one in found)
