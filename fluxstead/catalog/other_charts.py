"""Charts that no fluxstead system installs, but that other people's trees have.

Source: cert-manager/cert-manager deploy/charts/cert-manager, at the tags of its releases.
"""

from __future__ import annotations

from fluxstead.catalog.brings import Brings, Part, kinds
from fluxstead.catalog.chart import Chart

_CERT_MANAGER = kinds("cert-manager.io", "Certificate CertificateRequest ClusterIssuer Issuer")
_ACME = kinds("acme.cert-manager.io", "Challenge Order")

OTHER_CHARTS = (
    Chart(
        name="cert-manager",
        parts=(Part((1, 19), Brings(crds=_CERT_MANAGER | _ACME)),),
        single=True,
        # A Certificate names the Secret that it makes.
        inert_kinds=frozenset({"Certificate", "Issuer"}),
    ),
    Chart(name="metallb", single=True, gives_addresses=True),
    *(Chart(name=name, gives_addresses=True) for name in ("kube-vip", "cilium", "openelb", "purelb")),
    *(Chart(name=name, single=True) for name in ("external-secrets", "kyverno", "metrics-server")),
)
