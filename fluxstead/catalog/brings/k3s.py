"""What k3s itself brings, by the packaged component that `disable` names.

Sources: k3s manifests/ and pkg/crd; k3s-charts charts/traefik-crd; the release notes of 1.32, by which Traefik was 2.11
until v1.32.1 and is 3 since v1.32.2, and of 1.37, in which the Gateway API became a component of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fluxstead.catalog.brings.gateway import GATEWAY_API, GATEWAY_API_1_5
from fluxstead.catalog.brings.model import Brings, Part, kinds, of_version
from fluxstead.core.version import Version

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
TRAEFIK = kinds(
    "traefik.io",
    "IngressRoute IngressRouteTCP IngressRouteUDP Middleware MiddlewareTCP ServersTransport ServersTransportTCP "
    "TLSOption TLSStore TraefikService",
)

ALWAYS = Part(
    (1,),
    Brings(crds=kinds("helm.cattle.io", "HelmChart HelmChartConfig") | kinds("k3s.cattle.io", "Addon ETCDSnapshotFile")),
)
# The group of Traefik 1 and 2, which Traefik 3 no longer reads.
_TRAEFIK_2 = kinds(
    "traefik.containo.us",
    "IngressRoute IngressRouteTCP IngressRouteUDP Middleware MiddlewareTCP ServersTransport TLSOption TLSStore TraefikService",
)
_TRAEFIK = Brings(crds=TRAEFIK, ingress_classes=frozenset({"traefik"}), default_ingress_class="traefik")

COMPONENTS: Mapping[str, tuple[Part, ...]] = {
    "gateway-api-crd": (Part((1, 37), Brings(crds=GATEWAY_API_1_5)),),
    "local-storage": (Part((1,), Brings(storage_classes=frozenset({"local-path"}), default_storage_class="local-path")),),
    "traefik": (
        Part((1,), _TRAEFIK),
        Part((1,), Brings(crds=_TRAEFIK_2), until=(1, 32, 2)),
        Part((1, 32, 2), Brings(crds=GATEWAY_API), until=(1, 37)),
    ),
}

LOAD_BALANCERS: Mapping[str, frozenset[int]] = {"traefik": frozenset({80, 443})}
"""The packaged components with a Service of type LoadBalancer, and its ports."""

OF_THE_NODES: Mapping[tuple[str, int], str] = {
    ("TCP", 6443): "k3s's API server",
    ("TCP", 10250): "the kubelet",
    ("UDP", 8472): "flannel",
}
"""Ports that k3s itself has on its machines (docs.k3s.io: installation/requirements, networking)."""

BUNDLED: Mapping[str, tuple[tuple[tuple[int, int, int], str, str], ...]] = {
    "traefik": (((1, 0, 0), "25.0.0", "27.0.2"), ((1, 32, 2), "33.0.0", "41.3.0"), ((1, 36, 3), "40.0.0", "41.3.0")),
}
"""The charts that k3s installs from its own binary, and which of their releases: since a version of k3s, the oldest and the newest.

Patch releases of one minor bring newer charts (1.33.1 has Traefik's 34.2.0, 1.33.13 40.x), so these are bounds, not the release.
Source: manifests/traefik.yaml, and the warnings in the release notes of 1.33.13+k3s2, 1.35.7+k3s1 and 1.36.3+k3s1.
"""


def bundled_charts(chart: str, version: Version | None) -> tuple[str, str]:
    """The oldest and the newest release of a bundled chart that this k3s may have; of any k3s, where its version is not known."""
    bounds = BUNDLED.get(chart, ())
    if version is None:
        return (bounds[0][1], bounds[-1][2]) if bounds else ("", "")
    return next(((oldest, newest) for since, oldest, newest in reversed(bounds) if version.numbers >= since), ("", ""))


def k3s_brings(disable: Collection[str], version: Version) -> Brings:
    """What a fresh k3s cluster has, with these packaged components disabled."""
    parts = (part for component, found in COMPONENTS.items() if component not in disable for part in found)
    return of_version(version, (ALWAYS, *parts)) or Brings()
