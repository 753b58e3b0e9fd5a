"""Certificates: every route is HTTPS with one that its clients accept, nothing waits for them, and plain HTTP only redirects."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.catalog.chart_values import unknown_values, versions_known
from fluxstead.catalog.schemas import Schemas
from fluxstead.core.findings import Source
from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.secrets.makers import made
from fluxstead.systems import certificates, ingress
from fluxstead.systems.certificates.settings import CertificatesSettings
from fluxstead.systems.certificates.trust import fingerprint, root_in
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.tree.asks import Route
from fluxstead.tree.layer import Layer, Plan
from fluxstead.tree.resolve import certified, needs_of, resolved
from tests.conftest import Project

OFF = frozenset({"traefik", "servicelb"})
CONTROLLERS: tuple[tuple[dict[str, Any], frozenset[str]], ...] = (
    ({"controller": "ingress-nginx", "version": "4.12.3"}, OFF),
    ({"controller": "traefik", "version": "41.3.0"}, OFF),
    ({"controller": "traefik"}, frozenset({"servicelb"})),
    ({"controller": "traefik"}, frozenset()),
)
ZONES: tuple[dict[str, Any], ...] = (
    {"cloudflare": {}},
    {"route53": {"region": "eu-central-1", "hostedZoneId": "Z1"}},
    {"rfc2136": {"nameserver": "10.0.0.2", "keyName": "k.example.org"}},
)
OWN: dict[str, Any] = {"issuer": "own", "version": "1.21.1"}
GIVEN: dict[str, Any] = {"issuer": "given", "given": [{"secret": "wild", "hosts": ["*.example.org"]}]}
SCHEMAS = Schemas(kubernetes=Version("v1.33.1"), flux=Version("2.6.1"))
NODE = Node.model_validate({"name": "k3s1", "cluster": "lab", "address": "192.168.1.5", "role": "server", "state": "live"})


def acme(**more: Any) -> dict[str, Any]:
    """ACME's settings, as they are written."""
    described = {"email": "a@example.org", "server": "production", "cloudflare": {}, "domain": "example.org"}
    return {"issuer": "acme", "version": "1.21.1", "acme": {**described, **more}}


def route(name: str, host: str | None = "ui.example.org", **more: Any) -> Route:
    """A way in, in a namespace and a layer of its own."""
    usual: dict[str, Any] = {"namespace": name, "service": "s", "port": 80, "source": Source("stack", 7), "group": "apps"}
    return Route(**{**usual, "name": name, "layer": name, "host": host, **more})


