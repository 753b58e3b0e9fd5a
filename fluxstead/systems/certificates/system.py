"""What certificates declare about themselves."""

from __future__ import annotations

from fluxstead.system import System
from fluxstead.systems.certificates import checks, objects
from fluxstead.systems.certificates.charts import CERT_MANAGER

CERTIFICATES = System(
    name="certificates",
    key="certificates",
    does="TLS for every route: cert-manager with an authority of one's own or ACME, or certificates that are given",
    charts=(CERT_MANAGER,),
    planned=checks.CHECKS,
    live="fluxstead.systems.certificates.live",
    rules=objects.RULES,
)
