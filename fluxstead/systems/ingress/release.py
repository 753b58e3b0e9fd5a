"""A controller from its chart: namespace, source and release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fluxstead.core.helm import DRIFT_DETECTION, install_and_upgrade
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.pod_security import pod_security
from fluxstead.core.requirement import Requirement
from fluxstead.core.shape import merged
from fluxstead.systems.ingress.settings import Controller
from fluxstead.tree.layer import Layer


def release(
    settings: Controller,
    platform: Platform,
    *,
    url: str,
    values: Mapping[str, Any],
    offers: Iterable[Requirement],
    patches: Iterable[Mapping[str, Any]] = (),
) -> Layer:
    """The layer of a controller whose chart has its name. Without a version, which is a finding, there is no release."""
    chart, namespace, source = settings.controller, settings.namespace_name, settings.source
    post_renderers = [{"kustomize": {"patches": [dict(patch) for patch in patches]}}] if patches else []
    manifests: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            # Once it goes with its release, what tells Helm of the release is gone before Helm can remove what is in no namespace,
            # ingress-nginx' webhook among it, without which the API server refuses every Ingress.
            "metadata": {"name": namespace, "labels": pod_security("baseline", platform), "annotations": dict(KEEP)},
        },
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository",
            "metadata": {"name": chart, "namespace": namespace},
            "spec": {"interval": "12h", "url": url},
        },
    ]
    if settings.version:
        manifests.append(
            {
                "apiVersion": "helm.toolkit.fluxcd.io/v2",
                "kind": "HelmRelease",
                "metadata": {"name": settings.release, "namespace": namespace},
                "spec": {
                    "releaseName": settings.release,
                    "chart": {
                        "spec": {
                            "chart": chart,
                            "version": str(settings.version),
                            "sourceRef": {"kind": "HelmRepository", "name": chart},
                        }
                    },
                    "interval": "10m",
                    "timeout": "10m",
                    **install_and_upgrade(platform),
                    "driftDetection": dict(DRIFT_DETECTION),
                    **({"postRenderers": post_renderers} if post_renderers else {}),
                    "values": merged(values, settings.values),
                },
            }
        )
    return Layer(
        name=chart,
        group="infrastructure",
        source=source,
        manifests=tuple(Manifest(obj, source) for obj in manifests),
        offers=frozenset(offers),
    )
