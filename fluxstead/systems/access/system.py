"""What access declares about itself."""

from __future__ import annotations

from fluxstead.system import System
from fluxstead.systems.access import checks
from fluxstead.systems.access.charts import OAUTH2_PROXY

ACCESS = System(
    name="access",
    key="access",
    does="who may come in by routes: names and passwords, an identity provider by oauth2-proxy, or networks",
    charts=(OAUTH2_PROXY,),
    planned=checks.CHECKS,
)
