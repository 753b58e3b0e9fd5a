"""What Longhorn asks monitoring to collect, to show and to warn of."""

from __future__ import annotations

import itertools
import re
from typing import Any, Literal

import pytest

from fluxstead.catalog.chart_values import versions_known
from fluxstead.catalog.metrics import metrics_of, versions_with_metrics
from fluxstead.core.version import Version
from fluxstead.systems import longhorn
from fluxstead.systems.longhorn.alerts import RULES, volumes
from fluxstead.systems.longhorn.dashboard import DASHBOARD
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.tree.asks import Scrape
from tests.checks.planted import BUNDLED

Robustness = Literal["healthy", "degraded", "faulted"]
STATES = ("unknown", "healthy", "degraded", "faulted")
CLAUSE = re.compile(r'longhorn_volume_robustness\{state="(\w*)"\} == (\d)')


def scrape(version: str, **chart: Any) -> Scrape:
    """Longhorn's scrape, with these chart values."""
    settings = LonghornSettings.model_validate({"version": version, "values": chart})
    [found] = longhorn.plan(settings, BUNDLED, ()).scrapes
    return found


@pytest.mark.parametrize(
    ("version", "chart", "port"),
    [
        ("1.9.0", {}, None),
        ("1.9.0", {"networkPolicies": {"enabled": True}}, 9500),
        ("1.12.0", {}, None),
        ("1.12.1", {}, 9500),
        ("1.12.1", {"networkPolicies": {"restrictInternalTraffic": False}}, None),
        ("1.12.1", {"networkPolicies": {"enabled": True, "restrictInternalTraffic": False}}, None),
    ],
)
def test_the_port_is_guarded_only_where_longhorns_own_policies_are(version: str, chart: dict[str, Any], port: int | None) -> None:
    """Alone, a policy that lets Prometheus in would shut out Longhorn's own webhooks."""
    assert scrape(version, **chart).guarded_port == port


def matches(expression: str, series: dict[str, int]) -> bool:
    """Whether PromQL's `metric{state="x"} == n or …` finds a volume whose series are these, by state; no label is the empty one."""
    clauses = CLAUSE.findall(expression)
    assert " or ".join(f'longhorn_volume_robustness{{state="{state}"}} == {value}' for state, value in clauses) == expression
    return any(series.get(state) == int(value) for state, value in clauses)


@pytest.mark.parametrize(("asked", "actual"), list(itertools.product(("healthy", "degraded", "faulted"), STATES)))
def test_a_volumes_condition_is_told_in_both_of_longhorns_formats(asked: Robustness, actual: str) -> None:
    """Until 1.10 the value is the condition; since 1.11 there is a series for each, and Longhorn's own examples never fire."""
    old = {"": STATES.index(actual)}
    new = {state: int(state == actual) for state in STATES}
    assert matches(volumes(asked), old) is (asked == actual)
    assert matches(volumes(asked), new) is (asked == actual)


def test_alerts_have_names_of_their_own() -> None:
    """Two of one name would silence each other."""
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)


def test_the_panels_lie_side_by_side() -> None:
    """Grafana would push overlapping ones apart, and show changes that nobody made."""
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


METRIC = re.compile(r"\blonghorn_\w+")
LATER = {"longhorn_disk_status": (1, 5, 2)}
"""Metrics that the oldest releases lack, and what has them: until then, their rule is silent."""
QUERIES = [
    *(str(rule["expr"]) for rule in RULES),
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
]


@pytest.mark.parametrize("version", versions_known("longhorn"))
def test_every_metric_that_is_asked_for_is_one_that_longhorn_has(version: str) -> None:
    """A query of a name that does not exist is answered with nothing, and an alert on it never fires."""
    known = metrics_of("longhorn", version)
    assert known
    asked = {name for query in QUERIES for name in METRIC.findall(query)}
    assert len(asked) > 10
    missing = {name for name in asked - known if Version(version).numbers >= LATER.get(name, (0, 0, 0))}
    assert not missing


def test_the_metrics_of_every_release_whose_values_are_known_are_known() -> None:
    """One list of releases."""
    assert versions_with_metrics("longhorn") == versions_known("longhorn")
    assert metrics_of("longhorn", "1.99.0") is None
    assert metrics_of("storage", "1.9.0") is None
