"""What an operator may say about names; the only place of its defaults."""

from __future__ import annotations

from pydantic import Field

from fluxstead.core.described import Described
from fluxstead.core.names import HostName
from fluxstead.core.network import Address


class DnsSettings(Described):
    """Names that the cluster's CoreDNS answers by itself, for its pods; other machines do not ask it."""

    records: dict[HostName, Address] = Field(
        default_factory=dict, description="Addresses by name. Each name stands alone: those below it are not covered."
    )
