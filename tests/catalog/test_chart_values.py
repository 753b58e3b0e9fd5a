"""Which Helm values a chart's version knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fluxstead.catalog import chart_values as module
from fluxstead.catalog.chart_values import neighbours, unknown_values, versions_known
from fluxstead.core.version import Version
from tools.catalog_page import runs, with_releases

CHARTS = sorted(file.stem for file in (Path(module.__file__).parent / "data/chart_values").glob("*.json"))


def test_every_release_in_the_range_is_known() -> None:
    """No gap between the patch releases of a line, and those that the reference cluster runs, came from and may go to."""
    assert {"1.5.1", "1.6.2", "1.7.2", "1.8.2", "1.9.0", "1.12.1"} <= set(versions_known("longhorn"))
    assert {"4.12.3", "4.15.1"} <= set(versions_known("ingress-nginx"))
    for chart, number in (("longhorn", 30), ("ingress-nginx", 49), ("kube-prometheus-stack", 444), ("traefik", 75)):
        assert len(versions_known(chart)) >= number
    assert "1.10.1" in versions_known("longhorn")


def test_charts_that_people_install_beside_are_known() -> None:
    """Hand-written trees have them."""
    assert {"alloy", "cert-manager", "grafana", "loki", "oauth2-proxy", "trust-manager", "victoria-logs-single"} <= set(CHARTS)


def test_the_page_lists_exactly_the_releases_that_are_known() -> None:
    """A range on the page claims no release in between that was not read."""
    page = (Path(__file__).parents[2] / "docs/catalog.md").read_text()
    assert with_releases(page, {chart: versions_known(chart) for chart in CHARTS}) == page
    assert runs(["1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.2"]) == ["1.0.0 to 1.0.2", "1.1.0", "1.1.2"]


@pytest.mark.parametrize("chart", CHARTS)
def test_versions_are_told_from_old_to_new(chart: str) -> None:
    """Sorted by number, so that 1.10 comes after 1.9, and without duplicates."""
    known = [Version(version).numbers for version in versions_known(chart)]
    assert known == sorted(set(known))


def test_what_is_not_known_is_not_checked() -> None:
    """A chart or a version that the catalog does not hold gives None, not an empty list."""
    assert unknown_values("longhorn", "1.8.3", {"x": 1}) is None
    assert unknown_values("podinfo", "6.0.0", {"x": 1}) is None
    assert versions_known("podinfo") == ()
    assert unknown_values("cert-manager", "v1.21.1", {"crds": {"enabled": True, "keep": True}}) == []


@pytest.mark.parametrize(
    ("version", "near"),
    [
        ("1.8.3", ("1.8.2", "1.9.0")),
        ("v1.8.3", ("1.8.2", "1.9.0")),
        ("1.4.0", ("1.5.0",)),
        ("99.0.0", (versions_known("longhorn")[-1],)),
    ],
)
def test_the_neighbours_of_an_unknown_release(version: str, near: tuple[str, ...]) -> None:
    """A version between two that are held gives both; one before the oldest or after the newest gives one."""
    assert neighbours("longhorn", Version(version)) == near


@pytest.mark.parametrize(
    ("values", "meant", "around"),
    [
        ({"defaultSettings": {"defaultDiskSelector": "hdd"}}, "persistence.defaultDiskSelector", (None, None)),
        ({"defaultSettings": {"backupTarget": "s3://b@r/"}}, "defaultBackupStore.backupTarget", ("1.7.3", None)),
        ({"defaultSettings": {"guaranteedInstanceManagerCpu": 12}}, "defaultSettings.guaranteedInstanceManagerCPU", (None, None)),
        ({"persistence": {"defaultclass": True}}, "persistence.defaultClass", (None, None)),
        ({"longhornManager": {"resources": {}}}, None, (None, "1.11.0")),
        ({"persistence": {"reclaimPolicy": {"x": 1}}}, None, (None, None)),
    ],
)
def test_a_value_that_longhorn_does_not_read_is_found(
    values: dict[str, Any], meant: str | None, around: tuple[str | None, str | None]
) -> None:
    """Failure F20: Longhorn's chart has no schema, so that Helm takes any key without a word."""
    [found] = unknown_values("longhorn", "1.9.0", values) or []
    assert (found.nearest, (found.before, found.after)) == (meant, around)


