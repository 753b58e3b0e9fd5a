"""What the controllers refuse: paths and annotations that ingress-nginx does not admit, rules that Traefik 3 does not read (F6).

Sources: kubernetes/ingress-nginx internal/ingress/inspector/inspector.go and internal/ingress/controller/controller.go, at the tags
controller-v1.11.5 to v1.15.1; Traefik's migration guide from v2 to v3 ("Router Rule Matchers").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fluxstead.catalog.brings.k3s import bundled_charts
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.objects.ingress_class import ingress_class_of
from fluxstead.checks.reading.applied_tree import AppliedObject, annotations_of
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.shape import at, entries_of, mapping
from fluxstead.core.version import Version
from fluxstead.systems.ingress.charts import INGRESS_NGINX, TRAEFIK
from fluxstead.systems.ingress.nginx import PLAIN

PATTERN_IN_PREFIX = refuses("ingress/pattern-in-prefix", "F6", "Ingress web/site has the path /site(/|$)(.*) of type Prefix")
SNIPPET = refuses("ingress/snippet", "F6", "Ingress web/site has a snippet, which ingress-nginx does not allow")
TRAEFIK_2_RULE = refuses("ingress/traefik-2-rule", "F6", "IngressRoute web/site uses Headers(…), which Traefik 3 does not know")

_STRICT_SINCE, _DOT_SINCE, _NO_SNIPPETS_SINCE = (4, 12), (4, 13), (4, 7)
_PLAIN_WITH_DOT = re.compile(r"/[A-Za-z0-9._/-]*")
_NGINX = "nginx.ingress.kubernetes.io/"

_TRAEFIK_3 = (28, 0)
"""The first chart of Traefik 3."""
_RENAMED = {"Headers": "Header", "HeadersRegexp": "HeaderRegexp"}
_CALL = r"\b(Headers|HeadersRegexp|Host|HostRegexp|Path|PathPrefix|HostHeader|ClientIP|Method)\(([^()]*)\)"
_SEVERAL = r"[`\"']\s*,\s*[`\"']"
_TEXT = r"`[^`]*`|\"[^\"]*\""
_NAMED_PART = r"\{\w+:"


def nginx(context: CheckContext) -> Iterator[Finding]:
    """Ingresses that the webhook of the tree's one ingress-nginx refuses."""
    found = [one for one in context.chart_values if context.facts.charts[one.chart] is INGRESS_NGINX]
    if len(found) != 1 or not _asks_webhook(found[0]):
        return
    [controller] = found
    for item in context.tree.of("Ingress"):
        if item.is_final and ingress_class_of(item) == _class_name(controller):
            yield from _paths(context, controller, item)
            yield from _snippets(context, controller, item)


def _asks_webhook(controller: ChartValues) -> bool:
    """Whether everything that decides is known, and Ingresses are looked at before they are stored."""
    off = controller.at("controller", "admissionWebhooks", "enabled") is False or controller.at("controller", "image", "tag")
    return controller.complete and controller.exact is not None and not off and "${" not in str(controller.values)


def _class_name(controller: ChartValues) -> str:
    return str(
        controller.at("controller", "ingressClassResource", "name") or controller.at("controller", "ingressClass") or "nginx"
    )


def _paths(context: CheckContext, controller: ChartValues, item: AppliedObject) -> Iterator[Finding]:
    version = controller.exact
    strict = str(controller.at("controller", "config", "strict-validate-path-type")).lower() != "false"
    if version is None or version.minor < _STRICT_SINCE or not strict:
        return
    plain = _PLAIN_WITH_DOT if version.minor >= _DOT_SINCE else PLAIN
    for rule in entries_of(item.spec, "rules"):
        for entry in entries_of(mapping(rule, "http"), "paths"):
            path, kind = entry.get("path"), entry.get("pathType")
            if not isinstance(path, str) or not path or "${" in path or kind not in ("Prefix", "Exact") or plain.fullmatch(path):
                continue
            yield PATTERN_IN_PREFIX(
                line_with(context.tree.store, item.document, path),
                what=f"{item} has the path {path} of type {kind}",
                why=f"since chart 4.12 ingress-nginx refuses what is no plain path there, and this is {controller.version}",
                fix="pathType: ImplementationSpecific",
            )


