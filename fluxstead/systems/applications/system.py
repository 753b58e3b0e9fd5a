"""What applications declare about themselves."""

from __future__ import annotations

from fluxstead.system import System
from fluxstead.systems.applications import checks, declared, running

APPLICATIONS = System(
    name="applications",
    key="apps",
    does="the applications, a layer for each environment",
    planned=(*checks.CHECKS, *declared.CHECKS, *running.CHECKS),
)
