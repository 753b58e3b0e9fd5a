"""What is in front of each route, as the description says."""

from __future__ import annotations

from typing import NamedTuple

from fluxstead.core.access import Access
from fluxstead.systems.access import proxy
from fluxstead.systems.access.settings import AccessSettings, Basic
from fluxstead.tree.asks import Forwarded, Guard, Networks, Password, Route


class DescribedGate(NamedTuple):
    """Who may come in; `port`: that at which people come in by HTTPS, for the links of who has to log in."""

    settings: AccessSettings | None
    port: int | None = None

    def guard_of(self, route: Route) -> Guard | None:
        """What is in front of a route."""
        said = self.said_of(route)
        match said.by if said else "open":
            case "basic" if not route.asks_itself:
                return Password((self.settings.basic if self.settings else Basic()).secret)
            case "network":
                return Networks(tuple(str(network) for network in said.networks)) if said else None
            case "oidc" if route.access or not route.asks_itself:
                return self._forwarded(route)
        return None

    def said_of(self, route: Route) -> Access | None:
        """What the description says of a route, at the route or for all. Much at stake is open by a word at itself alone."""
        for_all = self.settings
        return route.access or (None if for_all and for_all.by == "open" and route.at_stake else for_all)

    def _forwarded(self, route: Route) -> Forwarded | None:
        """What is asked; nothing for a route that nobody wrote and that has no name by which it could be known who logged in."""
        settings = self.settings
        if settings and settings.forward:
            forward = settings.forward
            return Forwarded(forward.address, forward.address, forward.sign_in or "", forward.headers)
        if settings is None or settings.oidc is None or (route.optional and route.host is None):
            return None
        return proxy.guard(settings.oidc, self.port)
