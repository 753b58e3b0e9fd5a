"""Which Helm values a chart's version knows."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.catalog.chart_values import unknown_values, versions_known
from fluxstead.roster import KNOWN


def test_the_reference_clusters_versions_are_known() -> None:
    """Those it runs, those it came from, and the newest."""
    assert {"1.5.1", "1.6.2", "1.7.2", "1.8.2", "1.9.0", "1.12.1"} <= set(versions_known("longhorn"))
    assert {"4.12.3", "4.15.1"} <= set(versions_known("ingress-nginx"))
    assert "75.6.0" in versions_known("kube-prometheus-stack")
    assert "1.21.1" in versions_known("cert-manager")
    assert "41.3.0" in versions_known("traefik")


def test_versions_are_told_from_old_to_new() -> None:
    """1.10 comes after 1.9."""
    known = versions_known("longhorn")
    assert known.index("1.5.1") < known.index("1.9.0") < known.index("1.12.1")


def test_what_is_not_known_is_not_checked() -> None:
    """A chart or a version that the catalog does not hold gives None, not an empty list."""
    assert unknown_values("longhorn", "1.8.3", {"x": 1}) is None
    assert unknown_values("podinfo", "6.0.0", {"x": 1}) is None
    assert versions_known("podinfo") == ()
    assert unknown_values("cert-manager", "v1.21.1", {"crds": {"enabled": True, "keep": True}}) == []


@pytest.mark.parametrize(
    ("values", "unknown"),
    [
        ({"defaultSettings": {"defaultDiskSelector": "hdd"}}, ("persistence.defaultDiskSelector", None)),
        ({"defaultSettings": {"backupTarget": "s3://b@r/"}}, ("defaultBackupStore.backupTarget", "1.5.1 to 1.7.2")),
        (
            {"defaultSettings": {"guaranteedInstanceManagerCpu": 12}},
            ("defaultSettings.guaranteedInstanceManagerCPU", None),
        ),
        ({"persistence": {"defaultclass": True}}, ("persistence.defaultClass", None)),
        ({"longhornManager": {"resources": {}}}, (None, "1.12.1")),
        ({"persistence": {"reclaimPolicy": {"x": 1}}}, (None, None)),
    ],
)
def test_a_value_that_longhorn_does_not_read_is_found(values: dict[str, Any], unknown: tuple[str | None, str | None]) -> None:
    """Failure F20: Longhorn's chart has no schema, so that Helm takes any key without a word."""
    [found] = unknown_values("longhorn", "1.9.0", values) or []
    assert (found.nearest, found.known_in) == unknown


def test_a_key_is_judged_by_the_version() -> None:
    """The backup target moved with 1.8."""
    for version, known in (("1.7.2", True), ("1.8.2", False)):
        values = {"defaultSettings": {"backupTarget": "s3://b@r/"}}
        assert (unknown_values("longhorn", version, values) == []) == known


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
        ("traefik", "41.3.0", {"ports": {"mine": {"port": 1}}, "service": {"spec": {"type": "NodePort"}}}),
    ],
)
def test_real_values_are_accepted(chart: str, version: str, values: dict[str, Any]) -> None:
    """Keys below maps that the chart hands on are the user's."""
    assert unknown_values(chart, version, values, KNOWN.charts[chart].open_values) == []


@pytest.mark.parametrize("key", sorted(KNOWN.charts["kube-prometheus-stack"].open_values))
def test_values_of_a_chart_inside_the_chart_are_left_to_it(key: str) -> None:
    """The outer chart names only those that it overrides."""
    assert unknown_values("kube-prometheus-stack", "75.6.0", {key: {"anything": {"deep": 1}}}, {key}) == []


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
        [found] = unknown_values(chart, version, values, KNOWN.charts[chart].open_values) or []
        assert found.nearest == nearest
