"""What arrives at a running cluster: commits, repairs, and mistakes. One cluster for all; each test has objects of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.cluster.api import is_ready
from tests.e2e.cluster.charts import REFUSED, UNRENDERED
from tests.e2e.cluster.description import STACK, Project
from tests.e2e.cluster.fixtures import Need, edge_running, reference_running
from tests.e2e.cluster.flux import NAMESPACE, Cluster, applied
from tests.e2e.cluster.readings import (
    LONGHORN,
    data_locality,
    disks_of,
    environment_of_the_app,
    failure,
    helm_revisions,
    labels,
    longhorn_uids,
    release_failure,
    replicas,
)
from tests.e2e.cluster.report import KUSTOMIZATION, RELEASE

ATTEMPTS_SECONDS = 20
pytestmark = pytest.mark.flux
NOTES = """
    - name: notes
      image: example.test/notes
      port: 8080
      volume: {size: 1Gi, storageClass: longhorn, mountPath: /data}
      environments:
        - {name: live, tag: 1.0.0}
        - {name: spare, tag: 1.0.0}
"""


@pytest.fixture(scope="module")
def cluster(need: Need) -> Iterator[Cluster]:
    """The reference cluster, up, with a Flux that drops a wait when a new commit is there."""
    with reference_running(need, cure_at_once=True) as made:
        yield made


@pytest.fixture
def edge_cluster(need: Need) -> Iterator[Cluster]:
    """The second cluster, empty, with the same Flux."""
    with edge_running(need, cure_at_once=True) as made:
        yield made


@pytest.fixture(scope="module")
def project(cluster: Cluster) -> Project:
    """Its description, which the tests change one after the other."""
    made = Project(cluster.repository.folder)
    cluster.bootstrap(f"./clusters/{STACK}")
    cluster.wait_for_layers(made.layers(), cluster.commit("as it is committed"))
    return made


def apply(cluster: Cluster, project: Project, message: str, *, but: tuple[str, ...] = ()) -> str:
    """Render, commit, and wait until all layers have it."""
    project.render()
    revision = cluster.commit(message)
    cluster.wait_for_layers([name for name in project.layers() if name not in but], revision)
    return revision


def test_a_helm_value_arrives(cluster: Cluster, project: Project) -> None:
    """A committed setting of Longhorn reaches the release's objects, by an upgrade."""
    project.replace(project.stack_file.name, "dataLocality: best-effort", "dataLocality: disabled")
    apply(cluster, project, "Longhorn's data locality")
    own_class = cluster.api.get("storage.k8s.io/v1", "StorageClass", "longhorn-hdd")
    assert own_class
    assert data_locality(cluster) == "disabled"
    assert own_class["parameters"]["dataLocality"] == "disabled"  # immutable: Flux made it anew
    assert cluster.api.get("v1", "Namespace", LONGHORN)


def test_a_machine_declared_before_it_joined_gets_no_phantom_and_then_everything(cluster: Cluster, project: Project) -> None:
    """F10: labels for an absent machine are a 403, not a Node; and hold nothing back but themselves."""
    project.replace("nodes/k3s2.yaml", "state: planned", "state: live")
    apply(cluster, project, "k3s2 is live", but=("node-k3s2-labels", "longhorn-disks", "longhorn-disks-registered"))
    refused = cluster.eventually("its labels refused", lambda: failure(cluster, "node-k3s2-labels", "forbidden"))
    assert "k3s2" in refused
    assert cluster.api.get("v1", "Node", "k3s2") is None

    cluster.control_plane.add_node("k3s2")
    for layer in ("node-k3s2-labels", "longhorn-node-k3s2"):  # Longhorn deletes a Node of which there is no machine
        cluster.reconcile(*KUSTOMIZATION, layer, NAMESPACE)
    cluster.eventually("labels on k3s2", lambda: labels(cluster, "k3s2").get("storage") == "longhorn", 90)
    cluster.eventually("its disks", lambda: disks_of(cluster, "k3s2") == {"sdf1", "sdg1", "sdh1"}, 90)


