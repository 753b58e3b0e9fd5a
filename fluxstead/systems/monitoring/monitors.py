"""Monitors and rules: whether the tree's Prometheus takes them, and whether they find a Service and its port (failure U9).

Prometheus is silent about all of it: a monitor that is not selected, or that selects nothing, just collects nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.reading.applied_tree import AppliedObject, labels_of
from fluxstead.checks.reading.store import line_with, texts_of
from fluxstead.checks.rule import Rule
from fluxstead.checks.rules.selectors import matches
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, counted
from fluxstead.core.shape import entries_of, mapping
from fluxstead.systems.monitoring.charts import KUBE_PROMETHEUS_STACK

FINDS_NOTHING = warns(
    "monitoring/finds-nothing", "U9", "ServiceMonitor web/site looks for Services with app=sit, and there is none"
)
NO_SUCH_PORT = refuses("monitoring/no-such-port", "U9", "ServiceMonitor web/site collects from port metric, which … does not have")
NOT_SELECTED = warns("monitoring/not-selected", "U9", "ServiceMonitor web/site has no label release: kps")

_GROUP = "monitoring.coreos.com"
_SELECTORS = {
    "ServiceMonitor": "serviceMonitorSelector",
    "PodMonitor": "podMonitorSelector",
    "Probe": "probeSelector",
    "ScrapeConfig": "scrapeConfigSelector",
    "PrometheusRule": "ruleSelector",
}
_READERS = (
    *("alloy", "k8s-monitoring", "victoria-metrics", "vm-operator", "opentelemetry"),
    *("prometheus-agent", "loki", "mimir", "thanos"),
)
"""Parts of the names of charts that read such objects too."""


def selected(context: CheckContext) -> Iterator[Finding]:
    """Objects that the tree's one Prometheus does not select by their labels."""
    stacks = [one for one in context.chart_values if context.facts.charts[one.chart] is KUBE_PROMETHEUS_STACK]
    others = any(reader in one.chart for one in context.chart_values for reader in _READERS)
    if len(stacks) != 1 or others or context.tree.partial or any(context.tree.of("Prometheus", "PrometheusAgent", "VMAgent")):
        return
    [stack] = stacks
    if not stack.complete or stack.at("prometheus", "enabled") is False or "${" in stack.release_name:
        return
    for kind, name in _SELECTORS.items():
        selector = _selector(stack, name)
        own = [
            item
            for item in context.tree.of(kind)
            if item.ref.group == _GROUP and item.is_final and "${" not in str(labels_of(item))
        ]
        missed = [item for item in own if not matches(selector, labels_of(item))]
        if missed:
            yield _missed(stack, name, selector, missed)


def _missed(stack: ChartValues, name: str, selector: Mapping[str, Any], items: list[AppliedObject]) -> Finding:
    wanted = ", ".join(f"{key}: {value}" for key, value in mapping(selector, "matchLabels").items())
    more = f", like {counted(len(items) - 1, 'more', 'more')}" if len(items) > 1 else ""
    return NOT_SELECTED(
        items[0].source,
        what=f"{items[0]} does not have the label {wanted or 'that is asked for'}{more}",
        why=f"the Prometheus of {stack.item.ref} does not select it, and silently collects or judges nothing (U9)",
        fix=f"that label; or {name}NilUsesHelmValues: false in prometheus.prometheusSpec of the release, to take all",
    )


def _selector(stack: ChartValues, name: str) -> Mapping[str, Any]:
    """Whom the chart's Prometheus takes (kube-prometheus-stack: templates/prometheus/prometheus.yaml)."""
    said = stack.at("prometheus", "prometheusSpec", name)
    if isinstance(said, Mapping) and said:
        return said
    own = stack.at("prometheus", "prometheusSpec", f"{name}NilUsesHelmValues") is not False
    return {"matchLabels": {"release": stack.release_name}} if own else {}


def found(context: CheckContext) -> Iterator[Finding]:
    """Services that ServiceMonitors look for, and their ports, where all Services of a namespace are known."""
    if context.tree.partial:
        return
    for item in context.tree.of("ServiceMonitor"):
        wanted = mapping(item.spec, "selector")
        if item.ref.group != _GROUP or not item.is_final or not wanted or "${" in str(item.spec):
            continue
        namespaces = _namespaces(item)
        names = _ports_of_charts(context, namespaces, wanted)
        known = bool(namespaces) and not any(one in context.opaque_namespaces for one in namespaces)
        if names is None and known:
            services = [
                one for one in context.tree.of("Service") if one.ref.namespace in namespaces and matches(wanted, labels_of(one))
            ]
            if not services:
                yield _nothing(context, item, wanted, namespaces)
                continue
            if all(one.is_final for one in services):
                names = {str(port["name"]) for one in services for port in entries_of(one.spec, "ports") if "name" in port}
        if names is not None:
            yield from _ports(context, item, names)


def _nothing(context: CheckContext, item: AppliedObject, wanted: Mapping[str, Any], namespaces: list[str]) -> Finding:
    labels = ", ".join(f"{key}={value}" for key, value in mapping(wanted, "matchLabels").items()) or "what its selector asks for"
    return FINDS_NOTHING(
        line_with(context.tree.store, item.document, "selector"),
        what=f"{item} looks for Services with {labels}, and namespace {', '.join(namespaces)} has none",
        why="Prometheus collects nothing, and says nothing (U9)",
        fix="labels that the Service itself has, in its metadata",
    )


def _namespaces(item: AppliedObject) -> list[str]:
    """Where it looks; nowhere that is known, where that is everywhere."""
    selector = mapping(item.spec, "namespaceSelector")
    return [] if selector.get("any") is True else texts_of(selector, "matchNames") or [item.ref.namespace]


def _ports_of_charts(context: CheckContext, namespaces: list[str], wanted: Mapping[str, Any]) -> set[str] | None:
    """The ports of the Services that charts make in these namespaces; None where no known one is looked for."""
    labels = mapping(wanted, "matchLabels")
    for one in context.chart_values:
        if one.namespace not in namespaces:
            continue
        for service in context.facts.charts[one.chart].monitored:
            known = one.bundled or (one.exact is not None and one.exact.numbers >= service.since)
            if known and service.labels.items() <= labels.items() and not one.at(*service.renamed_by):
                return set(service.ports)
    return None


def _ports(context: CheckContext, item: AppliedObject, names: set[str]) -> Iterator[Finding]:
    for endpoint in entries_of(item.spec, "endpoints"):
        port = endpoint.get("port")
        if isinstance(port, str) and port and port not in names:
            yield NO_SUCH_PORT(
                line_with(context.tree.store, item.document, port),
                what=f"{item} collects from port {port}, which the Services that it selects do not have",
                why="Prometheus finds no target, and says nothing (U9)",
                fix=nearest(port, sorted(names)) or f"one of their named ports: {', '.join(sorted(names)) or 'they have none'}",
            )


RULES = (Rule(selected, (NOT_SELECTED,)), Rule(found, (FINDS_NOTHING, NO_SUCH_PORT)))
