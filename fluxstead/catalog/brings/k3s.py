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


def k3s_brings(disable: Collection[str], version: Version) -> Brings:
    """What a fresh k3s cluster has, with these packaged components disabled."""
    parts = (part for component, found in COMPONENTS.items() if component not in disable for part in found)
    return of_version(version, (ALWAYS, *parts)) or Brings()