def test_a_machine_that_leaves_is_never_pruned(cluster: Cluster, project: Project) -> None:
    """F18: its file cannot simply go; and when it may, Longhorn's Node and the machine's own stay until a person removes them."""
    file = project.folder / "nodes/k3s2.yaml"
    if cluster.api.get("v1", "Node", "k3s2") is None:
        cluster.control_plane.add_node("k3s2")
        project.replace("nodes/k3s2.yaml", "state: planned", "state: live")
        apply(cluster, project, "k3s2 is live")
    node = cluster.api.get("longhorn.io/v1beta2", "Node", "k3s2", LONGHORN)
    assert node
    text = file.read_text()
    file.unlink()
    status, said = project.run("render")
    assert status == 1
    assert "moves/node-left" in said

    file.write_text(text.replace("state: live", "state: leaving"))
    apply(cluster, project, "k3s2 leaves")
    leaving = cluster.api.get("longhorn.io/v1beta2", "Node", "k3s2", LONGHORN)
    assert leaving
    assert leaving["spec"]["evictionRequested"]
    file.unlink()
    apply(cluster, project, "k3s2 is gone from the description")
    cluster.eventually("its layers gone", lambda: not [name for name in cluster.layers() if "k3s2" in name])
    kept = cluster.api.get("longhorn.io/v1beta2", "Node", "k3s2", LONGHORN)
    assert kept
    assert kept["metadata"]["uid"] == node["metadata"]["uid"]
    assert "deletionTimestamp" not in kept["metadata"]
    assert cluster.api.get("v1", "Node", "k3s2")


def test_a_removed_application_goes_and_its_volume_stays(cluster: Cluster, project: Project) -> None:
    """All that runs is pruned. Claims stay; and namespaces, in which Flux needs its rights until the last object is gone."""
    project.replace(project.stack_file.name, "  fluxstead:monitoring:", f"{NOTES.strip(chr(10))}\n  fluxstead:monitoring:")
    apply(cluster, project, "notes")
    claim = next(iter(cluster.api.list("v1", "PersistentVolumeClaim", "notes-live")))
    assert claim["status"]["phase"] == "Bound"

    project.replace(project.stack_file.name, NOTES.strip("\n"), "")
    project.replace(
        project.stack_file.name,
        """        - name: staging
          interval: 5m
          tag: 6.9.0 # our choice
          state: offline # our choice: until needed
          route: {host: staging.example-app.local} # our choice
""",
        "",
    )
    apply(cluster, project, "no notes, no staging")
    cluster.eventually("staging gone", lambda: not cluster.api.list("apps/v1", "Deployment", "example-app-staging"))
    cluster.eventually("notes gone", lambda: cluster.api.get("apps/v1", "Deployment", "notes", "notes-live") is None)
    cluster.eventually("its layers gone", lambda: not {"notes-live", "notes-live-access"} & set(cluster.layers()))
    kept = cluster.api.get("v1", "PersistentVolumeClaim", claim["metadata"]["name"], "notes-live")
    assert kept
    assert kept["metadata"]["uid"] == claim["metadata"]["uid"]
    assert "deletionTimestamp" not in kept["metadata"]
    namespace = cluster.api.get("v1", "Namespace", "notes-live")
    assert namespace
    assert namespace["status"]["phase"] == "Active"


def test_drift_is_repaired(cluster: Cluster, project: Project) -> None:
    """What was deleted, scaled or unlabelled by hand comes back; what controllers set stays."""
    del project
    taint = {"key": "example.test/maintenance", "effect": "PreferNoSchedule"}
    cluster.api.patch("v1", "Node", "k3s1", {"metadata": {"labels": {"storage": None}}, "spec": {"taints": [taint]}})
    cluster.api.delete("apps/v1", "Deployment", "example-app", "example-app-dev")
    cluster.api.patch("apps/v1", "Deployment", "longhorn-driver-deployer", {"spec": {"replicas": 0}}, namespace=LONGHORN)
    cluster.api.delete("apps/v1", "Deployment", "longhorn-ui", LONGHORN)
    for layer in ("node-k3s1-labels", "example-app-dev"):
        cluster.reconcile(*KUSTOMIZATION, layer, NAMESPACE)
    cluster.reconcile(*RELEASE, "longhorn", LONGHORN)
    cluster.eventually("the label", lambda: labels(cluster, "k3s1").get("storage") == "longhorn")
    cluster.eventually("the application", lambda: cluster.api.get("apps/v1", "Deployment", "example-app", "example-app-dev"))
    cluster.eventually("Longhorn's page", lambda: cluster.api.get("apps/v1", "Deployment", "longhorn-ui", LONGHORN))
    cluster.eventually("the scaled one", lambda: replicas(cluster, "longhorn-driver-deployer", LONGHORN) == 1)
    node = cluster.api.get("v1", "Node", "k3s1")
    assert node
    assert taint in node["spec"]["taints"]


