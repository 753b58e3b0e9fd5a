"""Who may come in: no route is open unless somebody said so, by name, and what is in front of one works on both controllers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fluxstead.catalog.chart_values import unknown_values, versions_known
from fluxstead.catalog.schemas import Schemas
from fluxstead.core.access import Access
from fluxstead.core.findings import Severity, Source
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.systems import access, certificates, ingress, monitoring
from fluxstead.systems.access.settings import AccessSettings
from fluxstead.systems.certificates.settings import CertificatesSettings
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.systems.monitoring.settings import MonitoringSettings
from fluxstead.tree.asks import Route
from fluxstead.tree.layer import Plan
from fluxstead.tree.resolve import certified, guarded, needs_of, resolved
from tests.conftest import Project
from tests.volumes import VOLUMES

OFF = frozenset({"traefik", "servicelb"})
NGINX: dict[str, Any] = {"controller": "ingress-nginx", "version": "4.12.3"}
TRAEFIK: dict[str, Any] = {"controller": "traefik", "version": "41.3.0"}
PROVIDER: dict[str, Any] = {"version": "10.7.0", "issuer": "https://id.example.org", "host": "auth.example.org"}
FORWARD = {
    "address": "http://authelia.auth.svc.cluster.local/api",
    "signIn": "https://auth.example.org/",
    "headers": ["Remote-User"],
}
HOME = {"by": "network", "networks": ["192.168.86.0/24", "fd00::/8"]}
OPEN = {"by": "open", "reason": "it asks itself"}
SCHEMAS = Schemas(kubernetes=Version("v1.33.1"), flux=Version("2.6.1"))
NODE = Node.model_validate({"name": "k3s1", "cluster": "lab", "address": "192.168.1.5", "role": "server", "state": "live"})
_MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
_NGINX = "nginx.ingress.kubernetes.io/"


def route(name: str, host: str | None = "ui.example.org", said: Mapping[str, Any] | None = None, **more: Any) -> Route:
    """A way in, in a namespace and a layer of its own."""
    usual: dict[str, Any] = {"namespace": name, "service": "s", "port": 80, "source": Source("stack", 7), "group": "apps"}
    own = Access.model_validate(said) if said else None
    return Route(**{**usual, "name": name, "layer": name, "host": host, "access": own, **more})


def plans_of(
    written: dict[str, Any] | None, *routes: Route, controller: Mapping[str, Any] = NGINX, https: bool = True
) -> dict[str, Plan]:
    """The resolved plans of a controller, of who may come in, and of somebody with routes."""
    platform = Platform(cluster="lab", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"), disabled=OFF)
    way_in = IngressSettings.model_validate(controller)
    settings = AccessSettings.model_validate(written) if written else None
    issuer = certificates.issuer_of(CertificatesSettings.model_validate({"issuer": "own", "version": "1.21.1"}) if https else None)
    gate = access.DescribedGate(settings, ingress.https_port_of(way_in, platform))
    router = ingress.router_of(way_in, platform, (NODE,), issuer, gate)
    asked = certified(
        guarded(
            {
                "asking": Plan(routes=routes),
                "ingress": ingress.plan(way_in, platform, router, issuer),
                "access": access.plan(settings, platform, gate, issuer),
            }
        )
    )
    return resolved(asked, needs_of(asked))


def objects(plans: Mapping[str, Plan], kind: str) -> dict[str, dict[str, Any]]:
    """The objects of one kind, by namespace and name."""
    manifests = [one for plan in plans.values() for layer in plan.layers for one in layer.manifests]
    return {f"{one.ref.namespace}/{one.ref.name}": dict(one.object) for one in manifests if one.ref.kind == kind}


def found(plans: Mapping[str, Plan]) -> set[str]:
    """The ids of what is found about who may come in."""
    return {one.id for plan in plans.values() for one in plan.findings if one.id.startswith("access/")}


def in_front(plans: Mapping[str, Plan], way_in: Mapping[str, Any]) -> str:
    """What a controller does before it passes a request on, read off the objects alone: nothing, or a kind of asking."""
    notes = way_in["metadata"].get("annotations", {})
    named = [one.removesuffix("@kubernetescrd") for one in notes.get(_MIDDLEWARES, "").split(",") if one]
    specs = {key.replace("/", "-", 1): one["spec"] for key, one in objects(plans, "Middleware").items()}
    assert all(name in specs for name in named), "Traefik would answer 404"
    kinds = [next(iter(specs[name])) for name in named]
    asking = {"basicAuth": "password", "forwardAuth": "provider", "ipAllowList": "network"}
    if set(kinds) & set(asking):
        assert kinds[0] in asking, "nothing else is answered before"
        return asking[kinds[0]]
    if notes.get(f"{_NGINX}auth-type") == "basic":
        assert notes[f"{_NGINX}auth-secret"]
        return "password"
    if f"{_NGINX}auth-url" in notes:
        return "provider"
    return "network" if notes.get(f"{_NGINX}whitelist-source-range") else ""


SAID = st.none() | st.sampled_from([{"by": "basic"}, {"by": "oidc"}, HOME, OPEN])
FOR_ALL = st.none() | st.builds(
    lambda said, more: {**said, **more},
    st.sampled_from([{"by": "basic"}, {"by": "oidc"}, HOME, OPEN]),
    st.sampled_from([{}, {"oidc": PROVIDER}, {"forward": FORWARD}]),
)
ROUTES = st.lists(
    st.builds(
        lambda name, host, said, path, stakes, itself, optional: route(
            name,
            host,
            said,
            path=path,
            strip_path=path != "/",
            at_stake=stakes,
            asks_itself=itself and not stakes,
            optional=optional,
        ),
        st.sampled_from("abcde"),
        st.none() | st.sampled_from(["ui.example.org", "b.elsewhere.test"]),
        SAID,
        st.sampled_from(["/", "/ui"]),
        st.sampled_from(["", "it can delete every volume"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=5,
    unique_by=lambda one: one.name,
)


@given(ROUTES, FOR_ALL, st.sampled_from([NGINX, TRAEFIK]), st.booleans(), st.booleans())
def test_no_route_is_open_unless_somebody_said_so_by_name(
    routes: list[Route], written: dict[str, Any] | None, controller: dict[str, Any], https: bool, told: bool
) -> None:
    """Walks all that lets requests in: it asks, or what is behind it does, or the description says open, or a finding stops."""
    plans = plans_of(written, *routes, controller={**controller, "keepSourceAddresses": told}, https=https)
    by_name = {one.name: one for one in routes}
    stopped = {(one.id, name) for plan in plans.values() for one in plan.findings for name in by_name if one.what.startswith(name)}
    for way_in in objects(plans, "Ingress").values():
        name = way_in["metadata"]["namespace"]
        if name == "oauth2-proxy":
            continue
        asked, one = in_front(plans, way_in), by_name[name]
        open_here = one.access is not None and one.access.by == "open"
        open_for_all = one.access is None and not one.at_stake and written is not None and written["by"] == "open"
        if not asked and not one.asks_itself and not (open_here or open_for_all):
            assert {("access/open-ui", name), ("access/open-site", name), ("access/no-provider", name)} & stopped
        if asked in {"password", "provider"} and not https:
            assert ("access/plain-http", name) in stopped
        if asked == "network" and not told:
            assert ("access/sources-hidden", name) in stopped
        if asked == "password":
            assert not one.asks_itself
            assert any(need.qualified_name == f"{name}/web-login" for need in needs_of(plans))
    left_out = {one.name for one in routes} - {way["metadata"]["namespace"] for way in objects(plans, "Ingress").values()}
    assert all(by_name[name].optional for name in left_out), "what somebody described is there"


@given(ROUTES, FOR_ALL, st.sampled_from([NGINX, TRAEFIK]))
def test_what_is_in_front_is_as_the_cluster_accepts_it(
    routes: list[Route], written: dict[str, Any] | None, controller: dict[str, Any]
) -> None:
    """By the schemas of the kinds."""
    plans = plans_of(written, *routes, controller=controller)
    for kind in ("Ingress", "Middleware", "HelmRelease"):
        for one in objects(plans, kind).values():
            assert not list(SCHEMAS.problems(one)), one


def test_one_password_is_for_all_namespaces() -> None:
    """Given once, and encrypted for each that has such a route; two routes of one namespace have one Secret."""
    routes = (route("a"), route("b"), route("c", namespace="b", layer="b", secrets_layer="b-access"))
    needs = needs_of(plans_of({"by": "basic", "basic": {"secret": "family"}}, *routes))
    assert {(need.qualified_name, need.layer) for need in needs} == {("a/family", "a"), ("b/family", "b")}
    assert len({need.shared for need in needs}) == 1
    assert all(key.name == "auth" for need in needs for key in need.keys), "the one key that both controllers read"


def test_the_layer_of_the_route_applies_the_password() -> None:
    """Or the one before it, where that has no rights to."""
    plans = plans_of({"by": "basic"}, route("a"))
    [layer] = [one for one in plans["asking"].layers if one.name == "a"]
    assert [need.qualified_name for need in layer.secrets] == ["a/web-login"]


def test_a_route_says_it_otherwise_than_all() -> None:
    """What stands at the route counts."""
    plans = plans_of(
        {"by": "basic", "oidc": PROVIDER}, route("a", said=HOME), route("b", said={"by": "oidc"}), route("c", said=OPEN)
    )
    asked = {key.partition("/")[0]: in_front(plans, one) for key, one in objects(plans, "Ingress").items()}
    assert asked == {"a": "network", "b": "provider", "c": "", "oauth2-proxy": ""}


def test_nothing_waits_for_who_says_who_somebody_is(example: Project) -> None:
    """The circle of router, proxy and router: the proxy's own route waits for it, and no other layer does."""
    assembled = example.run().assembled
    assert assembled is not None
    waiting = {
        path
        for path, text in assembled.files.items()
        if path.count("/") == 1 and any(line.strip() == "- name: oauth2-proxy" for line in text.splitlines())
    }
    assert waiting == {"infrastructure/oauth2-proxy-routes.yaml", "infrastructure/oauth2-proxy-routes-tls.yaml"}


