"""The account that Flux applies an application as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fluxstead.core.manifest import KEEP
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.embedded import run_program
from fluxstead.roster import SYSTEM_FACTS
from fluxstead.tree.given import given
from fluxstead.tree.layer import Layer
from fluxstead.tree.order import order
from tests.conftest import Project
from tests.systems import homelab
from tests.systems.applications import PLATFORM, RICH, described, layer, objects, planned, the

RESOURCES = {
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "HelmRelease": "helmreleases",
    "HelmRepository": "helmrepositories",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "Ingress": "ingresses",
    "Middleware": "middlewares",
    "NetworkPolicy": "networkpolicies",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
}
"""As `kubectl api-resources` lists them."""
NEEDED = {"get", "list", "watch", "create", "patch", "delete"}
"""Of server-side apply, of waiting, and of pruning what may be pruned."""


def test_it_may_apply_await_and_prune_everything_in_its_layer(tmp_path: Path) -> None:
    """And where its role forgets a kind, the layer would never be Ready."""
    found = planned(described(tmp_path, RICH))
    for one in acting(found.layers):
        assert not refused(one, role_of(found.layers, one)), one.name


@pytest.mark.parametrize("stack", ["reference", "example"])
def test_both_trees_too_whatever_answers_for_routes(stack: str, request: pytest.FixtureRequest) -> None:
    """With Traefik's Middlewares, which are no kind of Kubernetes' own."""
    project: Project = request.getfixturevalue(stack)
    assembled = project.run().assembled
    assert assembled is not None
    layers = assembled.tree.order.layers
    apps = [one for one in acting(layers) if one.group == "apps"]
    assert len(apps) == 3
    for one in apps:
        assert not refused(one, role_of(layers, one)), one.name


def test_whatever_an_application_is(tmp_path: Path) -> None:
    """Everything on the page that says how to add one, charts too."""
    homelab.write(tmp_path)
    assembled = run_program(tmp_path, homelab.STACK).assembled
    assert assembled is not None
    apps = [one for one in acting(assembled.tree.order.layers) if one.group == "apps"]
    kinds = {manifest.object["kind"] for one in apps for manifest in one.manifests}
    assert kinds >= {"ConfigMap", "HelmRelease", "HelmRepository", "PersistentVolumeClaim"}
    for one in apps:
        assert not refused(one, role_of(assembled.tree.order.layers, one)), one.name


def test_it_may_change_neither_its_bounds_nor_its_rights(tmp_path: Path) -> None:
    """Nor read a Secret, nor run a command in a pod; what it only reads, its layer once had."""
    role = the(planned(described(tmp_path, RICH)), "web-prod-access", "Role")
    changing = {
        (group, resource)
        for rule in role["rules"]
        if set(rule["verbs"]) - {"get", "list", "watch"}
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert not {resource for _, resource in changing} & {
        *("secrets", "pods", "pods/exec", "resourcequotas", "limitranges", "namespaces"),
        *("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
    }
    everything = str(role["rules"])
    assert "*" not in everything
    assert "secrets" not in everything


def test_it_outlives_the_application_with_its_role_and_their_namespace(tmp_path: Path) -> None:
    """Whichever of the two layers Flux deletes first, the account can still delete the pods."""
    found = planned(described(tmp_path, RICH))
    for kind in ("Namespace", "ServiceAccount", "Role"):
        assert the(found, "web-dev-access", kind)["metadata"]["annotations"] == KEEP, kind
    [binding] = [one for one in objects(found, "web-dev-access", "RoleBinding") if one["roleRef"]["kind"] == "Role"]
    assert binding["metadata"]["annotations"] == KEEP


def test_it_is_there_before_its_layer_and_is_no_account_of_flux_itself(tmp_path: Path) -> None:
    """An application called `helm` in `controller` must not take over helm-controller's account."""
    apps = RICH.replace("name: web\n", "name: helm\n").replace("name: prod", "name: controller")
    found = planned(described(tmp_path, apps.replace("web-prod", "helm-controller")))
    account = the(found, "helm-controller-access", "ServiceAccount")["metadata"]
    assert account["namespace"] == FLUX_NAMESPACE
    assert account["name"] == layer(found, "helm-controller").service_account_name != "helm-controller"
    ordered = order(found.layers, given(PLATFORM), SYSTEM_FACTS.charts)
    assert "helm-controller-access" in ordered.dependencies("helm-controller")


def acting(layers: Any) -> list[Layer]:
    """The layers that act as an account of theirs."""
    return [one for one in layers if one.service_account_name]


def role_of(layers: Any, one: Layer) -> Any:
    """The rules of the role that is bound to a layer's account, by what is bound to what."""
    found = [manifest.object for other in layers for manifest in other.manifests]
    [binding] = [
        obj
        for obj in found
        if obj["kind"] == "RoleBinding"
        and {"name": one.service_account_name, "namespace": FLUX_NAMESPACE}.items() <= obj["subjects"][0].items()
    ]
    [role] = [
        obj
        for obj in found
        if obj["kind"] == "Role"
        and (obj["metadata"]["namespace"], obj["metadata"]["name"])
        == (binding["metadata"]["namespace"], binding["roleRef"]["name"])
    ]
    return role["rules"]


def refused(one: Layer, rules: Any) -> list[str]:
    """The objects of a layer that the role's rules do not cover, or that lie in another namespace."""
    bad = []
    for manifest in one.manifests:
        ref = manifest.ref
        verbs = {
            verb
            for rule in rules
            if ref.group in rule["apiGroups"] and RESOURCES[ref.kind] in rule["resources"]
            for verb in rule["verbs"]
        }
        kept = KEEP.items() <= manifest.object["metadata"].get("annotations", {}).items()
        if not verbs >= NEEDED - ({"delete"} if kept else set()) or ref.namespace != one.name:
            bad.append(str(ref))
    return bad
