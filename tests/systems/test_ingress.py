"""The way into the cluster: what a browser gets, on both controllers, and what is refused before."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.catalog.chart_values import unknown_values, versions_known
from fluxstead.catalog.schemas import Schemas
from fluxstead.core.findings import Source
from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.systems.ingress import plan, router_of
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.tree.asks import Route
from fluxstead.tree.layer import Plan
from fluxstead.tree.resolve import resolved
from tests.conftest import Project

NGINX = {"controller": "ingress-nginx", "version": "4.12.3"}
TRAEFIK = {"controller": "traefik", "version": "41.3.0"}
BUNDLED = {"controller": "traefik"}
OFF = frozenset({"traefik", "servicelb"})
SCHEMAS = Schemas(kubernetes=Version("v1.33.1"), flux=Version("2.6.1"))


def plan_of(
    written: dict[str, Any], *routes: Route, disabled: frozenset[str] = OFF, nodes: tuple[Node, ...] = (), flux: str = "2.6.1"
) -> Plan:
    """The plan of settings as they are written in YAML, and behind it the layers of somebody's routes."""
    platform = Platform(cluster="lab", flux=Version(flux), kubernetes=Version("v1.33.1+k3s1"), disabled=disabled)
    settings = IngressSettings.model_validate(written)
    own = plan(settings, platform, router_of(settings, platform, nodes))
    asking = resolved({"asking": Plan(routes=routes), "ingress": own})["asking"]
    return own._replace(layers=(*own.layers, *asking.layers), links=asking.links)


def route(**parts: Any) -> Route:
    """A route to Longhorn's UI, with other parts where a test needs them."""
    usual = {"name": "ui", "namespace": "storage", "service": "frontend", "port": 80, "source": Source("stack", 7)}
    usual |= {"layer": "ui-routes", "group": "infrastructure"}
    return Route(**{**usual, **parts})


def node(name: str, address: str, role: str, state: str) -> Node:
    """A machine without disks."""
    return Node.model_validate({"name": name, "cluster": "lab", "address": address, "role": role, "state": state})


def objects(manifests: tuple[Manifest, ...], kind: str) -> list[dict[str, Any]]:
    """The objects of one kind."""
    return [dict(manifest.object) for manifest in manifests if manifest.object["kind"] == kind]


def release_of(found: Plan) -> dict[str, Any]:
    """The spec of the controller's HelmRelease."""
    [release] = objects(found.layers[0].manifests, "HelmRelease")
    spec: dict[str, Any] = release["spec"]
    return spec


def ids(found: Plan) -> list[tuple[str, str]]:
    """Severity and id of each finding."""
    return [(str(finding.severity), finding.id) for finding in found.findings]


PATHS = st.from_regex(r"(/[a-z0-9._~-]{1,8}){1,3}", fullmatch=True)
HOSTS = st.none() | st.sampled_from(["dev.example-app.local", "ui.home.arpa"])
ROUTES = st.builds(route, host=HOSTS, path=PATHS, strip_path=st.booleans()) | st.builds(route, host=HOSTS)


@given(ROUTES, st.sampled_from([(NGINX, OFF), (TRAEFIK, OFF), (BUNDLED, frozenset[str]())]))
def test_every_route_becomes_objects_that_the_cluster_accepts(
    way: Route, controller: tuple[dict[str, Any], frozenset[str]]
) -> None:
    """In the route's namespace, to its Service, under its host, of the controller's class."""
    written, disabled = controller
    found = plan_of(written, way, disabled=disabled)
    for layer in found.layers:
        for manifest in layer.manifests:
            assert not SCHEMAS.problems(manifest.object)
    manifests = found.layers[1].manifests
    assert {manifest.ref.namespace for manifest in manifests} == {"storage"}
    for ingress in objects(manifests, "Ingress"):
        [rule] = ingress["spec"]["rules"]
        assert ingress["spec"]["ingressClassName"] == {"ingress-nginx": "nginx"}.get(written["controller"], "traefik")
        assert rule.get("host") == way.host
        assert rule["http"]["paths"][0]["backend"] == {"service": {"name": "frontend", "port": {"number": 80}}}


