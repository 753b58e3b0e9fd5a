"""What the names of one's own say of themselves."""

from __future__ import annotations

from fluxstead.checks.subject import planned
from fluxstead.core.findings import Severity
from fluxstead.system import System

DNS = System(
    name="dns",
    key="dns",
    does="names that the cluster's CoreDNS answers for its pods",
    checks=(
        planned("dns/cluster-domain", "U7", "web.cluster.local is inside the cluster's own domain, cluster.local"),
        planned("dns/no-coredns", "U7", "there are records, and k3s's CoreDNS is disabled"),
        planned("dns/mdns", "U7", "k3s1.local: .local belongs to multicast DNS (RFC 6762)", Severity.WARNING),
    ),
)
