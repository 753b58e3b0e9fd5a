"""Everything that can be wrong, of every file of it."""

from __future__ import annotations

from tests.live.spoilt import PLANTED as FIRST
from tests.live.spoilt_flux import OF_FLUX
from tests.live.spoilt_longhorn import OF_LONGHORN
from tests.live.spoilt_machines import OF_MACHINES
from tests.live.spoilt_workloads import SPOILT as OF_WORKLOADS

PLANTED = FIRST | OF_FLUX | OF_LONGHORN | OF_MACHINES | OF_WORKLOADS
