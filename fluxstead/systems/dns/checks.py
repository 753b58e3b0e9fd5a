"""The rules for names in the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node
from fluxstead.systems.dns.settings import DnsSettings

CLUSTER_DOMAIN = refuses(
    "dns/cluster-domain", "U7", "web.cluster.local is inside the cluster's own domain, cluster.local", "the description"
)
ANOTHER_ADDRESS = warns(
    "dns/another-address", "U7", "k3s1.local goes to 192.168.86.99, and machine k3s1 has 192.168.86.71", "the description"
)
MDNS_NAME = warns("dns/mdns", "U7", "k3s1.local: .local belongs to multicast DNS (RFC 6762)", "the description")
NO_COREDNS = refuses("dns/no-coredns", "U7", "there are records, but k3s's CoreDNS is disabled", "the description")
CHECKS = (ANOTHER_ADDRESS, CLUSTER_DOMAIN, MDNS_NAME, NO_COREDNS)

_CLUSTER_DOMAIN = "cluster.local"
"""k3s's default for --cluster-domain."""


def findings_of(settings: DnsSettings, platform: Platform, nodes: Sequence[Node]) -> Iterator[Finding]:
    """What is wrong, or worth knowing, before CoreDNS is asked to answer these names."""
    if settings.records and "coredns" in platform.disabled:
        yield NO_COREDNS(
            settings.source_of("records"),
            what="there are records, but k3s's CoreDNS is disabled",
            why="only k3s's CoreDNS reads the ConfigMap coredns-custom",
            fix="no records, or a kubernetes.disable without coredns",
        )
    for name in settings.records:
        yield from _cluster_domain(settings, name)
    yield from _mdns(settings)
    yield from _machines(settings, nodes)


def _cluster_domain(settings: DnsSettings, name: str) -> Iterator[Finding]:
    above = f".{_CLUSTER_DOMAIN}".endswith(f".{name}")
    if above or name.endswith(f".{_CLUSTER_DOMAIN}"):
        yield CLUSTER_DOMAIN(
            settings.source_of("records", name),
            what=f"{name} is {'above' if above else 'inside'} the cluster's own domain, {_CLUSTER_DOMAIN}",
            why="its server block would take over the names of the cluster's Services",
            fix="a name in another domain, such as home.arpa",
        )


def _machines(settings: DnsSettings, nodes: Sequence[Node]) -> Iterator[Finding]:
    """Records by the name of a machine that lead to no machine; a router or a store in the same network may have any other name."""
    own = {str(address) for node in nodes for address in (node.address, node.second_address) if address}
    by_name = {node.name: node for node in nodes}
    for name, address in settings.records.items():
        node = by_name.get(name.partition(".")[0])
        if node is not None and str(address) not in own:
            yield ANOTHER_ADDRESS(
                settings.source_of("records", name),
                what=f"{name} goes to {address}, and machine {node.name} has {node.address}",
                why="pods that ask for the machine reach another one, or none",
                fix=f"{name}: {node.address}",
            )


def _mdns(settings: DnsSettings) -> Iterator[Finding]:
    names = [name for name in settings.records if name.endswith(".local")]
    if names:
        yield MDNS_NAME(
            settings.source_of("records", names[0]),
            what=f"{', '.join(names)}: .local belongs to multicast DNS (RFC 6762)",
            why="machines with systemd-resolved or Avahi may never ask a DNS server for it; pods do",
            fix="a name below home.arpa, if more than pods should use it",
        )
