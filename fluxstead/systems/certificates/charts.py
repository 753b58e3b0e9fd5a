"""cert-manager's chart.

Sources: cert-manager/cert-manager deploy/charts/cert-manager, at the tags of its releases; templates/service.yaml, and the upgrade
notes of 1.21, which renamed the port of the metrics.
"""

from __future__ import annotations

from fluxstead.catalog.brings import Brings, Part, kinds
from fluxstead.catalog.chart import Chart, MonitoredService
from fluxstead.core.version import Version

_KINDS = kinds("cert-manager.io", "Certificate CertificateRequest ClusterIssuer Issuer")
_ACME = kinds("acme.cert-manager.io", "Challenge Order")
CONTROLLER = {"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": "controller"}

CERT_MANAGER = Chart(
    name="cert-manager",
    parts=(Part((1, 15), Brings(crds=_KINDS | _ACME)),),
    single=True,
    # A Certificate names the Secret that it makes.
    inert_kinds=frozenset({"Certificate", "Issuer"}),
    monitored=(MonitoredService(CONTROLLER, frozenset({"http-metrics"}), (1, 21, 0)),),
)


def metrics_port(version: Version) -> str:
    """The name of the port that has the controller's metrics."""
    return "http-metrics" if version.minor >= (1, 21) else "tcp-prometheus-servicemonitor"