def nginx_answer(way: Route, path: str, host: str) -> str | None:
    """What nginx does with a request, as ingress-nginx writes its configuration: the longest pattern, then the rewrite."""
    found = plan_of(NGINX, way).layers[1].manifests
    locations = {each["spec"]["rules"][0]["http"]["paths"][0]["path"]: each for each in objects(found, "Ingress")}
    for pattern in sorted(locations, key=len, reverse=True):
        if re.match(f"(?i)^{pattern}", path):
            target = locations[pattern]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/rewrite-target"]
            replacement = re.sub(r"\$(\d)", r"\\g<\1>", target)
            rewritten = re.sub(f"(?i)^.*?{pattern}", replacement, path)
            return rewritten.replace("$scheme", "http").replace("$http_host", host)
    return None


@given(PATHS)
def test_nginx_redirects_the_bare_path_and_keeps_host_and_port(path: str) -> None:
    """F21: without the slash the Longhorn UI is a blank page, and without the port the redirect leads nowhere."""
    way = route(path=path, strip_path=True)
    assert nginx_answer(way, path, "192.168.86.71:30080") == f"http://192.168.86.71:30080{path}/"
    assert nginx_answer(way, f"{path}/", "x") == "/"
    assert nginx_answer(way, f"{path}/v1/volumes/{path}", "x") == f"/v1/volumes/{path}"
    assert nginx_answer(way, f"{path}x", "x") is None
    assert nginx_answer(way, f"/x{path}", "x") is None


def test_no_annotation_is_one_that_ingress_nginx_refuses() -> None:
    """Snippets are off by default; values have to fit internal/ingress/annotations/parser/validators.go."""
    for ingress in objects(plan_of(NGINX, route(path="/my.ui-1", strip_path=True)).layers[1].manifests, "Ingress"):
        annotations = ingress["metadata"]["annotations"]
        assert {key.rpartition("/")[2] for key in annotations} == {"use-regex", "rewrite-target"}
        assert re.fullmatch(r"/?[-._~a-zA-Z0-9/:$]*", annotations["nginx.ingress.kubernetes.io/rewrite-target"])


@pytest.mark.parametrize(("path", "path_type"), [("/", "Prefix"), ("/a_b/c-1", "Prefix"), ("/a.b", "ImplementationSpecific")])
def test_ingress_nginx_admits_the_path_type(path: str, path_type: str) -> None:
    """Its webhook refuses a dot in a Prefix until 1.13 (internal/ingress/inspector/inspector.go)."""
    [ingress] = objects(plan_of(NGINX, route(path=path)).layers[1].manifests, "Ingress")
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["pathType"] == path_type


@given(PATHS, st.sampled_from(["", "?a=b"]), st.sampled_from(["http://192.168.86.71:30080", "https://[fd00::1]:30443"]))
def test_traefik_redirects_the_bare_path_and_keeps_host_and_port(path: str, query: str, host: str) -> None:
    """F21, by Middlewares: redirect first, then strip."""
    manifests = plan_of(BUNDLED, route(path=path, strip_path=True), disabled=frozenset()).layers[1].manifests
    slash, strip = objects(manifests, "Middleware")
    [ingress] = objects(manifests, "Ingress")
    chain = f"storage-{slash['metadata']['name']}@kubernetescrd,storage-{strip['metadata']['name']}@kubernetescrd"
    assert ingress["metadata"]["annotations"] == {"traefik.ingress.kubernetes.io/router.middlewares": chain}
    assert strip["spec"]["stripPrefix"]["prefixes"] == [path]
    redirect = slash["spec"]["redirectRegex"]
    replacement = re.sub(r"\$\{(\d)\}", r"\\g<\1>", redirect["replacement"])
    assert re.sub(redirect["regex"], replacement, f"{host}{path}{query}") == f"{host}{path}/{query}"
    for other in (f"{host}{path}/", f"{host}{path}/x", f"{host}{path}x", f"{host}/x{path}", f"{host}/?u=http://x{path}"):
        assert not re.search(redirect["regex"], other)


