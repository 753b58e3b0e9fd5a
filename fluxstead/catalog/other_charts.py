"""Charts that no fluxstead system installs, but that other people's trees have.

Sources, for claims: the values and the StatefulSets of grafana/loki production/helm/loki and of bitnami/charts.
"""

from __future__ import annotations

from fluxstead.catalog.chart import Chart, ClaimValue

OTHER_CHARTS = (
    Chart(name="metallb", single=True, gives_addresses=True),
    *(Chart(name=name, gives_addresses=True) for name in ("kube-vip", "cilium", "openelb", "purelb")),
    Chart(
        name="loki",
        claims=tuple(ClaimValue(f"{part}.persistence", "set") for part in ("singleBinary", "write", "read", "backend")),
    ),
    *(Chart(name=name, claims=(ClaimValue("primary.persistence", "set"),)) for name in ("postgresql", "mariadb")),
    *(Chart(name=name, single=True) for name in ("external-secrets", "kyverno", "metrics-server")),
)
