"""The rules of names of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.core.findings import Finding, error, warning
from fluxstead.core.platform import Platform
from fluxstead.systems.dns.settings import DnsSettings

_CLUSTER_DOMAIN = "cluster.local"
"""k3s's default for --cluster-domain."""


def findings_of(settings: DnsSettings, platform: Platform) -> Iterator[Finding]:
    """What is wrong, or worth knowing, before CoreDNS is asked to answer these names."""
    if settings.records and "coredns" in platform.disabled:
        yield error(
            "dns/no-coredns",
            settings.source_of("records"),
            what="there are records, and k3s's CoreDNS is disabled",
            why="only k3s's CoreDNS reads the ConfigMap coredns-custom",
            write="no records, or a kubernetes.disable without coredns",
        )
    for name in settings.records:
        yield from _cluster_domain(settings, name)
    yield from _mdns(settings)


def _cluster_domain(settings: DnsSettings, name: str) -> Iterator[Finding]:
    above = f".{_CLUSTER_DOMAIN}".endswith(f".{name}")
    if above or name.endswith(f".{_CLUSTER_DOMAIN}"):
        yield error(
            "dns/cluster-domain",
            settings.source_of("records", name),
            what=f"{name} is {'above' if above else 'inside'} the cluster's own domain, {_CLUSTER_DOMAIN}",
            why="its server block would take over the names of the cluster's Services",
            write="a name of another domain, such as home.arpa",
        )


def _mdns(settings: DnsSettings) -> Iterator[Finding]:
    names = [name for name in settings.records if name.endswith(".local")]
    if names:
        yield warning(
            "dns/mdns",
            settings.source_of("records", names[0]),
            what=f"{', '.join(names)}: .local belongs to multicast DNS (RFC 6762)",
            why="machines with systemd-resolved or Avahi may never ask a DNS server for it; pods do",
            write="a name below home.arpa, if more than pods are to use it",
        )