@pytest.mark.parametrize(("chart", "written"), [("ingress-nginx", NGINX), ("traefik", TRAEFIK)])
def test_every_version_of_the_chart_knows_the_values(chart: str, written: dict[str, Any]) -> None:
    """F20: Helm takes unknown values without a word."""
    assert versions_known(chart)
    for version in versions_known(chart):
        assert unknown_values(chart, version, release_of(plan_of({**written, "version": version}))["values"]) == []


def test_the_default_backend_is_probed_over_tcp() -> None:
    """The chart hard-codes HTTP probes: each one loses httpGet and gains tcpSocket."""
    [patch] = release_of(plan_of(NGINX))["postRenderers"][0]["kustomize"]["patches"]
    container = "/spec/template/spec/containers/0"
    steps = {(step["op"], step["path"].removeprefix(container)) for step in yaml.safe_load(patch["patch"])}
    for probe in ("livenessProbe", "readinessProbe"):
        assert {("remove", f"/{probe}/httpGet"), ("add", f"/{probe}/tcpSocket")} <= steps
    assert patch["target"] == {"kind": "Deployment", "labelSelector": "app.kubernetes.io/component=default-backend"}


def test_without_a_default_backend_nothing_is_rendered_for_it() -> None:
    """Its image is for amd64 only."""
    spec = release_of(plan_of({**NGINX, "defaultBackend": False}))
    assert spec["values"]["defaultBackend"] == {"enabled": False}
    assert "postRenderers" not in spec


def test_settings_reach_the_release_and_overrides_come_last() -> None:
    """Names and ports of a running cluster are settings: other names would install a second controller (F5)."""
    written = {**NGINX, "namespace": "edge", "releaseName": "nginx-ingress", "httpPort": 31080, "httpsPort": 31443}
    found = plan_of({**written, "defaultClass": False, "values": {"controller": {"replicaCount": 2}}}, flux="2.9.4")
    spec = release_of(found)
    assert [manifest.ref.name for manifest in found.layers[0].manifests] == ["edge", "ingress-nginx", "nginx-ingress"]
    assert spec["releaseName"] == "nginx-ingress"
    assert spec["values"]["controller"]["service"] == {"type": "NodePort", "nodePorts": {"http": 31080, "https": 31443}}
    assert spec["values"]["controller"]["replicaCount"] == 2
    assert spec["values"]["controller"]["ingressClassResource"]["default"] is False
    assert spec["install"]["strategy"]["name"] == "RetryOnFailure"
    [scrape] = found.scrapes
    assert (scrape.namespace, scrape.labels["app.kubernetes.io/instance"]) == ("edge", "nginx-ingress")


def test_a_bundled_traefik_is_configured_and_not_installed_a_second_time() -> None:
    """kube-system is k3s's, so that no Namespace is written."""
    found = plan_of({**BUNDLED, "httpPort": 31080, "values": {"logs": {"access": {"enabled": True}}}}, disabled=frozenset())
    [manifest] = found.layers[0].manifests
    assert str(manifest.ref) == "HelmChartConfig.helm.cattle.io kube-system/traefik"
    values = yaml.safe_load(manifest.object["spec"]["valuesContent"])
    assert values["ports"] == {"web": {"nodePort": 31080}, "websecure": {"nodePort": 30443}}
    assert values["logs"] == {"access": {"enabled": True}}
    assert "service" not in values
    assert found.scrapes[0].namespace == "kube-system"


