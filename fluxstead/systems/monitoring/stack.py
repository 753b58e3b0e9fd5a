"""What values tell kube-prometheus-stack, in any tree (failures F19, F20, F22).

Sources: prometheus-community/helm-charts charts/kube-prometheus-stack, values.yaml and templates, at the tags of 75.6.0 and 88.5.3;
the operator's CRDs, whose patterns are those of `settings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import at
from fluxstead.systems.monitoring.charts import KUBE_PROMETHEUS_STACK
from fluxstead.systems.monitoring.settings import DAYS, HOURS, PrometheusBytes

ALWAYS_FIRING = warns("monitoring/always-firing", "U9", "the alerts KubeProxyDown, KubeSchedulerDown fire for ever on k3s")
FILLS_VOLUME = warns("monitoring/fills-volume", "F19", "retentionSize 20GB does not fit into a volume of 10Gi")
NOTATION = refuses(
    "monitoring/notation", "F20", "prometheus.prometheusSpec.retentionSize is 8Gi, which is not in Prometheus' notation"
)

SIZE = ("prometheus", "prometheusSpec", "retentionSize")
VOLUME = ("prometheus", "prometheusSpec", "storageSpec", "volumeClaimTemplate", "spec", "resources", "requests", "storage")
_TIMES = (
    (("prometheus", "prometheusSpec", "retention"), DAYS, "such as 10d"),
    (("alertmanager", "alertmanagerSpec", "retention"), HOURS, "in hours, such as 120h"),
)
_CONTROL_PLANE = {
    "kubeControllerManager": ("KubeControllerManagerDown", "kubeControllerManager"),
    "kubeProxy": ("KubeProxyDown", "kubeProxy"),
    "kubeScheduler": ("KubeSchedulerDown", "kubeSchedulerAlerting"),
}
"""What k3s runs as threads of its own process: the alert that misses it, and the group of default rules that has the alert."""


def values(context: CheckContext) -> Iterator[Finding]:
    """What is wrong in the values of the stack's releases."""
    for one in context.chart_values:
        if context.facts.charts[one.chart] is KUBE_PROMETHEUS_STACK and "${" not in str(one.values):
            yield from _notation(context, one)
            yield from _full(context, one)
            yield from _control_plane(context, one)


def _notation(context: CheckContext, one: ChartValues) -> Iterator[Finding]:
    wrong = [(keys, hint) for keys, pattern, hint in _TIMES if not _is_text(one.at(*keys), pattern.fullmatch)]
    if not _is_text(one.at(*SIZE), PrometheusBytes.read):
        wrong.append((SIZE, "such as 8GB"))
    for keys, hint in wrong:
        yield NOTATION(
            context.place_of(one, *keys),
            what=f"{'.'.join(keys)} is {one.at(*keys)!r}, which is not in Prometheus' notation",
            why="the API server refuses the object, and the release never becomes ready",
            fix=f"numbers with their units, {hint}",
        )


def _is_text(value: object, known: Any) -> bool:
    return value in (None, "", 0, "0") or (isinstance(value, str) and bool(known(value)))


def _full(context: CheckContext, one: ChartValues) -> Iterator[Finding]:
    """Of what is described, the same is refused with the key that says it (`checks`). Retention by time may still come first."""
    if overfull(one.values) and not one.item.document.generated:
        yield FILLS_VOLUME(
            context.place_of(one, *SIZE),
            what=f"retentionSize {one.at(*SIZE)} does not fit into a volume of {one.at(*VOLUME)}",
            why="Prometheus would fill the volume before it drops a sample, and stop (F19)",
            fix="a retentionSize of 80 % of the volume",
        )


def overfull(said: Mapping[str, Any]) -> bool:
    """Whether the samples that Prometheus may keep are more than its volume holds."""
    kept, volume = PrometheusBytes.read(at(said, SIZE)), Quantity.read(at(said, VOLUME))
    return kept is not None and volume is not None and kept.bytes >= volume.bytes


def _control_plane(context: CheckContext, one: ChartValues) -> Iterator[Finding]:
    firing = [name for name in _CONTROL_PLANE if _fires(one, name)]
    if not firing:
        return
    alerts = ", ".join(_CONTROL_PLANE[name][0] for name in firing)
    said = next((name for name in firing if at(one.values, (name,))), None)
    yield ALWAYS_FIRING(
        context.place_of(one, said, "enabled") if said else one.item.source,
        what=f"the alert{'s' if len(firing) > 1 else ''} {alerts} {'fire' if len(firing) > 1 else 'fires'} for ever on k3s",
        why="k3s runs these in one process that answers on localhost only, and an alert that is always there hides the others",
        fix=", ".join(f"{name}: {{enabled: false}}" for name in firing)
        + "; or endpoints, with k3s told to listen on the node's address",
    )


def _fires(one: ChartValues, name: str) -> bool:
    """Whether the chart has the alert, and nothing says where the component listens."""
    alert, group = _CONTROL_PLANE[name]
    enabled = one.at(name, "enabled")
    said = one.at(name) or {}
    if enabled is False or (enabled is None and not one.complete) or not isinstance(said, Mapping) or said.keys() - {"enabled"}:
        return False
    rules = one.at("defaultRules")
    silenced = at(rules, ("create",)) is False or at(rules, ("rules", group)) is False or at(rules, ("disabled", alert)) is True
    return not silenced


RULES = (Rule(values, (ALWAYS_FIRING, FILLS_VOLUME, NOTATION)),)
