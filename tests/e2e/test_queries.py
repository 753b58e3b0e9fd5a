"""Prometheus' own parser reads every rule and every query of both committed trees; ServiceMonitors find ports of real charts."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fluxstead.checks.rules.selectors import matches
from tests.e2e.cluster.description import tree_objects
from tests.e2e.helm import chart_of, releases, rendered, without_chart
from tests.e2e.test_kustomize import TREES

Need = Callable[..., dict[str, Path]]
Json = dict[str, Any]
_VARIABLE = re.compile(r"\$(?:__)?\w+|\$\{\w+\}")
"""Grafana's, which it fills in before Prometheus sees the query."""


def read(promtool: Path, groups: list[Json], folder: Path) -> str:
    """What Prometheus says of groups of rules; nothing where it takes them all."""
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups}))
    done = subprocess.run([promtool, "check", "rules", "--lint=none", file], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def queries(objects: list[Json]) -> Iterator[Json]:
    """Each query of a dashboard, as a rule that records it: that is read by the same parser."""
    for obj in objects:
        if obj["kind"] != "ConfigMap" or "grafana_dashboard" not in obj["metadata"].get("labels", {}):
            continue
        for text in obj["data"].values():
            for panel in json.loads(text)["panels"]:
                for target in panel["targets"]:
                    yield {"record": f"query_{target['refId'].lower()}", "expr": _VARIABLE.sub("5m", target["expr"])}


@pytest.mark.parametrize("cluster", TREES)
def test_prometheus_reads_every_rule_and_every_query(cluster: str, need: Need, tmp_path: Path) -> None:
    """Also the templates in the rules' annotations, in which Prometheus looks for functions and labels that it knows."""
    promtool = need("promtool")["promtool"]
    objects = tree_objects(TREES[cluster])
    groups = [group for obj in objects if obj["kind"] == "PrometheusRule" for group in obj["spec"]["groups"]]
    asked = [{"name": f"query {number}", "rules": [query]} for number, query in enumerate(queries(objects))]
    assert len(groups) >= 1
    assert len(asked) >= 8
    assert not read(promtool, groups, tmp_path)
    assert not read(promtool, asked, tmp_path)


@pytest.mark.parametrize(
    "rule",
    [
        {"alert": "Broken", "expr": "(avg(longhorn_node_count_total) > 0"},
        {"record": "query", "expr": "sum(longhorn_disk_usage_bytes"},
        {"alert": "Broken", "expr": "up == 0", "annotations": {"summary": "{{ $value | printf }"}},
    ],
)
def test_prometheus_does_not_read_a_broken_one(rule: Json, need: Need, tmp_path: Path) -> None:
    """So its silence says something."""
    assert read(need("promtool")["promtool"], [{"name": "broken", "rules": [rule]}], tmp_path)


MONITORED = [
    pytest.param(cluster, obj, id=f"{cluster}-{obj['metadata']['name']}")
    for cluster, tree in TREES.items()
    for obj in tree_objects(tree)
    if obj["kind"] == "ServiceMonitor"
]


@pytest.mark.parametrize(("cluster", "monitor"), MONITORED)
def test_a_monitor_finds_its_port_among_the_services_of_a_real_chart(cluster: str, monitor: Json, need: Need) -> None:
    """The table of such Services is in the charts' own descriptions; here it is the chart that is asked."""
    where = monitor["spec"]["namespaceSelector"]["matchNames"]
    found = [one for one in releases(TREES[cluster]) if one["metadata"]["namespace"] in where]
    if not found:
        pytest.skip("k3s installs it from its own chart")
    services = []
    for release in found:
        chart = chart_of(release)
        if chart is None:
            pytest.skip(without_chart(release))
        services += [one for one in rendered(need("helm")["helm"], release, chart) if one["kind"] == "Service"]
    chosen = [one for one in services if matches(monitor["spec"]["selector"], one["metadata"].get("labels", {}))]
    ports = {port.get("name") for one in chosen for port in one["spec"]["ports"]}
    assert ports >= {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}
