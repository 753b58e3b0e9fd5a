"""A chart in place of an image: its repository and its release, in the application's namespace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluxstead.core.helm import DRIFT_DETECTION, install_and_upgrade
from fluxstead.core.manifest import KEEP
from fluxstead.core.platform import Platform
from fluxstead.core.shape import merged
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.parts import Chart


def objects(instance: Instance, chart: Chart, platform: Platform) -> Iterator[dict[str, Any]]:
    """The repository and the release. The release stays when its file goes: Helm would delete the claims of its chart with it."""
    app, environment = instance.app, instance.environment
    oci = {"type": "oci"} if chart.repository.startswith("oci://") else {}
    yield {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmRepository",
        "metadata": {"name": app.name, "namespace": instance.name},
        "spec": {**oci, "interval": "12h", "url": chart.repository},
    }
    yield {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": app.name, "namespace": instance.name, "annotations": dict(KEEP)},
        "spec": {
            "releaseName": app.name,
            "chart": {
                "spec": {
                    "chart": chart.name,
                    "version": str(environment.version or chart.version),
                    "sourceRef": {"kind": "HelmRepository", "name": app.name},
                }
            },
            "interval": str(environment.interval or app.interval),
            "timeout": str(environment.timeout or app.timeout),
            **install_and_upgrade(platform),
            "driftDetection": dict(DRIFT_DETECTION),
            **({"valuesFrom": [{"kind": "Secret", "name": name} for name in chart.values_from]} if chart.values_from else {}),
            "values": merged(chart.values, environment.values),
        },
    }
