"""What Longhorn and the monitoring stack ask for of their machines, and what they cannot exceed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from fluxstead.catalog.chart_values import unknown_values, versions_known
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.systems import longhorn, monitoring
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.monitoring.settings import MonitoringSettings
from tests.volumes import VOLUMES

PLATFORM = Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"))
MANAGER = "DaemonSet longhorn-manager"


def longhorn_release(version: str, **written: Any) -> dict[str, Any]:
    """The spec of Longhorn's release."""
    settings = LonghornSettings.model_validate({"version": version, **written})
    [spec] = [
        one.object["spec"]
        for layer in longhorn.plan(settings, PLATFORM, ()).layers
        for one in layer.manifests
        if one.ref.kind == "HelmRelease"
    ]
    return dict(spec)


def stack(**written: Any) -> dict[str, Any]:
    """The values of the monitoring stack."""
    settings = MonitoringSettings.model_validate({"version": "88.5.3", **written})
    found = monitoring.plan(settings, PLATFORM, None, VOLUMES, ())
    [spec] = [one.object["spec"] for layer in found.layers for one in layer.manifests if one.ref.kind == "HelmRelease"]
    return dict(spec["values"])


def patched(release: dict[str, Any]) -> dict[str, Any]:
    """The resources that the release's patches give to which object."""
    patches = release["postRenderers"][0]["kustomize"]["patches"]
    found = {f"{one['target']['kind']} {one['target']['name']}": yaml.safe_load(one["patch"]) for one in patches}
    assert all(step["path"] == "/spec/template/spec/containers/0/resources" for [step] in found.values())
    return {name: step["value"] for name, [step] in found.items()}


def everything(values: Any, way: str = "") -> Iterator[tuple[str, Any]]:
    """Every `resources` in the values that is about compute, with where it stands."""
    for key, value in values.items() if isinstance(values, dict) else ():
        if key == "resources" and "storage" not in value.get("requests", {}):
            yield way, value
        else:
            yield from everything(value, f"{way}.{key}".lstrip("."))


@pytest.mark.parametrize("version", versions_known("longhorn"))
def test_longhorns_manager_has_requests_and_never_a_limit(version: str) -> None:
    """By a value where the chart has one, else by a patch; a manager that is killed attaches nothing, and it may grow."""
    release = longhorn_release(version)
    assert unknown_values("longhorn", version, release["values"]) == []
    ways = [dict(everything(release["values"])).get("longhornManager"), patched(release).get(MANAGER)]
    assert sorted(ways, key=bool) == [None, {"requests": {"cpu": "100m", "memory": "400Mi"}}]


def test_nothing_of_longhorn_that_volumes_need_is_limited() -> None:
    """The instance managers, which hold the data paths, are not touched at all."""
    for version in ("1.9.0", "1.12.1"):
        release = longhorn_release(version)
        limited = {name for name, amounts in patched(release).items() if "limits" in amounts}
        assert limited == {"Deployment longhorn-ui"}
        assert "cpu" not in str([amounts.get("limits") for amounts in patched(release).values()])
        assert "nstance" not in str(release["postRenderers"])
        assert "guaranteedInstanceManagerCPU" not in str(release["values"])


def test_what_is_described_is_set_aside() -> None:
    """On a small machine less, and a limit cannot even be said."""
    release = longhorn_release("1.12.1", managerRequests={"cpu": "50m", "memory": "256Mi"})
    assert release["values"]["longhornManager"]["resources"] == {"requests": {"cpu": "50m", "memory": "256Mi"}}
    with pytest.raises(ValidationError, match="limits"):
        longhorn_release("1.12.1", managerRequests={"limits": {"memory": "1Gi"}})


def test_every_part_of_the_stack_has_requests_and_none_a_limit_of_cpu() -> None:
    """What has none is the first to be killed when a machine runs out of memory."""
    found = dict(everything(stack()))
    assert found.keys() == {
        *("prometheus.prometheusSpec", "alertmanager.alertmanagerSpec", "grafana", "grafana.sidecar"),
        *("prometheusOperator", "prometheusOperator.prometheusConfigReloader"),
        *("kube-state-metrics", "prometheus-node-exporter"),
    }
    for name, amounts in found.items():
        assert amounts["requests"].keys() == {"cpu", "memory"}, name
        assert amounts.get("limits", {"memory": ""}).keys() == {"memory"}, name
    assert "limits" not in found["prometheus.prometheusSpec"], "it would be killed at each start, as its log grows"


def test_a_part_of_the_stack_can_have_more() -> None:
    """By its settings, or by values, which come last."""
    found = stack(
        prometheus={"resources": {"requests": {"memory": "2Gi"}}},
        grafana={"resources": {"limits": {"memory": "2Gi"}}},
        values={"kube-state-metrics": {"resources": {"limits": {"memory": "1Gi"}}}},
    )
    assert found["prometheus"]["prometheusSpec"]["resources"] == {"requests": {"memory": "2Gi"}}
    assert found["grafana"]["resources"] == {"limits": {"memory": "2Gi"}}
    assert found["kube-state-metrics"]["resources"]["limits"]["memory"] == "1Gi"
    assert found["kube-state-metrics"]["resources"]["requests"]["memory"] == "190Mi"


def test_a_request_above_its_limit_is_refused() -> None:
    """The API server would refuse every pod."""
    with pytest.raises(ValidationError, match="1Gi of memory requested, above the limit of 512Mi"):
        stack(grafana={"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}})
    assert stack(grafana={"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1000m"}}})
