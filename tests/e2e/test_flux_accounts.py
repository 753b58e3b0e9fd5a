"""What Flux may do for an application: everything that its layer needs, from the first commit to the last, and nothing else."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.cluster.api import Json
from tests.e2e.cluster.description import STACK, Project
from tests.e2e.cluster.fixtures import NODE, Need, reference_running
from tests.e2e.cluster.flux import NAMESPACE, Cluster
from tests.e2e.cluster.readings import failure
from tests.tree.earlier import to_one_layer_for_each_application

pytestmark = pytest.mark.flux
NOTES = """
    - name: notes
      image: example.test/notes
      port: 8080
      volume: {size: 1Gi, storageClass: longhorn, mountPath: /data}
      environments:
        - {name: live, tag: 1.0.0}
"""
STAGING = """        - name: staging
          interval: 5m
          tag: 6.9.0 # our choice
          state: offline # our choice: until needed
          route: {host: staging.example-app.local} # our choice
"""
NAMESPACES = ("example-app-dev", "example-app-staging", "example-app-prod", "notes-live")
HELD = (
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
)


@pytest.fixture(scope="module")
def cluster(need: Need) -> Iterator[Cluster]:
    """The reference cluster, with a Flux that drops a wait when a new commit is there."""
    with reference_running(need, cure_at_once=True) as made:
        yield made


@pytest.fixture(scope="module")
def project(cluster: Cluster) -> Project:
    """Its description, with an application that has a volume, in the layout in which a namespace lay in its application's layer."""
    made = Project(cluster.repository.folder)
    made.replace(made.stack_file.name, "  fluxstead:monitoring:", f"{NOTES.strip(chr(10))}\n  fluxstead:monitoring:")
    made.render()
    to_one_layer_for_each_application(made.folder / f"generated/{STACK}")
    cluster.bootstrap(f"./clusters/{STACK}")
    names = [name for name in made.layers() if not name.endswith("-access") or name == "node-labels-access"]
    cluster.wait_for_layers(names, cluster.commit("the earlier layout"), 300)
    return made


def test_the_earlier_layout_is_taken_over_in_one_commit_and_back(cluster: Cluster, project: Project) -> None:
    """F27. Nothing is deleted, neither what holds a claim nor what holds none, and it can be reverted."""
    before = uids(cluster)
    assert {namespace for _, namespace, _ in before} == set(NAMESPACES)
    assert [namespace for namespace in NAMESPACES if not kept(cluster, namespace)] == list(NAMESPACES[:3]), "Flux may prune them"
    earlier = cluster.repository.folder / f"generated/{STACK}"
    subprocess.run(["rm", "-r", earlier], check=True)
    project.render()
    status, said = project.run("check")
    assert status == 0, said
    assert "moves/" not in said
    cluster.wait_for_layers(project.layers(), cluster.commit("accounts"))
    after = uids(cluster)
    assert before.items() <= after.items()
    assert [namespace for namespace in NAMESPACES if kept(cluster, namespace)] == list(NAMESPACES)

    cluster.repository.revert()
    revision = cluster.commit("git revert")
    cluster.wait_for_layers([name for name in project.layers() if not name.startswith(NAMESPACES)] + list(NAMESPACES), revision)
    cluster.eventually(
        "no accesses", lambda: not [name for name in cluster.layers() if name.startswith(NAMESPACES) and name.endswith("-access")]
    )
    but_bounds = {key: uid for key, uid in before.items() if key[0] not in {"ResourceQuota", "LimitRange", "RoleBinding"}}
    assert but_bounds.items() <= uids(cluster).items()

    cluster.repository.revert()
    cluster.wait_for_layers(project.layers(), cluster.commit("accounts, again"))
    assert but_bounds.items() <= uids(cluster).items()


def test_an_account_can_do_nothing_but_its_layers_work(cluster: Cluster, project: Project) -> None:
    """Asked of the API server. What its own layer brings is granted, as the layers are Ready."""
    del project
    own, account = "example-app-dev", "app-example-app-dev"
    assert may(cluster, account, ("patch", "apps", "deployments", own))
    assert may(cluster, account, ("delete", "networking.k8s.io", "ingresses", own))
    for attempt in (
        ("get", "", "secrets", own),
        ("create", "", "pods", own),
        ("create", "", "pods/exec", own),
        ("patch", "", "resourcequotas", own),
        ("patch", "", "namespaces", own),
        ("create", "rbac.authorization.k8s.io", "rolebindings", own),
        ("patch", "apps", "deployments", "example-app-prod"),
        ("get", "apps", "deployments", "longhorn-system"),
        ("get", "", "secrets", NAMESPACE),
        ("patch", "kustomize.toolkit.fluxcd.io", "kustomizations", NAMESPACE),
        ("get", "", "nodes", ""),
        ("create", "", "namespaces", ""),
    ):
        assert not may(cluster, account, attempt), attempt


def test_labels_are_set_on_described_machines_only(cluster: Cluster, project: Project) -> None:
    """F10. Any other Node can be read, as Flux does when its machine has left, and nothing more."""
    del project
    assert may(cluster, "node-labels", ("patch", "", "nodes", ""), NODE)
    for verb, name in (("patch", "k3s9"), ("create", NODE), ("delete", NODE), ("update", NODE), ("patch", "")):
        assert not may(cluster, "node-labels", (verb, "", "nodes", ""), name), (verb, name)
    assert may(cluster, "node-labels", ("get", "", "nodes", ""), "k3s9")