FINDINGS: list[tuple[dict[str, Any], frozenset[str], list[tuple[str, str]]]] = [
    (NGINX, OFF, [("warning", "ingress/retired")]),
    (NGINX, frozenset(), [("warning", "ingress/retired"), ("warning", "ingress/two-default-classes")]),
    ({**NGINX, "beside": {**BUNDLED, "httpPort": 31080, "httpsPort": 31443}}, frozenset(), [("warning", "ingress/retired")]),
    ({**NGINX, "defaultClass": False}, frozenset(), [("warning", "ingress/retired")]),
    ({"controller": "ingress-nginx"}, OFF, [("error", "ingress/no-version"), ("warning", "ingress/retired")]),
    (
        {**NGINX, "values": {"defaultBackend": {"enabled": False}}},
        OFF,
        [("error", "ingress/said-otherwise"), ("warning", "ingress/retired")],
    ),
    (TRAEFIK, OFF, []),
    ({"controller": "traefik"}, OFF, [("error", "ingress/no-version")]),
    ({"controller": "traefik"}, frozenset(), []),
    (TRAEFIK, frozenset(), [("error", "ingress/bundled-traefik")]),
    ({"controller": "traefik", "namespace": "a", "releaseName": "b"}, frozenset(), [("error", "ingress/bundled-traefik")] * 2),
    ({**TRAEFIK, "httpPort": 30443}, OFF, [("error", "ingress/one-port-twice")]),
]


@pytest.mark.parametrize(("written", "disabled", "expected"), FINDINGS)
def test_what_contradicts_itself_is_found(
    written: dict[str, Any], disabled: frozenset[str], expected: list[tuple[str, str]]
) -> None:
    """And nothing else is."""
    assert ids(plan_of(written, disabled=disabled)) == expected


ADDRESSES = [
    (NGINX, OFF, {}, "http://10.0.0.2:30080/"),
    (NGINX, OFF, {"path": "/longhorn", "strip_path": True}, "http://10.0.0.2:30080/longhorn/"),
    (NGINX, OFF, {"path": "/grafana"}, "http://10.0.0.2:30080/grafana"),
    (NGINX, OFF, {"host": "dev.example-app.local"}, "http://dev.example-app.local:30080/"),
    (BUNDLED, frozenset[str](), {"path": "/longhorn", "strip_path": True}, "http://10.0.0.2/longhorn/"),
    (BUNDLED, frozenset({"servicelb"}), {}, "http://10.0.0.2:30080/"),
]


@pytest.mark.parametrize(("written", "disabled", "parts", "url"), ADDRESSES)
def test_an_address_is_what_a_person_types(
    written: dict[str, Any], disabled: frozenset[str], parts: dict[str, Any], url: str
) -> None:
    """The first live server's address; port 80 only where servicelb binds it."""
    nodes = (
        node("a", "10.0.0.1", "agent", "live"),
        node("b", "10.0.0.3", "server", "planned"),
        node("c", "10.0.0.2", "server", "live"),
    )
    found = plan_of(written, route(**parts), disabled=disabled, nodes=nodes)
    assert [link.url for link in found.links] == [url]


def test_an_address_of_version_6_is_in_brackets() -> None:
    """As browsers read it."""
    found = plan_of(NGINX, route(), nodes=(node("a", "fd00::1", "server", "live"),))
    assert found.links[0].url == "http://[fd00::1]:30080/"


def test_storage_never_waits_for_the_controller(reference: Project) -> None:
    """Longhorn's UI has a layer of its own, after both."""
    assembled = reference.run().assembled
    assert assembled is not None
    order = assembled.tree.order
    assert order.dependencies("longhorn-routes") == ("longhorn", "ingress-nginx")
    assert {"ingress-nginx", "longhorn-routes"}.isdisjoint(
        {*order.dependencies("longhorn"), *order.dependencies("longhorn-storage")}
    )
    assert [link.url for plan in assembled.plans.values() for link in plan.links][:1] == ["https://192.168.86.71:30443/longhorn/"]
