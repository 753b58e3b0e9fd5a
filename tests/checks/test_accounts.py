"""References to ServiceAccounts, Roles and bindings: every way to make one, and those that cannot be resolved."""

from __future__ import annotations

import pytest

from fluxstead.core.findings import Finding
from tests.checks.planted import ACCOUNT, DEPLOYMENT, RBAC, WEB, Planted, binding, layer, look, obj, release

_IDS = {"references/missing-service-account", "references/missing-role", "references/missing-subject"}
_ROLE = obj("Role", "web/site", "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]", RBAC)
_ACTS = DEPLOYMENT.replace("spec: {containers", "spec: {serviceAccountName: sit, containers")
_OPERATOR = obj("Database", "web/db", "spec: {}", "example.test/v1")


def found(*objects: str, spec: str = "") -> list[Finding]:
    """What is said of accounts in a tree of these objects."""
    files = layer("web", WEB, *objects, spec=spec)
    return [one for one in look(Planted(files=files, cure=("", ""), says=""), files) if one.id in _IDS]


@pytest.mark.parametrize(
    ("acts", "write"),
    [
        (_ACTS, "site"),
        (release("web/site", "site", "1.0.0", ", serviceAccountName: sit"), "site"),
        (binding("Role", "site", "sit"), "site"),
        (binding("Role", "sit", "site"), "site"),
        (binding("ClusterRole", "veiw", "site"), "view"),
    ],
)
def test_a_name_that_is_missing_is_told_with_the_nearest(acts: str, write: str) -> None:
    """A release does not make the account that it is installed as; another release of its namespace may."""
    [finding] = found(ACCOUNT, _ROLE, acts)
    assert finding.fix == write
    assert not found(ACCOUNT, _ROLE, acts, release("web/other", "other", "1.0.0"))


@pytest.mark.parametrize("acts", [_ACTS, binding("Role", "site", "sit"), binding("Role", "sit", "site")])
def test_an_operator_may_make_it(acts: str) -> None:
    """In its own namespace."""
    assert not found(ACCOUNT, _ROLE, acts, _OPERATOR)


@pytest.mark.parametrize(
    "acts",
    [
        _ACTS.replace("sit,", "default,"),
        _ACTS.replace("sit,", "'${ACCOUNT}',"),
        binding("ClusterRole", "view", "site"),
        binding("ClusterRole", "system:node", "site"),
        binding("ClusterRole", "crd-controller-flux-system", "site"),
        binding("ClusterRole", "view", "default"),
        binding("ClusterRole", "view", "coredns").replace("name: coredns, namespace: web", "name: coredns, namespace: kube-system"),
        binding("ClusterRole", "view", "a").replace("kind: ServiceAccount, name: a, namespace: web", "kind: Group, name: a"),
        binding("ClusterRole", "view", "site").replace("name: site, namespace: web", "name: site, namespace: placeholder"),
    ],
)
def test_what_is_there_without_a_file(acts: str) -> None:
    """What Kubernetes and Flux have, what no ServiceAccount is, and what kustomize moves."""
    assert not found(ACCOUNT, _ROLE, acts)


def test_flux_acts_as_accounts_too() -> None:
    """In the Kustomization's namespace, unless it is another cluster's."""
    assert "flux-system/reconcilr" in found(spec="serviceAccountName: reconcilr")[0].what
    assert not found(spec="serviceAccountName: kustomize-controller")
    assert not found(obj("ServiceAccount", "flux-system/reconcilr"), spec="serviceAccountName: reconcilr")
    assert not found(spec="serviceAccountName: reconcilr\n  kubeConfig: {secretRef: {name: other}}")
