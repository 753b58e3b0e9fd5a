"""A chart in place of an image: its repository and its release, in the application's namespace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluxstead.core.helm import DRIFT_DETECTION, install_and_upgrade
from fluxstead.core.manifest import KEEP
from fluxstead.core.platform import Platform
from fluxstead.core.shape import merged
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.parts import OwnChart

_NAME_LENGTH = 63


def service(instance: Instance, chart: OwnChart) -> str:
    """The Service that routes lead to; unless it is said, as the charts that `helm create` begins name it (helm: `fullname`)."""
    values = _values(instance, chart)
    if chart.service or values.get("fullnameOverride"):
        return chart.service or str(values["fullnameOverride"])
    release, name = instance.app.name, str(values.get("nameOverride") or chart.name)
    return release if name in release else f"{release}-{name}"[:_NAME_LENGTH].rstrip("-")


def _values(instance: Instance, chart: OwnChart) -> dict[str, Any]:
    return merged(chart.values, instance.environment.values)


def unnamed(instance: Instance, chart: OwnChart) -> list[str]:
    """The Secrets that nothing in the values names; what stands in a Secret is for nobody here to read."""
    if chart.values_from:
        return []
    named = set(_texts_of(_values(instance, chart)))
    return [name for name in dict.fromkeys((*instance.secrets, *instance.app.image_pull_secrets)) if name not in named]


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts_of(one)


def objects(instance: Instance, chart: OwnChart, platform: Platform) -> Iterator[dict[str, Any]]:
    """The repository and the release. The release stays when its file goes: Helm would delete the claims of its chart with it."""
    app, environment = instance.app, instance.environment
    oci = {"type": "oci"} if chart.repository.startswith("oci://") else {}
    yield {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmRepository",
        "metadata": {"name": app.name, "namespace": instance.name},
        "spec": {
            **oci,
            "interval": "12h",
            "url": chart.repository,
            **({"secretRef": {"name": chart.repository_secret}} if chart.repository_secret else {}),
        },
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
            "values": _values(instance, chart),
        },
    }
