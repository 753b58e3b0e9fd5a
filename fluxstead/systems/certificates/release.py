"""cert-manager's own layer."""

from __future__ import annotations

from typing import Any

from fluxstead.core.helm import DRIFT_DETECTION, install_and_upgrade
from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.pod_security import pod_security
from fluxstead.core.shape import merged
from fluxstead.core.version import Version
from fluxstead.systems.certificates.charts import CONTROLLER, metrics_port
from fluxstead.systems.certificates.issuers import at_port_53
from fluxstead.systems.certificates.settings import CertificatesSettings
from fluxstead.tree.asks import Scrape
from fluxstead.tree.layer import Layer

NAME = "cert-manager"


def layer(settings: CertificatesSettings, version: Version, platform: Platform) -> Layer:
    """Namespace, source and release. The release is ready once its webhook answers, which its chart's last job asks for."""
    source, namespace = settings.source, settings.namespace
    manifests: tuple[dict[str, Any], ...] = (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": pod_security("restricted", platform)}},
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository",
            "metadata": {"name": "jetstack", "namespace": namespace},
            "spec": {"interval": "12h", "url": "https://charts.jetstack.io"},
        },
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": NAME, "namespace": namespace},
            "spec": {
                "releaseName": NAME,
                "chart": {
                    "spec": {
                        "chart": NAME,
                        # Its releases carry the `v`.
                        "version": f"v{str(version).removeprefix('v')}",
                        "sourceRef": {"kind": "HelmRepository", "name": "jetstack"},
                    }
                },
                "interval": "10m",
                "timeout": "10m",
                **install_and_upgrade(platform),
                "driftDetection": dict(DRIFT_DETECTION),
                "values": merged(_values(settings), settings.values),
            },
        },
    )
    return Layer(name=NAME, group="infrastructure", source=source, manifests=tuple(Manifest(obj, source) for obj in manifests))


def _values(settings: CertificatesSettings) -> dict[str, Any]:
    # Kept: with the CRDs, every certificate would go, and then its Secret's owner.
    values: dict[str, Any] = {"crds": {"enabled": True, "keep": True}}
    nameservers = settings.acme.nameservers if settings.acme else ()
    if nameservers:
        values["dns01RecursiveNameservers"] = ",".join(map(at_port_53, nameservers))
        values["dns01RecursiveNameserversOnly"] = True
    return values


def scrape(settings: CertificatesSettings, version: Version) -> Scrape:
    """The controller's metrics (deploy/charts/cert-manager/templates/service.yaml)."""
    return Scrape(name=NAME, namespace=settings.namespace, labels=CONTROLLER, port=metrics_port(version), source=settings.source)