def _snippets(context: CheckContext, controller: ChartValues, item: AppliedObject) -> Iterator[Finding]:
    if controller.at("controller", "allowSnippetAnnotations") is True or _allowed_by_config(controller):
        return
    for name in annotations_of(item):
        if (
            name.startswith(_NGINX)
            and name.endswith("-snippet")
            and controller.exact
            and controller.exact.minor >= _NO_SNIPPETS_SINCE
        ):
            yield SNIPPET(
                line_with(context.tree.store, item.document, name),
                what=f"{item} has {name.removeprefix(_NGINX)}, and ingress-nginx is not told to allow snippets",
                why="its webhook refuses the whole Ingress, and its layer never becomes ready",
                fix="another annotation; or controller.allowSnippetAnnotations: true, with annotations-risk-level: Critical",
            )


def _allowed_by_config(controller: ChartValues) -> bool:
    return str(controller.at("controller", "config", "allow-snippet-annotations")).lower() == "true"


def traefik(context: CheckContext) -> Iterator[Finding]:
    """Rules in Traefik 2's syntax, where only Traefik 3 is there to read them."""
    if not _only_traefik_3(context):
        return
    for item in context.tree.of("IngressRoute"):
        if item.ref.group != "traefik.io" or not item.is_final:
            continue
        for route in entries_of(item.spec, "routes"):
            match = route.get("match")
            wrong = _of_version_2(match) if isinstance(match, str) and route.get("syntax") != "v2" and "${" not in match else None
            if wrong:
                yield TRAEFIK_2_RULE(
                    line_with(context.tree.store, item.document, str(match)),
                    what=f"{item} uses {wrong[0]}, which Traefik 3 does not know",
                    why="Traefik drops the whole route, and answers 404",
                    fix=f"{wrong[1]}; or syntax: v2 beside the match",
                )


def _of_version_2(match: str) -> tuple[str, str] | None:
    """What is Traefik 2's in a rule, and what Traefik 3 wants instead."""
    for name, arguments in re.findall(_CALL, match):
        if name in _RENAMED:
            return f"{name}({arguments})", f"{_RENAMED[name]}({arguments})"
        if name == "HostHeader":
            return f"{name}({arguments})", f"Host({arguments})"
        if re.search(_SEVERAL, arguments):
            return f"{name}({arguments})", " || ".join(f"{name}({one})" for one in re.findall(_TEXT, arguments))
        if name == "HostRegexp" and re.search(_NAMED_PART, arguments):
            return f"{name}({arguments})", "HostRegexp(`…`) with a regular expression of Go, without {name:…}"
    return None


def _only_traefik_3(context: CheckContext) -> bool:
    """Whether every Traefik of the tree, and k3s's own, is a 3 that reads no rules of 2 unasked."""
    found = [one for one in context.chart_values if context.facts.charts[one.chart] is TRAEFIK]
    own = context.platform is not None and "traefik" not in context.platform.disabled
    if any("v2" in str(_syntax(one)) or one.at("image", "tag") or not _is_3(context, one) for one in found):
        return False
    if own and context.platform and not _brings_3(context.platform.kubernetes):
        return False
    return own or any(not one.bundled for one in found)


def _is_3(context: CheckContext, one: ChartValues) -> bool:
    if one.bundled:
        return context.platform is not None
    return one.complete and one.exact is not None and one.exact.minor >= _TRAEFIK_3


def _brings_3(kubernetes: Version) -> bool:
    """Whether k3s's own is one; of versions that are older than the catalog, that is not known."""
    oldest = Version.read(bundled_charts("traefik", kubernetes)[0])
    return oldest is not None and oldest.minor >= _TRAEFIK_3


def _syntax(one: ChartValues) -> Any:
    arguments = one.values.get("additionalArguments"), one.values.get("globalArguments"), one.values.get("env")
    return at(one.values, ("core", "defaultRuleSyntax")), arguments


RULES = (Rule(nginx, (PATTERN_IN_PREFIX, SNIPPET)), Rule(traefik, (TRAEFIK_2_RULE,)))