def test_an_application_that_is_suspended_waits_until_it_is_resumed(cluster: Cluster, project: Project) -> None:
    """`flux suspend kustomization` and `flux resume`: a commit arrives everywhere else, and later here."""
    layer = (*KUSTOMIZATION, "example-app-dev")
    cluster.api.patch(*layer, {"spec": {"suspend": True}}, namespace=NAMESPACE)
    project.replace(project.stack_file.name, "PODINFO_LEVEL: debug", "PODINFO_LEVEL: error")
    revision = apply(cluster, project, "for a suspended application", but=("example-app-dev",))
    assert environment_of_the_app(cluster) == {"PODINFO_LEVEL": "debug"}
    assert applied(cluster.layers()["example-app-dev"]) != revision
    cluster.api.patch(*layer, {"spec": {"suspend": False}}, namespace=NAMESPACE)
    cluster.wait_for_layers(["example-app-dev"], revision)
    assert environment_of_the_app(cluster) == {"PODINFO_LEVEL": "error"}


def test_an_application_is_offline_until_needed(cluster: Cluster, project: Project) -> None:
    """Scaled to zero by its description, and back."""
    running = "          replicas: 1 # our choice\n          env:"
    project.replace(project.stack_file.name, running, "          state: offline\n          env:")
    apply(cluster, project, "dev is offline")
    assert replicas(cluster, "example-app", "example-app-dev") == 0
    project.replace(project.stack_file.name, "          state: offline\n          env:", running)
    apply(cluster, project, "dev is back")
    assert replicas(cluster, "example-app", "example-app-dev") == 1


@pytest.mark.parametrize(
    ("version", "said", "stored"), [("1.9.7", "1.9.7", False), ("1.9.3", UNRENDERED, False), ("1.9.4", REFUSED, True)]
)
def test_a_broken_release_is_said_and_nothing_is_uninstalled(
    version: str, said: str, stored: bool, cluster: Cluster, project: Project
) -> None:
    """A chart that is not there, one that cannot be rendered, and one that fails in the middle of the upgrade."""
    breaks_and_is_cured(cluster, project, ("1.9.2", version), said, stored=stored)


def test_longhorn_climbs_one_rung_and_is_never_let_skip_one(cluster: Cluster, project: Project) -> None:
    """F9. The step arrives as an upgrade of what runs; the jump cannot even be rendered, and says which commits to make."""
    manager = cluster.api.get("apps/v1", "DaemonSet", "longhorn-manager", LONGHORN)
    assert manager
    text = project.stack_file.read_text()
    project.replace(project.stack_file.name, "version: 1.9.2", "version: 1.11.2")
    status, said = project.run("render")
    assert status == 1
    assert "1.9.2 → 1.10" in said
    assert cluster.repository.changed() == [project.stack_file.name]
    project.stack_file.write_text(text)

    project.replace(project.stack_file.name, "version: 1.9.2", "version: 1.10.2")
    apply(cluster, project, "Longhorn 1.10.2")
    release = cluster.release("longhorn", LONGHORN)
    assert release
    assert (release["status"]["history"][0]["chartVersion"], release["status"]["history"][0]["status"]) == ("1.10.2", "deployed")
    after = cluster.api.get("apps/v1", "DaemonSet", "longhorn-manager", LONGHORN)
    assert after
    assert after["metadata"]["uid"] == manager["metadata"]["uid"]