def test_what_a_commit_takes_out_of_a_layer_is_pruned_by_its_account(cluster: Cluster, project: Project) -> None:
    """Kinds that the layer then has no more."""
    assert cluster.api.list("autoscaling/v2", "HorizontalPodAutoscaler", "example-app-prod")
    scaling, budget = (
        "          autoscaling: {minReplicas: 2, maxReplicas: 4, cpu: 70} # our choice\n",
        "disruptionBudget: {maxUnavailable: 1} # our choice\n",
    )
    project.replace(project.stack_file.name, scaling, "          replicas: 2\n")
    project.replace(project.stack_file.name, f"          {budget}", "")
    project.replace(project.stack_file.name, "          route: {host: example-app.local} # our choice\n", "")
    project.render()
    cluster.wait_for_layers(project.layers(), cluster.commit("less of prod"))
    for api_version, kind in HELD[6:8] + HELD[9:10]:
        assert not cluster.api.list(api_version, kind, "example-app-prod"), kind


def test_one_commit_removes_applications_and_what_stays_is_named(cluster: Cluster, project: Project) -> None:
    """Whichever layer Flux deletes first: the pods go; claim, namespace and account stay, until the printed commands are typed."""
    before = uids(cluster)
    project.replace(project.stack_file.name, NOTES.strip("\n"), "")
    project.replace(project.stack_file.name, STAGING, "")
    project.render()
    status, said = project.run("check")
    assert status == 0, said
    cluster.wait_for_layers(project.layers(), cluster.commit("no notes, no staging"))
    gone = ("notes-live", "example-app-staging")
    cluster.eventually("their layers gone", lambda: not [name for name in cluster.layers() if name.startswith(gone)])
    for namespace in gone:
        assert not cluster.api.list("apps/v1", "Deployment", namespace)
        assert not cluster.api.list("v1", "Service", namespace)
        assert cluster.api.get("v1", "ServiceAccount", f"app-{namespace}", NAMESPACE)
    after = uids(cluster)
    stays = {key: uid for key, uid in before.items() if key[0] in {"Namespace", "PersistentVolumeClaim"}}
    assert stays.items() <= after.items()

    for namespace in gone:
        [command] = re.findall(rf"`(kubectl delete namespace {namespace}[^`]*)`", said)
        words = command.replace("kubectl", cluster.control_plane.kubectl_words())
        subprocess.run(["bash", "-euc", f"{words} --wait=false"], check=True, capture_output=True)
        assert cluster.api.get("v1", "ServiceAccount", f"app-{namespace}", NAMESPACE) is None
    cluster.eventually(
        "the namespace without a claim gone", lambda: cluster.api.get("v1", "Namespace", "example-app-staging") is None
    )


def test_a_layer_whose_account_may_not_says_so(cluster: Cluster, project: Project) -> None:
    """What a person sees when somebody took the role away; it comes back with the other layer."""
    del project
    cluster.api.delete("rbac.authorization.k8s.io/v1", "RoleBinding", "flux", "example-app-dev")
    cluster.reconcile("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "example-app-dev", NAMESPACE)
    said = cluster.eventually("the refusal", lambda: failure(cluster, "example-app-dev", "forbidden"))
    assert "system:serviceaccount:flux-system:app-example-app-dev" in said
    for layer in ("example-app-dev-access", "example-app-dev"):
        cluster.reconcile("kustomize.toolkit.fluxcd.io/v1", "Kustomization", layer, NAMESPACE)
    cluster.eventually("Ready again", lambda: not failure(cluster, "example-app-dev", ""), 90)


def uids(cluster: Cluster) -> dict[tuple[str, str, str], str]:
    """By kind, namespace and name, of the applications' objects that are not going; made by Kubernetes itself: none."""
    made = [("Namespace", one["metadata"]["name"], one["metadata"]) for one in cluster.api.list("v1", "Namespace")]
    made += [
        (kind, one["metadata"]["namespace"], one["metadata"])
        for api_version, kind in HELD
        for one in cluster.api.list(api_version, kind)
        if one["metadata"]["name"] != "default"
    ]
    return {
        (kind, namespace, metadata["name"]): metadata["uid"]
        for kind, namespace, metadata in made
        if namespace in NAMESPACES and "deletionTimestamp" not in metadata
    }


def kept(cluster: Cluster, namespace: str) -> bool:
    """Whether Flux may not prune a namespace."""
    found = cluster.api.get("v1", "Namespace", namespace)
    assert found
    return "kustomize.toolkit.fluxcd.io/prune" in found["metadata"].get("annotations", {})


def may(cluster: Cluster, account: str, attempt: tuple[str, str, str, str], name: str = "x") -> bool:
    """Whether the API server lets an account of Flux's do something: verb, API group, resource, namespace."""
    verb, group, resource, namespace = attempt
    kind, _, part = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": kind, "subresource": part, "namespace": namespace, "name": name}
    review: Json = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": f"system:serviceaccount:{NAMESPACE}:{account}", "resourceAttributes": attributes},
    }
    answer = cluster.api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])
