"""Ways that lead nowhere: load balancers without one, peers and middlewares that are not there; and roles for everybody."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from tests.checks.planted import BUNDLED, DEPLOYMENT, HOME, RBAC, SERVICE, WEB, Planted, ingress, layer, look, obj, release

BALANCED = SERVICE.replace("{selector", "{type: LoadBalancer, selector")
ROUTE = obj("IngressRoute", "web/site", "spec: {routes: [{kind: Rule, match: PathPrefix(`/`), NAMED}]}", "traefik.io/v1alpha1")
STRIP = obj("Middleware", "web/strip", "spec: {stripPrefix: {prefixes: [/site]}}", "traefik.io/v1alpha1")
THROUGH = "traefik.ingress.kubernetes.io/router.middlewares"


def found(*objects: str, **more: Any) -> list[str]:
    """The ids of what is said, for these checks."""
    defect = Planted(files=layer("web", WEB, *objects), cure=("", ""), says="", **more)
    own = {"ownership/no-load-balancer", "references/peer-nowhere", "ingress/missing-middleware", "accounts/everybody"}
    return [one.id for one in look(defect, defect.files) if one.id in own]


def test_a_load_balancer_without_one() -> None:
    """Only where servicelb is switched off, and nothing takes its place."""
    balanced = (DEPLOYMENT, BALANCED)
    assert found(*balanced, platform=HOME) == ["ownership/no-load-balancer"]
    assert not found(*balanced, platform=BUNDLED)
    assert not found(*balanced, platform=None)
    assert not found(*balanced, release("web/metallb", "metallb", "0.15.2"), platform=HOME)
    assert not found(*balanced, DEPLOYMENT.replace("Deployment", "DaemonSet").replace("name: site}", "name: kube-vip-ds}", 1))
    assert not found(*balanced, obj("CiliumLoadBalancerIPPool", "pool", "spec: {}", "cilium.io/v2"))
    assert not found(DEPLOYMENT, BALANCED.replace("{type:", "{loadBalancerClass: a/b, type:"))


@pytest.mark.parametrize(
    ("peer", "nowhere"),
    [
        ("namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: wb}}", True),
        ("namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}", False),
        ("namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}", False),
        ("namespaceSelector: {matchLabels: {team: wb}}", False),
        ("ipBlock: {cidr: 10.43.0.0/24}", True),
        ("ipBlock: {cidr: 0.0.0.0/0}", False),
        ("ipBlock: {cidr: 'fd00::/64'}", False),
        ("ipBlock: {cidr: 192.168.1.5/32}", False),
    ],
)
def test_peers_of_policies(peer: str, nowhere: bool) -> None:
    """A namespace that nothing makes; addresses that no policy ever sees."""
    policy = obj(
        "NetworkPolicy", "web/site", f"spec: {{podSelector: {{}}, egress: [{{to: [{{{peer}}}]}}]}}", "networking.k8s.io/v1"
    )
    said = found(policy, more={"networks": {"serviceCidr": [ip_network("10.43.0.0/16")]}})
    assert said == (["references/peer-nowhere"] if nowhere else [])


@pytest.mark.parametrize(
    ("named", "missing"),
    [
        ("web-strip@kubernetescrd", False),
        ("web-strp@kubernetescrd", True),
        ("web-strip", True),  # of the Ingress provider, which has none
        ("web-strip@kubernetescrd, web-strp@kubernetescrd", True),
        ("compress@file", False),
        ("kube-system-strip@kubernetescrd", False),  # k3s's own namespace may hold more than files show
    ],
)
def test_middlewares_of_ingresses(named: str, missing: bool) -> None:
    """By the name that Traefik gives them."""
    routed = ingress("web/site", "a.test").replace("metadata: {", f"metadata: {{annotations: {{{THROUGH}: '{named}'}}, ")
    said = found(DEPLOYMENT, SERVICE, STRIP, routed, platform=BUNDLED)
    assert said == (["ingress/missing-middleware"] if missing else [])
    other = routed.replace("spec: {rules", "spec: {ingressClassName: nginx, rules")
    assert not found(DEPLOYMENT, SERVICE, STRIP, other, platform=None)


@pytest.mark.parametrize(
    ("named", "missing"),
    [("{name: strip}", False), ("{name: strp}", True), ("{name: strip, namespace: wb}", True), ("{name: a@file}", False)],
)
def test_middlewares_of_ingress_routes(named: str, missing: bool) -> None:
    """By name and namespace."""
    said = found(STRIP, ROUTE.replace("NAMED", f"middlewares: [{named}]"), platform=BUNDLED)
    assert said == (["ingress/missing-middleware"] if missing else [])


@pytest.mark.parametrize(
    ("role", "group", "said"),
    [("view", "system:authenticated", 1), ("view", "developers", 0), ("system:discovery", "system:authenticated", 0)],
)
def test_roles_for_everybody(role: str, group: str, said: int) -> None:
    """Kubernetes' own are for that."""
    reference = f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: '{role}'}}\n"
    subjects = f"subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: '{group}'}}]"
    assert len(found(obj("ClusterRoleBinding", "all", reference + subjects, RBAC))) == said