def plans_of(
    written: dict[str, Any], *routes: Route, controller: tuple[dict[str, Any], frozenset[str]] = CONTROLLERS[0]
) -> dict[str, Plan]:
    """The resolved plans of a controller, certificates, and somebody with routes."""
    platform = Platform(cluster="lab", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"), disabled=controller[1])
    settings, way_in = CertificatesSettings.model_validate(written), IngressSettings.model_validate(controller[0])
    issuer = certificates.issuer_of(settings)
    router = ingress.router_of(way_in, platform, (NODE,), issuer)
    asked = certified(
        {
            "asking": Plan(routes=routes),
            "ingress": ingress.plan(way_in, platform, router, issuer),
            "certificates": certificates.plan(settings, platform, (NODE,), ("k3s1.lan",)),
        }
    )
    return resolved(asked, needs_of(asked))


def layers_in(plans: dict[str, Plan]) -> dict[str, Layer]:
    return {layer.name: layer for plan in plans.values() for layer in plan.layers}


def objects(plans: dict[str, Plan], kind: str) -> dict[str, dict[str, Any]]:
    """The objects of one kind, by namespace and name."""
    found: Iterator[Manifest] = (one for layer in layers_in(plans).values() for one in layer.manifests)
    return {f"{one.ref.namespace}/{one.ref.name}": dict(one.object) for one in found if one.ref.kind == kind}


ROUTES = st.lists(
    st.builds(
        lambda name, host, path, strip: route(name, host, path=path, strip_path=strip and path != "/"),
        st.sampled_from("abcde"),
        st.none() | st.sampled_from(["ui.example.org", "b.example.org"]),
        st.sampled_from(["/", "/ui", "/a.b"]),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda one: one.name,
)
DESCRIBED = st.sampled_from(
    [OWN, GIVEN, *(acme(cloudflare=None) | {"acme": {**acme()["acme"], "cloudflare": None, **z}} for z in ZONES)]
)


@given(ROUTES, DESCRIBED, st.sampled_from(CONTROLLERS))
def test_every_route_is_https_with_a_certificate_for_its_name(
    routes: list[Route], written: dict[str, Any], controller: tuple[dict[str, Any], frozenset[str]]
) -> None:
    """Walks every route: the Secret that it names is made, in its namespace, for its host; or a finding says that none can be."""
    plans = plans_of(written, *routes, controller=controller)
    made_here = {
        f"{namespace}/{one['spec']['secretName']}": one["spec"].get("dnsNames", [])
        for key, one in objects(plans, "Certificate").items()
        for namespace in [key.partition("/")[0]]
    }
    given_here = {need.qualified_name for need in needs_of(plans)}
    for one in objects(plans, "Ingress").values():
        host, namespace = one["spec"]["rules"][0].get("host"), one["metadata"]["namespace"]
        if host is None:
            assert "tls" not in one["spec"]
            continue
        [tls] = one["spec"]["tls"]
        assert tls["hosts"] == [host]
        name = f"{namespace}/{tls['secretName']}"
        assert made_here.get(name) == [host] or name in given_here
    for plan in plans.values():
        assert all(link.url.startswith("https://") for link in plan.links)
    refused = {finding.source for finding in plans["certificates"].findings}
    assert bool(refused) == (written is not OWN and any(one.host is None for one in routes))
    for layer in layers_in(plans).values():
        for manifest in layer.manifests:
            assert not list(SCHEMAS.problems(dict(manifest.object)))


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize("written", [OWN, acme(), GIVEN])
def test_plain_http_only_redirects_to_the_port_of_https(
    controller: tuple[dict[str, Any], frozenset[str]], written: dict[str, Any]
) -> None:
    """Before anybody is asked for a password; and without a promise of HSTS, which would go for other ports as well."""
    plans = plans_of(written, route("a"), controller=controller)
    [way_in] = objects(plans, "Ingress").values()
    if controller[0]["controller"] == "ingress-nginx":
        values = next(iter(objects(plans, "HelmRelease").items()))[1]["spec"]["values"]["controller"]
        assert values["config"]["force-ssl-redirect"] == values["config"]["use-port-in-redirects"] == "true"
        assert values["config"]["hsts"] == "false"
        # What nginx names in a redirect is what it listens at.
        assert values["extraArgs"]["https-port"] == str(values["containerPort"]["https"]) == "30443"
        assert values["service"]["nodePorts"]["https"] == values["containerPort"]["https"]
        return
    assert way_in["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.entrypoints"] == "websecure"
    [everything] = objects(plans, "IngressRoute").values()
    [only] = everything["spec"]["routes"]
    assert everything["spec"]["entryPoints"] == ["web"]
    assert only["match"] == "PathPrefix(`/`)"
    [middleware] = [one for key, one in objects(plans, "Middleware").items() if key.endswith("/to-https")]
    redirect = middleware["spec"]["redirectScheme"]
    at_443 = not controller[1]
    assert redirect["scheme"] == "https"
    assert redirect.get("port") == (None if at_443 else "30443")
    assert plans["asking"].links[0].url == ("https://ui.example.org/" if at_443 else "https://ui.example.org:30443/")


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_default_certificate_is_where_the_controller_looks_for_it(controller: tuple[dict[str, Any], frozenset[str]]) -> None:
    """It has what the machines are reached by, since a browser that asks for an address names no host."""
    plans = plans_of(OWN, route("a", None), controller=controller)
    [(place, default)] = objects(plans, "Certificate").items()
    assert default["spec"]["ipAddresses"] == ["192.168.1.5"]
    assert default["spec"]["dnsNames"] == ["k3s1", "k3s1.lan"]
    namespace = place.partition("/")[0]
    if controller[0]["controller"] == "ingress-nginx":
        [release] = [one for one in objects(plans, "HelmRelease").values() if one["metadata"]["name"] == "ingress-nginx"]
        assert release["spec"]["values"]["controller"]["extraArgs"]["default-ssl-certificate"] == place
    else:
        [store] = objects(plans, "TLSStore").values()
        assert (store["metadata"]["name"], store["metadata"]["namespace"]) == ("default", namespace)
        assert store["spec"]["defaultCertificate"]["secretName"] == "default-certificate"


def test_nothing_waits_for_a_certificate(reference: Project, example: Project) -> None:
    """An authority that cannot be reached holds back neither an application nor a UI, and keeps no worker of Flux busy."""
    for project in (reference, example):
        assembled = project.run().assembled
        assert assembled is not None
        order = assembled.tree.order
        about = {layer.name for layer in order.layers if any(one.ref.kind == "Certificate" for one in layer.manifests)}
        assert len(about) >= 4
        for layer in order.layers:
            assert about.isdisjoint(order.dependencies(layer.name)), layer.name
            if layer.name in about:
                assert not layer.waits
                assert {"cert-manager", "certificate-issuers"} <= set(order.dependencies(layer.name))
        others = {name for name in order.edges if name not in about} - {"certificate-issuers", "monitoring-scrapes"}
        for name in others:
            assert "cert-manager" not in order.dependencies(name)


def test_without_certificates_nothing_changes(reference: Project, example: Project) -> None:
    """Routes are as they were, at the port of HTTP."""
    for project in (reference, example):
        text = project.stack_file.read_text()
        start = text.index("  fluxstead:certificates:")
        end = text.index("  fluxstead:", start + 5)
        project.stack_file.write_text(text[:start] + text[end:])
        assembled = project.run().assembled
        assert assembled is not None
        all_text = "\n".join(assembled.files.values())
        for word in ("cert-manager", "tls:", "https-port", "websecure:\n", "router.tls", "force-ssl", "TLSStore"):
            assert word not in all_text.replace("websecure:\n        nodePort", ""), word
        urls = [link.url for plan in assembled.plans.values() for link in plan.links]
        assert urls
        assert all(url.startswith("http://") for url in urls)


def test_a_wildcard_covers_one_label() -> None:
    """RFC 6125: not the domain itself, and nothing below a name."""
    plans = plans_of(GIVEN, route("a", "example.org"), route("b", "x.y.example.org"), route("c", "x.example.org"))
    assert [finding.id for finding in plans["certificates"].findings] == ["certificates/not-covered"] * 2
    needs = {need.qualified_name: need for need in needs_of(plans)}
    assert needs.keys() == {"ingress-nginx/wild", "c/wild"}
    assert {need.shared for need in needs.values()} == {"certificate wild"}, "one value, in every namespace"
    assert {need.type for need in needs.values()} == {"kubernetes.io/tls"}


def test_one_secret_of_two_routes_is_applied_once() -> None:
    plans = plans_of(GIVEN, route("a"), route("b", "b.example.org", namespace="a", layer="a"))
    assert sorted(need.qualified_name for need in needs_of(plans)) == ["a/wild", "ingress-nginx/wild"]
    assert all(len(need.keys) == 2 for need in needs_of(plans))


def test_another_server_is_another_issuer() -> None:
    """cert-manager issues nothing anew where only an issuer's server changed: browsers would keep getting staging's."""
    names = {
        server: next(iter(objects(plans_of(acme(server=server), route("a")), "Certificate").values()))["spec"]["issuerRef"]["name"]
        for server in ("staging", "production")
    }
    assert len(set(names.values())) == 2


@pytest.mark.parametrize("zone", ZONES)
def test_the_solver_names_what_people_are_asked_for(zone: dict[str, Any]) -> None:
    """Each Secret and key that the issuer reads is one that is needed, in cert-manager's own namespace."""
    written = acme(cloudflare=None) | {"acme": {**acme()["acme"], "cloudflare": None, **zone}}
    plans = plans_of(written, route("a"))
    [issuer] = objects(plans, "ClusterIssuer").values()
    [solver] = issuer["spec"]["acme"]["solvers"]
    read = {(one["name"], one["key"]) for one in _references(solver)}
    [need] = [one for one in needs_of(plans) if one.layer == "certificate-issuers"]
    assert read == {(need.name, key.name) for key in need.keys}
    assert need.namespace == "cert-manager"


def _references(value: Any) -> Iterator[dict[str, str]]:
    if isinstance(value, dict):
        if {"name", "key"} <= value.keys():
            yield value
        for one in value.values():
            yield from _references(one)


def test_split_horizon_asks_the_described_resolvers_alone() -> None:
    plans = plans_of(acme(nameservers=["1.1.1.1", "2620:fe::fe"]))
    [release] = [one for one in objects(plans, "HelmRelease").values() if one["metadata"]["name"] == "cert-manager"]
    values = release["spec"]["values"]
    assert values["dns01RecursiveNameservers"] == "1.1.1.1:53,[2620:fe::fe]:53"
    assert values["dns01RecursiveNameserversOnly"] is True
    assert values["crds"] == {"enabled": True, "keep": True}
    for version in versions_known("cert-manager"):
        assert unknown_values("cert-manager", version, values) == [], version


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"issuer": "own"}, "without version"),
        ({"issuer": "acme", "version": "1.21.1"}, "without acme"),
        (acme() | {"version": None}, "without version"),
        ({"issuer": "given"}, "without given"),
        ({**OWN, "acme": acme()["acme"]}, "own with acme"),
        ({**GIVEN, "version": "1.21.1"}, "given with version"),
        (acme() | {"acme": {"email": "a@b.example"}}, "is not described"),
        (acme(route53={}), "described 2 times"),
        (acme(email="admin"), "not an e-mail address"),
        (acme(cloudflare=None, rfc2136={"nameserver": "10.0.0.1", "keyName": "k", "algorithm": "hmac-sha256"}), "HMACSHA256"),
        ({**OWN, "version": "1.14.7"}, "cert-manager 1.14.7"),
        ({"issuer": "given", "given": [{"secret": "a", "hosts": []}]}, "is for no name"),
        ({"issuer": "given", "given": [{"secret": "a", "hosts": [f"{one}.example"]} for one in "xy"]}, "given twice"),
        ({"issuer": "given", "given": [{"secret": "a", "hosts": ["10.0.0.1"]}]}, "not a name that a certificate has"),
    ],
)
def test_what_has_no_effect_or_is_missing_is_refused(written: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says) if "HMAC" not in says else "algorithm"):
        CertificatesSettings.model_validate(written)


def test_the_certificates_are_such_that_browsers_accept_them() -> None:
    """Apple's systems want `server auth`, which cert-manager leaves out where nothing is said."""
    for one in objects(plans_of(OWN, route("a")), "Certificate").values():
        assert "server auth" in one["spec"]["usages"]
        assert one["spec"]["privateKey"]["rotationPolicy"] == "Always"


def test_the_root_is_written_without_its_key() -> None:
    values = made("ca", "tls.key", "own-ca")
    together = values["tls.key"] + values["tls.crt"]
    found = root_in(together)
    assert found == values["tls.crt"]
    assert "PRIVATE" not in found
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", fingerprint(found))
    assert root_in(values["tls.key"]) is None
    context = ssl.create_default_context(cadata=found)
    assert len(context.get_ca_certs()) >= 1


def test_a_chain_gives_what_is_nearest_to_its_root() -> None:
    first, second = made("ca", "tls.key", "a")["tls.crt"], made("ca", "tls.key", "b")["tls.crt"]
    assert root_in(first + second) == second
