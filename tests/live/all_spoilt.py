"""Everything that can be wrong, of every file of it."""

from __future__ import annotations

from tests.live.spoilt import PLANTED as FIRST
from tests.live.spoilt_longhorn import OF_LONGHORN
from tests.live.spoilt_machines import OF_MACHINES

PLANTED = FIRST | OF_LONGHORN | OF_MACHINES
