"""The way of a request to a pod: every kind of route, named ports, load balancers, and what cannot be resolved."""

from __future__ import annotations

import pytest

from fluxstead.core.findings import Finding
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from tests.checks.planted import BUNDLED, DEPLOYMENT, HOME, SERVICE, WEB, Planted, autoscaler, layer, look, obj, release

_SERVICES = {"references/missing-service", "references/missing-port"}
_TRAEFIK, _GATEWAY = "traefik.io/v1alpha1", "gateway.networking.k8s.io/v1"


def found(*objects: str, wanted: set[str], platform: Platform | None = HOME) -> list[Finding]:
    """What is said of a tree of these objects."""
    files = layer("web", WEB, *objects)
    return [one for one in look(Planted(files=files, cure=("", ""), says="", platform=platform), files) if one.id in wanted]


def route(kind: str, backend: str) -> str:
    """A route of one backend."""
    if kind.startswith("IngressRoute"):
        return obj(kind, "web/site", f"spec: {{routes: [{{kind: Rule, match: Host(`a.test`), services: [{backend}]}}]}}", _TRAEFIK)
    return obj(kind, "web/site", f"spec: {{rules: [{{backendRefs: [{backend}]}}]}}", _GATEWAY)


@pytest.mark.parametrize("kind", ["IngressRoute", "IngressRouteTCP", "HTTPRoute", "GRPCRoute", "TLSRoute"])
@pytest.mark.parametrize(
    ("backend", "says"),
    [
        ("{name: sit, port: 80}", "Service sit, which does not exist"),
        ("{name: site, port: 81}", "port 81 of Service site"),
        ("{name: site, namespace: other, port: 80}", "Service other/site, which does not exist"),
    ],
)
def test_routes_of_traefik_and_of_the_gateway_api(kind: str, backend: str, says: str) -> None:
    """They are checked as an Ingress is."""
    [finding] = found(DEPLOYMENT, SERVICE, route(kind, backend), wanted=_SERVICES, platform=None)
    assert says in finding.what
    charts = (release("web/a", "a", "1.0.0"), release("other/a", "b", "1.0.0"))
    assert not found(DEPLOYMENT, SERVICE, route(kind, backend), *charts, wanted=_SERVICES, platform=None)


@pytest.mark.parametrize(
    ("kind", "backend"),
    [
        ("IngressRoute", "{name: site, port: 80}"),
        ("IngressRoute", "{name: site, port: http}"),
        ("IngressRoute", "{name: site, port: '80'}"),
        ("IngressRoute", "{name: site}"),
        ("IngressRoute", "{name: api@internal, kind: TraefikService}"),
        ("IngressRoute", "{name: weighted, kind: TraefikService}"),
        ("IngressRoute", "{name: '${APP}', port: 80}"),
        ("HTTPRoute", "{name: site, port: 80}"),
        ("HTTPRoute", "{name: bucket, group: example.test, kind: Bucket}"),
        ("HTTPRoute", "{name: traefik, namespace: kube-system, port: 80}"),
        ("HTTPRoute", "{name: kubernetes, namespace: default, port: 443}"),
    ],
)
def test_what_is_there_and_what_is_no_service(kind: str, backend: str) -> None:
    """No noise."""
    service = SERVICE.replace("port: 80", "name: http, port: 80")
    assert not found(DEPLOYMENT, service, route(kind, backend), wanted=_SERVICES, platform=None)


@pytest.mark.parametrize(
    ("names", "id_"),
    [
        (route("HTTPRoute", "{name: sit, port: 80}"), "references/missing-service"),
        (SERVICE.replace("app: site", "app: sit"), "references/selects-nothing"),
        (autoscaler("web/site", "sit"), "references/no-target"),
        (release("web/site", "site", "1.0.0").partition("---")[0], "references/missing-source"),
        (release("web/site", "site", "1.0.0", ", dependsOn: [{name: sit}]"), "references/dangling-dependency"),
        (obj("ServiceAccount", "web/site", "imagePullSecrets: [{name: sit}]"), "references/missing-secret"),
    ],
)
def test_a_tree_that_is_not_whole_is_not_told_what_is_missing(names: str, id_: str) -> None:
    """A ResourceSet makes whatever its template says."""
    more = obj("ResourceSet", "flux-system/any", "spec: {}", "fluxcd.controlplane.io/v1")
    assert found(DEPLOYMENT, SERVICE, names, wanted={id_}, platform=None)
    assert not found(DEPLOYMENT, SERVICE, names, more, wanted={id_}, platform=None)


@pytest.mark.parametrize("target", ["8080", "'8080'", "http", "admin"])
def test_ports_that_some_selected_pod_has(target: str) -> None:
    """Numbers need no name; one pod of several is enough; a sidecar is a container as well."""
    pods = DEPLOYMENT.replace("{containers: [{", "{containers: [{ports: [{name: http, containerPort: 8080}], ")
    side = "initContainers: [{name: side, ports: [{name: admin, containerPort: 1}]}], containers"
    service = SERVICE.replace("port: 80", f"port: 80, targetPort: {target}")
    wanted = {"references/missing-target-port"}
    assert not found(pods.replace("containers", side), service, wanted=wanted)
    unnamed = found(DEPLOYMENT, service, wanted=wanted)
    assert [one.fix for one in unnamed] == ([] if "8080" in target else ["a port of their containers: none has a name"])
    assert not found(DEPLOYMENT, service, release("web/a", "a", "1.0.0"), wanted=wanted)


_BALANCED = SERVICE.replace("{selector", "{type: LoadBalancer, selector").replace("port: 80", "port: 53")
_SECOND = _BALANCED.replace("name: site}", "name: other}")


def test_two_load_balancers_on_one_port() -> None:
    """k3s's Traefik is one, unless it was told to take other ports."""
    wanted = {"ownership/load-balancer-port"}
    [finding] = found(DEPLOYMENT, _BALANCED, _SECOND, wanted=wanted, platform=BUNDLED)
    assert "port 53 of the nodes, which Service web/site" in finding.what
    on_80 = _BALANCED.replace("port: 53", "port: 80")
    assert found(DEPLOYMENT, on_80, wanted=wanted, platform=BUNDLED)
    moved = obj(
        "HelmChartConfig", "kube-system/traefik", "spec: {valuesContent: 'ports: {web: {exposedPort: 81}}'}", "helm.cattle.io/v1"
    )
    assert not found(DEPLOYMENT, on_80, moved, wanted=wanted, platform=BUNDLED)
    without = Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"), disabled=frozenset({"traefik"}))
    assert not found(DEPLOYMENT, on_80, wanted=wanted, platform=without)


@pytest.mark.parametrize(
    ("second", "platform"),
    [
        (_SECOND, HOME),
        (_SECOND, None),
        (_SECOND.replace("port: 53", "port: 53, protocol: UDP"), BUNDLED),
        (_SECOND.replace("port: 53", "port: 54"), BUNDLED),
        (_SECOND.replace("type: LoadBalancer", "type: LoadBalancer, loadBalancerClass: example.test/lb"), BUNDLED),
        (_SECOND.replace("metadata: {", "metadata: {labels: {svccontroller.k3s.cattle.io/lbpool: b}, "), BUNDLED),
        (_SECOND + "---\n" + release("web/metallb", "metallb", "0.15.2"), BUNDLED),
    ],
)
def test_load_balancers_that_do_not_meet(second: str, platform: Platform | None) -> None:
    """Where servicelb is off or unknown, where another one gives addresses, and where ports or nodes differ."""
    assert not found(DEPLOYMENT, _BALANCED, second, wanted={"ownership/load-balancer-port"}, platform=platform)
