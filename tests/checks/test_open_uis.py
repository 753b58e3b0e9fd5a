"""Pages that ask nobody who it is, in trees that people wrote: told where everybody reaches them, and not elsewhere."""

from __future__ import annotations

import pytest

from tests.checks.planted import WEB, Planted, layer, look, obj, release

_LONGHORN = "backend: {service: {name: longhorn-frontend, port: {number: 80}}}"
_STACK = "backend: {service: {name: kube-prometheus-stack-prometheus, port: {number: 9090}}}"
_NGINX, _TRAEFIK = "nginx.ingress.kubernetes.io", "traefik.ingress.kubernetes.io"


def found(*objects: str) -> set[str]:
    """What is told of pages that are open."""
    planted = Planted(files=layer("web", WEB, *objects), cure=("", ""), says="", platform=None)
    return {one.id for one in look(planted, planted.files) if one.id.startswith("exposure/")}


def ingress(backend: str, *, notes: str = "", class_name: str = "nginx") -> str:
    """An Ingress of somebody's own."""
    annotations = f", annotations: {{{notes}}}" if notes else ""
    spec = f"spec: {{ingressClassName: {class_name}, rules: [{{http: {{paths: [{{path: /, pathType: Prefix, {backend}}}]}}}}]}}"
    text = obj("Ingress", "web/site", spec, "networking.k8s.io/v1")
    return text.replace("name: site}", f"name: site{annotations}}}", 1)


@pytest.mark.parametrize(("backend", "told"), [(_LONGHORN, "exposure/open-ui"), (_STACK, "exposure/open-page")])
def test_an_ingress_that_asks_nobody_is_told(backend: str, told: str) -> None:
    assert found(ingress(backend)) == {told}


@pytest.mark.parametrize(
    "notes",
    [
        f"{_NGINX}/auth-type: basic",
        f"{_NGINX}/auth-url: 'https://id.test'",
        f"{_NGINX}/whitelist-source-range: 10.0.0.0/8",
        f"{_NGINX}/allowlist-source-range: 10.0.0.0/8",
        f"{_NGINX}/auth-tls-secret: web/ca",
        f"{_TRAEFIK}/router.middlewares: web-auth@kubernetescrd",
    ],
)
def test_whatever_asks_in_front_of_it_is_enough(notes: str) -> None:
    own, other = ("nginx", "traefik") if "nginx" in notes else ("traefik", "nginx")
    assert found(ingress(_LONGHORN, notes=notes, class_name=own)) == set()
    assert found(ingress(_LONGHORN, notes=notes, class_name=other)) == {"exposure/open-ui"}, "it does not read that annotation"


def test_other_annotations_ask_nobody() -> None:
    assert found(ingress(_LONGHORN, notes=f"{_NGINX}/proxy-body-size: 10m")) == {"exposure/open-ui"}


def test_of_another_controller_nothing_is_known() -> None:
    assert found(ingress(_LONGHORN, class_name="haproxy")) == set()


def test_a_default_backend_is_a_way_in_as_well() -> None:
    spec = "spec: {ingressClassName: nginx, defaultBackend: {service: {name: longhorn-frontend, port: {number: 80}}}}"
    assert found(obj("Ingress", "web/site", spec, "networking.k8s.io/v1")) == {"exposure/open-ui"}


def test_another_page_is_nobodys_business() -> None:
    assert found(ingress("backend: {service: {name: site, port: {number: 80}}}")) == set()


@pytest.mark.parametrize(("rest", "told"), [("", {"exposure/open-ui"}), (", middlewares: [{name: auth}]", set())])
def test_a_route_of_traefiks_own(rest: str, told: set[str]) -> None:
    spec = f"spec: {{routes: [{{kind: Rule, match: Host(`a.test`), services: [{{name: longhorn-frontend, port: 80}}]{rest}}}]}}"
    assert found(obj("IngressRoute", "web/site", spec, "traefik.io/v1alpha1")) == told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("ingress: {enabled: true}", {"exposure/open-ui"}),
        ("ingress: {enabled: true, ingressClassName: haproxy}", set()),
        (f"ingress: {{enabled: true, annotations: {{{_NGINX}/auth-url: 'https://id.test'}}}}", set()),
        ("httproute: {enabled: true}", {"exposure/open-ui"}),
        ("service: {ui: {type: LoadBalancer}}", {"exposure/open-ui"}),
        ("service: {ui: {type: Rancher-Proxy}}", set()),
        ("service: {manager: {type: NodePort}}", set()),
        ("ingress: on", set()),
    ],
)
def test_values_by_which_a_chart_lets_everybody_in(values: str, told: set[str]) -> None:
    assert found(release("web/longhorn", "longhorn", "1.12.1", f", values: {{{values}}}")) == told
