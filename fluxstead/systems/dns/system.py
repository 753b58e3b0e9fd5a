"""What names in the cluster declare about themselves."""

from __future__ import annotations

from fluxstead.system import System
from fluxstead.systems.dns import checks, corefile

DNS = System(
    name="dns",
    key="dns",
    does="names that the cluster's CoreDNS answers for its pods",
    planned=checks.CHECKS,
    rules=corefile.RULES,
)
