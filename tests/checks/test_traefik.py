"""Traefik's dashboard and routes, as objects, among the values of its chart, and among those of others."""

from __future__ import annotations

import pytest

from fluxstead.core.platform import Platform
from fluxstead.systems.ingress.routers import ways_of
from tests.checks.planted import BUNDLED, DEPLOYMENT, SERVICE, WEB, Planted, ingress, kept, layer, look, obj, release

_SITE = "services: [{name: site, port: 80}]"
_API = "services: [{kind: TraefikService, name: api@internal}]"


def traefik(values: str, more: str = "") -> str:
    """A release of its chart."""
    return release("web/traefik", "traefik", "35.0.0", f", values: {values}{more}")


def route(rule: str, more: str = "", services: str = _SITE, name: str = "web/own", top: str = "") -> str:
    """An IngressRoute."""
    spec = f"spec: {{{top}routes: [{{kind: Rule, match: '{rule}', {more}{services}}}]}}"
    return obj("IngressRoute", name, spec, "traefik.io/v1alpha1")


def other(rule: str, more: str = "", top: str = "") -> str:
    """Another one."""
    return route(rule, more, name="web/other", top=top)


def dashboard(said: str) -> str:
    """The chart's, switched on, with an entry point that everybody reaches."""
    return f"ingressRoute: {{dashboard: {{enabled: true, entryPoints: [web]{said}}}}}"


def plain(kind: str, api: str, spec: str) -> str:
    """An object in one line, as it stands among values."""
    return f"{{apiVersion: {api}, kind: {kind}, metadata: {{name: d}}, spec: {{{spec}}}}}"


def told(check: str, *objects: str, platform: Platform | None = None) -> list[tuple[str, str]]:
    """The line that a check finds, and what it says."""
    files = layer("web", kept(WEB), DEPLOYMENT, SERVICE, *objects)
    found = look(Planted(files=files, cure=("", ""), says="", platform=platform), files)
    return [(files[one.source.file].splitlines()[one.source.line - 1], one.what) for one in found if one.id == check]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("ingressRoute: {dashboard: {enabled: true, entryPoints: [websecure]}}", "websecure"),
        ("ingressRoute: {dashboard: {enabled: true, entryPoints: [web, websecure]}}", "web and websecure"),
        (f"{dashboard('')}, ports: {{web: {{expose: {{default: false}}}}}}", ""),
        ("ingressRoute: {dashboard: {enabled: true}}", ""),
        ("ingressRoute: {dashboard: {enabled: true}}, ports: {traefik: {expose: {default: true}}}", "traefik"),
        (dashboard(", middlewares: [{name: login}]"), ""),
        (f"{dashboard('')}, ports: {{web: {{middlewares: [a-b@kubernetescrd]}}}}", ""),
        (f"{dashboard('')}, additionalArguments: ['--entrypoints.web.http.middlewares=a']", ""),
        ("ingressRoute: {dashboard: {enabled: false, entryPoints: [web]}}", ""),
        ("extraObjects: [OBJECT]", "web and websecure"),
    ],
)
def test_a_dashboard_without_a_middleware_is_told_where_everybody_reaches_it(values: str, said: str) -> None:
    inline = plain("IngressRoute", "traefik.io/v1alpha1", f"routes: [{{match: 'Host(`a.test`)', {_API}}}]")
    found = told("ingress/open-dashboard", traefik(f"{{{values.replace('OBJECT', inline)}}}"))
    assert [what.rpartition(" on ")[2] for _, what in found] == ([said] if said else [])
    assert all("values:" in line for line, _ in found)


def test_a_dashboard_is_told_however_it_is_routed() -> None:
    rule = "Host(`traefik.a.test`)"
    [(line, _)] = told("ingress/open-dashboard", route(rule, services=_API))
    assert rule in line
    assert not told("ingress/open-dashboard", route(rule, "middlewares: [{name: login}], ", _API))
    assert not told("ingress/open-dashboard", route(rule, services=_API, top="entryPoints: [traefik], "))
    assert not told("ingress/open-dashboard", route(rule))


