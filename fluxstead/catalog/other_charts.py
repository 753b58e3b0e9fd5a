"""Charts that no fluxstead system installs, but that other people's trees have.

Sources: cert-manager/cert-manager deploy/charts/cert-manager, at the tags of its releases; for claims, the
values and the StatefulSets of grafana/loki production/helm/loki and of bitnami/charts.
"""

from __future__ import annotations

from fluxstead.catalog.brings import Brings, Part, kinds
from fluxstead.catalog.chart import Chart, ClaimValue

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
    Chart(
        name="loki",
        claims=tuple(ClaimValue(f"{part}.persistence", "set") for part in ("singleBinary", "write", "read", "backend")),
    ),
    *(Chart(name=name, claims=(ClaimValue("primary.persistence", "set"),)) for name in ("postgresql", "mariadb")),
    *(Chart(name=name, single=True) for name in ("external-secrets", "kyverno", "metrics-server")),
)