@pytest.mark.parametrize("controller", [NGINX, TRAEFIK])
def test_the_provider_knows_where_people_come_back_to(controller: dict[str, Any]) -> None:
    """With the port at which they came."""
    plans = plans_of({"by": "oidc", "oidc": PROVIDER}, route("a"), controller=controller)
    release = objects(plans, "HelmRelease")["oauth2-proxy/oauth2-proxy"]["spec"]
    assert release["values"]["extraArgs"]["redirect-url"] == "https://auth.example.org:30443/oauth2/callback"
    assert release["values"]["extraArgs"]["whitelist-domain"] == ".example.org:*"
    assert unknown_values("oauth2-proxy", "10.7.0", release["values"]) == []
    assert "10.7.0" in versions_known("oauth2-proxy")


def test_groups_are_asked_for_and_compared() -> None:
    """A provider says no groups unasked."""
    plans = plans_of({"by": "oidc", "oidc": {**PROVIDER, "groups": ["staff", "Domain Admins"]}})
    told = objects(plans, "HelmRelease")["oauth2-proxy/oauth2-proxy"]["spec"]["values"]["extraArgs"]
    assert told["allowed-group"] == "staff,Domain Admins"
    assert "groups" in told["scope"].split()


def test_what_runs_already_is_asked() -> None:
    """Authelia and the like; nothing is installed."""
    for controller in (NGINX, TRAEFIK):
        plans = plans_of({"by": "oidc", "forward": FORWARD}, route("a", None), controller=controller)
        text = str([*objects(plans, "Ingress").values(), *objects(plans, "Middleware").values()])
        assert "http://authelia.auth.svc.cluster.local/api" in text
        assert "Remote-User" in text
        assert "oauth2-proxy" not in text
        assert not found(plans), "it knows itself for which names it keeps who is logged in"


