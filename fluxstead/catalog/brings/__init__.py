"""What versions of charts, and of k3s, bring into a cluster once they are ready.

CRDs and classes, so that an order can be proved without a cluster. All of it is what comes with the chart's
default values; `catalog.chart` says what values change. The facts are from each release's own templates and sources, which the
tables name.
"""

from __future__ import annotations

from fluxstead.catalog.brings.k3s import k3s_brings
from fluxstead.catalog.brings.model import Brings, Part, kinds, of_version

__all__ = ["Brings", "Part", "k3s_brings", "kinds", "of_version"]