@pytest.mark.parametrize(
    ("chart", "path", "first", "last"),
    [
        ("longhorn", "defaultSettings.backupTarget", None, "1.7.3"),
        ("longhorn", "defaultBackupStore.backupTarget", "1.8.0", None),
    ],
)
def test_a_key_that_came_or_went_is_judged_right_on_both_sides(chart: str, path: str, first: str | None, last: str | None) -> None:
    """In every release: known from the first that has it to the last, in none before or after, and those two are told."""
    known = versions_known(chart)
    begin = known.index(first) if first else 0
    end = known.index(last) if last else len(known) - 1
    for index, version in enumerate(known):
        values: Any = "x"
        for key in reversed(path.split(".")):
            values = {key: values}
        found = unknown_values(chart, version, values) or []
        assert (found == []) == (begin <= index <= end), version
        for one in found:
            assert (one.before, one.after) == ((last, None) if index > end else (None, first))


@pytest.mark.parametrize(
    ("chart", "version", "values"),
    [
        ("longhorn", "1.9.0", {"longhornUI": {"nodeSelector": {"any": "label"}}, "annotations": {"any": "one"}}),
        (
            "ingress-nginx",
            "4.12.3",
            {
                "controller": {
                    "service": {"type": "NodePort", "nodePorts": {"http": 30080, "https": 30443}},
                    "ingressClassResource": {"name": "nginx", "default": True},
                    "config": {"use-forwarded-headers": "true"},
                    "resources": {"limits": {"memory": "1Gi"}},
                    "nodeSelector": {"storage": "longhorn"},
                },
                "defaultBackend": {"enabled": True},
                "tcp": {"22": "git/ssh:22"},
            },
        ),
        (
            "kube-prometheus-stack",
            "75.6.0",
            {
                "prometheus": {"prometheusSpec": {"retention": "10d", "storageSpec": {"volumeClaimTemplate": {"spec": {}}}}},
                "alertmanager": {"config": {"global": {"smtp_from": "a@b"}}, "alertmanagerSpec": {"storage": {"any": 1}}},
                "prometheusOperator": {"resources": {"limits": {"memory": "1Gi"}}},
            },
        ),
        ("traefik", "41.3.0", {"ports": {"mine": {"port": 1}}, "service": {"spec": {"externalTrafficPolicy": "Local"}}}),
        ("ingress-nginx", "4.15.1", {"controller": {"image": {"repository": "mine/controller"}}}),
        ("cert-manager", "v1.21.1", {"crds": {"enabled": True}, "webhook": {"podAnnotations": {"a": "b"}}, "http_proxy": "x"}),
        ("alloy", "1.11.1", {"alloy": {"configMap": {"content": "// empty"}, "mounts": {"varlog": True}}, "crds": {"any": 1}}),
        (
            "grafana",
            "12.11.1",
            {
                "grafana.ini": {"auth.generic_oauth": {"enabled": True}},
                "persistence": {"enabled": True},
                "datasources": {"a.yaml": 1},
            },
        ),
        (
            "loki",
            "18.11.0",
            {
                "deploymentMode": "SingleBinary",
                "loki": {"limits_config": {"retention_period": "7d"}, "schemaConfig": {"configs": []}, "auth_enabled": False},
                "singleBinary": {"replicas": 1, "persistence": {"storageClass": "longhorn", "size": "10Gi"}},
                "minio": {"enabled": False, "anything": {"deep": 1}},
            },
        ),
    ],
)
def test_real_values_are_accepted(chart: str, version: str, values: dict[str, Any]) -> None:
    """Keys below maps that the chart hands on are the user's."""
    assert unknown_values(chart, version, values) == []


@pytest.mark.parametrize(
    "key", ["crds", "global", "grafana", "kube-state-metrics", "prometheus-node-exporter", "prometheus-windows-exporter"]
)
def test_values_of_a_chart_inside_the_chart_are_left_to_it(key: str) -> None:
    """The outer chart names only those that it overrides."""
    assert unknown_values("kube-prometheus-stack", "75.6.0", {key: {"anything": {"deep": 1}}}) == []


def test_a_key_at_the_wrong_place_is_sent_to_the_right_one() -> None:
    """`defaultBackend` stands at the top, and Alertmanager's storage has another name than Prometheus'."""
    for chart, version, values, nearest in (
        ("ingress-nginx", "4.12.3", {"controller": {"defaultBackend": {}}}, "defaultBackend"),
        (
            "kube-prometheus-stack",
            "75.6.0",
            {"alertmanager": {"alertmanagerSpec": {"storageSpec": {}}}},
            "alertmanager.alertmanagerSpec.storage",
        ),
    ):
        [found] = unknown_values(chart, version, values) or []
        assert found.nearest == nearest