def test_changes_mistakes_drift_and_suspension_of_the_second_cluster(edge_cluster: Cluster, edge_project: Project) -> None:
    """What its newer Flux does of the same: an upgrade that failed is tried again, minutes later, and not before."""
    edge_cluster.bootstrap(f"./clusters/{edge_project.stack}")
    edge_cluster.wait_for_layers(edge_project.layers(), edge_cluster.commit("as it is committed"), 300)
    edge_project.replace(edge_project.stack_file.name, "dataLocality: disabled", "dataLocality: best-effort")
    apply(edge_cluster, edge_project, "Longhorn's data locality")
    assert data_locality(edge_cluster) == "best-effort"

    breaks_and_is_cured(edge_cluster, edge_project, ("1.12.1", "1.12.2"), REFUSED, stored=True)

    zone = "topology.kubernetes.io/zone"
    edge_cluster.api.patch("v1", "Node", "alpha", {"metadata": {"labels": {zone: None}}})
    edge_cluster.api.delete("apps/v1", "Deployment", "wiki", "wiki-live")
    edge_cluster.api.delete("apps/v1", "Deployment", "longhorn-ui", LONGHORN)
    for layer in ("node-alpha-labels", "wiki-live"):
        edge_cluster.reconcile(*KUSTOMIZATION, layer, NAMESPACE)
    edge_cluster.reconcile(*RELEASE, "longhorn", LONGHORN)
    edge_cluster.eventually("the label", lambda: labels(edge_cluster, "alpha").get(zone) == "rack-a")
    edge_cluster.eventually("the application", lambda: edge_cluster.api.get("apps/v1", "Deployment", "wiki", "wiki-live"))
    edge_cluster.eventually("Longhorn's page", lambda: edge_cluster.api.get("apps/v1", "Deployment", "longhorn-ui", LONGHORN))

    wiki = (*KUSTOMIZATION, "wiki-live")
    edge_cluster.api.patch(*wiki, {"spec": {"suspend": True}}, namespace=NAMESPACE)
    edge_project.replace(edge_project.stack_file.name, "          tag: 4.2.0", "          tag: 4.2.0\n          state: offline")
    revision = apply(edge_cluster, edge_project, "the wiki is offline, and suspended", but=("wiki-live",))
    assert replicas(edge_cluster, "wiki", "wiki-live") == 1
    edge_cluster.api.patch(*wiki, {"spec": {"suspend": False}}, namespace=NAMESPACE)
    edge_cluster.wait_for_layers(["wiki-live"], revision)
    assert replicas(edge_cluster, "wiki", "wiki-live") == 0


def breaks_and_is_cured(cluster: Cluster, project: Project, step: tuple[str, str], said: str, *, stored: bool) -> None:
    """Ready=False with the reason, one attempt, Longhorn as it was, and the cure arrives; `stored`: Helm begins the upgrade."""
    good, bad = step
    uids, revisions = longhorn_uids(cluster), helm_revisions(cluster)
    last = max(revisions)
    project.replace(project.stack_file.name, f"version: {good}", f"version: {bad}")
    project.render()
    cluster.commit(f"Longhorn {bad}, which is broken")
    cluster.eventually("the reason", lambda: said in release_failure(cluster), 90)
    # Of what Helm stored, Flux 2.6 has one attempt for each change of the release; later ones have one for each retry interval, of
    # minutes. What cannot be fetched or rendered touches nothing, and is tried again with growing pauses.
    time.sleep(ATTEMPTS_SECONDS)
    status = (cluster.release("longhorn", LONGHORN) or {})["status"]
    entries = [(one["chartVersion"], one["status"]) for one in status["history"] if one["status"] != "superseded"]
    assert entries == [(bad, "failed")] * stored + [(good, "deployed")]
    assert helm_revisions(cluster) == {**revisions, **({last + 1: "failed"} if stored else {})}, "one attempt, no rollback"
    if stored:
        assert status["lastAttemptedReleaseAction"] == "upgrade"
    assert longhorn_uids(cluster) == uids

    cluster.repository.revert()
    # Well below the layer's own timeout of 5 minutes, which it would wait for without the gate.
    cluster.wait_for_layers(project.layers(), cluster.commit("git revert"), 120)
    assert is_ready(cluster.release("longhorn", LONGHORN))
    assert longhorn_uids(cluster) == uids


def test_what_a_failing_test_prints_names_the_pod_that_is_waited_for(cluster: Cluster) -> None:
    """Without it, a release that stays in progress says nothing but that."""
    metadata = {"name": "waits", "namespace": "waiting"}
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "waiting"}})
    cluster.api.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": {
                "storageClassName": "absent",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
    labels = {"app": "waits"}
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "waits"}}
    pod = {"containers": [{"name": "waits", "image": "example.test/waits:1"}], "volumes": [volume]}
    cluster.api.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
        }
    )
    cluster.eventually("the report says why", lambda: "unbound immediate PersistentVolumeClaims" in cluster.report())
    said = cluster.report().splitlines()
    assert "Deployment waiting/waits: 0 of 1 ready" in said
    assert "PersistentVolumeClaim waiting/waits: Pending; class absent, asked of nobody" in said
    assert [line for line in said if line.startswith("Pod waiting/waits-") and "Pending on no node" in line]
    cluster.api.delete("v1", "Namespace", "waiting")