def test_the_controller_is_told_from_where_requests_come() -> None:
    """On every machine, and by no other machine than the one that was asked."""
    for controller, path in ((NGINX, ("controller",)), (TRAEFIK, ())):
        plans = plans_of(HOME, route("a"), controller={**controller, "keepSourceAddresses": True})
        values = objects(plans, "HelmRelease")[f"{controller['controller']}/{controller['controller']}"]["spec"]["values"]
        assert unknown_values(controller["controller"], controller["version"], values) == []
        assert not found(plans)
        text = str(values["controller"] if path else values)
        assert "'externalTrafficPolicy': 'Local'" in text
        assert "'kind': 'DaemonSet'" in text


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"by": "network"}, "without networks"),
        ({"by": "open"}, "without a reason"),
        ({"by": "open", "reason": "  "}, "without a reason"),
        ({"by": "basic", "networks": ["10.0.0.0/8"]}, "by: basic with networks"),
        ({"by": "network", "networks": ["10.0.0.0/8"], "reason": "x"}, "by: network with reason"),
        ({"by": "network", "networks": ["10.0.0.1/8"]}, "is not a network"),
        ({"by": "network", "networks": ["10.0.0.0/8", "0.0.0.0/0"]}, "is everybody"),
        ({"by": "network", "networks": ["::/0"]}, "is everybody"),
        ({"by": "password"}, "Input should be"),
    ],
)
def test_what_would_have_no_effect_is_refused(written: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Access.model_validate(written)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"oidc": {**PROVIDER, "issuer": "http://id.example.org"}}, "begins with https"),
        ({"oidc": {**PROVIDER, "issuer": "id.example.org"}}, "begins with https"),
        ({"oidc": {**PROVIDER, "groups": ["a,b"]}}, "cannot be told apart"),
        ({"forward": {"address": "authelia:9091"}}, "is not the URL of a program"),
        ({"forward": {**FORWARD, "headers": ["Remote User"]}}, "not the name of a header"),
    ],
)
def test_what_could_not_be_asked_is_refused(written: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AccessSettings.model_validate({"by": "oidc", **written})


PLATFORM = Platform(cluster="lab", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"), disabled=OFF)
STACK: dict[str, Any] = {"version": "88.5.3", "grafana": {"adminSecret": "a"}}


def test_prometheus_and_alertmanager_have_routes_that_are_closed() -> None:
    """They serve below their path themselves, at the Services that their chart makes."""
    settings = MonitoringSettings.model_validate(
        {**STACK, "releaseName": "monitoring-kube-prometheus-stack", "prometheus": {"route": {}}, "alertmanager": {"route": {}}}
    )
    router = ingress.router_of(IngressSettings.model_validate(TRAEFIK), PLATFORM, (NODE,))
    plan = monitoring.plan(settings, PLATFORM, router, VOLUMES, (NODE,))
    services = {one.name: (one.service, one.port) for one in plan.routes if one.name != "grafana"}
    # As charts have called them on every cluster with this release name: 26 characters, and no dash at their end.
    assert services == {
        "prometheus": ("monitoring-kube-prometheus-prometheus", 9090),
        "alertmanager": ("monitoring-kube-prometheus-alertmanager", 9093),
    }
    [values] = [dict(one.object)["spec"]["values"] for one in plan.layers[0].manifests if one.ref.kind == "HelmRelease"]
    assert values["prometheus"]["prometheusSpec"]["routePrefix"] == "/prometheus"
    assert values["alertmanager"]["alertmanagerSpec"]["externalUrl"].endswith(":30080/alertmanager")
    assert unknown_values("kube-prometheus-stack", "88.5.3", values) == []
    closed = plans_of({"by": "basic"}, *plan.routes)
    assert {one["metadata"]["name"]: in_front(closed, one) for one in objects(closed, "Ingress").values()} == {
        "grafana": "",
        "prometheus": "password",
        "alertmanager": "password",
    }
    assert "access/open-ui" in found(plans_of(None, *plan.routes))


def test_grafana_asks_the_provider_itself_and_groups_become_roles() -> None:
    """Its password stays a way in; who is in no group looks, or does not come in where those who look are named."""
    oidc = {f"{key}Url": f"https://id.example.org/{key}" for key in ("authorization", "token", "userinfo")}
    groups = {"admins": ["ops"], "editors": ["staff", "Domain Users"]}
    for more, strict, ends in (({}, False, " || 'Viewer'"), ({"viewers": ["all"]}, True, "contains(groups[*], 'all') && 'Viewer'")):
        grafana = {**STACK["grafana"], "oidc": {**oidc, **groups, **more}}
        settings = MonitoringSettings.model_validate({**STACK, "grafana": grafana})
        plan = monitoring.plan(settings, PLATFORM, None, VOLUMES, (NODE,))
        [values] = [dict(one.object)["spec"]["values"] for one in plan.layers[0].manifests if one.ref.kind == "HelmRelease"]
        told = values["grafana"]["grafana.ini"]["auth.generic_oauth"]
        assert told["role_attribute_strict"] is strict
        assert told["role_attribute_path"].startswith("contains(groups[*], 'ops') && 'Admin' || contains(groups[*], 'staff')")
        assert told["role_attribute_path"].endswith(ends)
        assert unknown_values("kube-prometheus-stack", "88.5.3", values) == []
        assert [need.name for need in plan.secrets] == ["a", "grafana-oidc"]
        assert "grafana-oidc" in str(values["grafana"]["envValueFrom"])


def test_a_ui_that_nobody_asked_for_is_not_there_until_it_is_closed(example: Project) -> None:
    """Longhorn's route is the default's; without `access` there is none, and nothing warns of what is not there."""
    stack = example.stack_file
    text = stack.read_text().replace("    ui:\n      host: longhorn.example.test\n      path: /\n", "")
    stack.write_text(text)
    by_oidc = example.run()
    assert by_oidc.assembled is not None
    assert not [one for one in by_oidc.findings if one.id.startswith("access/")], (
        "nobody wrote it, and it has no name to log in for"
    )
    assert not any(path.startswith("infrastructure/longhorn-routes") for path in by_oidc.assembled.files)
    begins, ends = text.index("  fluxstead:access:"), text.index("  fluxstead:monitoring:")
    stack.write_text(text[:begins] + text[ends:])
    without = example.run()
    assert without.assembled is not None
    assert not any(path.startswith("infrastructure/longhorn-routes") for path in without.assembled.files)
    assert not [one for one in without.findings if one.id == "access/open-ui" and one.severity is Severity.ERROR]


@pytest.mark.parametrize(
    "said",
    [
        {"grafana.ini": {"auth.anonymous": {"enabled": True, "org_role": "Admin"}}},
        {"grafana.ini": {"auth.proxy": {"enabled": True}}},
        {"env": {"GF_AUTH_ANONYMOUS_ENABLED": "true"}},
    ],
)
def test_a_grafana_that_asks_nobody_is_guarded_like_anything_else(said: dict[str, Any]) -> None:
    """Open without a word it is an error; and a password in front of it is no second one."""
    settings = MonitoringSettings.model_validate(
        {**STACK, "grafana": {**STACK["grafana"], "route": {}}, "values": {"grafana": said}}
    )
    plan = monitoring.plan(settings, PLATFORM, None, VOLUMES, (NODE,))
    assert "access/open-ui" in found(plans_of(None, *plan.routes))
    closed = plans_of({"by": "basic"}, *plan.routes)
    assert [in_front(closed, one) for one in objects(closed, "Ingress").values()] == ["password"]