def test_values_that_a_secret_may_add_to_are_given_the_benefit() -> None:
    values = f"{{{dashboard('')}}}"
    assert told("ingress/open-dashboard", traefik(values))
    assert not told("ingress/open-dashboard", traefik(values, ", valuesFrom: [{kind: Secret, name: hidden}]"))


def test_k3s_own_traefik_is_told_of_too() -> None:
    values = "    ingressRoute:\n      dashboard:\n        enabled: true\n        entryPoints: [websecure]\n"
    config = obj("HelmChartConfig", "kube-system/traefik", f"spec:\n  valuesContent: |-\n{values}", "helm.cattle.io/v1")
    [(line, _)] = told("ingress/open-dashboard", config, platform=BUNDLED)
    assert line == "        enabled: true"


_HOST = "Host(`a.test`)"
_CLASS = "spec: {ingressClassName: traefik, "
_HOSTLESS = ingress("web/site", "X").replace("host: X, ", "").replace("path: /,", "path: /api,").replace("spec: {", _CLASS)
_GUARDED = ", middlewares: [{name: a}]"


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        (traefik(f"{{{dashboard(_GUARDED)}}}"), _HOSTLESS, True),
        (traefik("{ingressRoute: {dashboard: {enabled: true}}}"), _HOSTLESS, False),
        (traefik(f"{{{dashboard(', matchRule: Host(`a.test`)')}}}"), _HOSTLESS, False),
        (route(_HOST), other(_HOST), True),
        (route(_HOST), other(f"{_HOST} && PathPrefix(`/x`)"), False),
        (route(f"{_HOST} && PathPrefix(`/x`)"), other(f"{_HOST} && (PathPrefix(`/x`) || PathPrefix(`/y`))"), True),
        # Redirects: another entry point, or only what comes without TLS.
        (route(_HOST, top="entryPoints: [web], "), other(_HOST, top="entryPoints: [websecure], "), False),
        (route(_HOST), other(_HOST, top="tls: {}, "), False),
        (route(_HOST, top="tls: {}, "), other(_HOST, top="tls: {secretName: a}, "), True),
        (route(_HOST), other(_HOST, "priority: 10, "), False),
        (route(f"{_HOST} && Header(`X`, `y`)"), other(f"{_HOST} && Header(`X`, `y`)"), False),
    ],
)
def test_two_routes_that_answer_the_same_are_told(one: str, two: str, said: bool) -> None:
    assert bool(told("ownership/same-route", one, two)) is said


def test_which_of_two_traefiks_answers_is_not_guessed() -> None:
    second = release("web/inner", "traefik", "35.0.0", ", values: {}")
    assert not told("ownership/same-route", route(_HOST), other(_HOST), traefik("{}"), second)


@pytest.mark.parametrize(("key", "form"), [("extraObjects", "[{}]"), ("extraDeploy", "['{}']"), ("extraManifests", "{{a: {}}}")])
def test_an_ingress_among_values_counts(key: str, form: str) -> None:
    inline = plain("Ingress", "networking.k8s.io/v1", "rules: [{host: a.test, http: {paths: [{path: /}]}}]")
    chart = release("web/x", "x", "1.0.0", f", values: {{{key}: {form.format(inline)}}}")
    assert told("ownership/same-route", ingress("web/site", "a.test"), chart)


@pytest.mark.parametrize(
    ("rule", "ways"),
    [
        ("Host(`a`)", [("a", "")]),
        ("Host(`a`) || Host(`b`) && PathPrefix(`/x`)", [("a", ""), ("b", "/x")]),
        ("(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)", [("a", "/x"), ("b", "/x")]),
        ('Host("a")', [("a", "")]),
        ("Host(`a`) && Host(`b`)", None),
        ("!Host(`a`)", None),
        ("Host(`a`) && Method(`GET`)", None),
        ("Host(`a`", None),
        ("(Host(`a`)", None),
        ("Host(`a`) &&", None),
        ("", None),
        ("Path(`/x`)", None),
    ],
)
def test_a_rule_is_read_or_left_alone(rule: str, ways: list[tuple[str, str]] | None) -> None:
    assert ways_of(rule) == ways
