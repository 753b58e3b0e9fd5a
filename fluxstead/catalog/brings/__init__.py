"""What a chart's version brings to a cluster, itself or through the controllers that it starts; and what k3s brings.

With the chart's default values: an IngressClass can be renamed there, and a webhook switched off. The facts were read in
each release's own templates and sources, which the tables name.
"""

from __future__ import annotations

from collections.abc import Collection

from fluxstead.catalog.brings.charts import CHARTS
from fluxstead.catalog.brings.k3s import ALWAYS, COMPONENTS
from fluxstead.catalog.brings.longhorn import LONGHORN
from fluxstead.catalog.brings.model import Brings, Operation, Webhook, of_version

__all__ = ["Brings", "Operation", "Webhook", "chart_brings", "k3s_brings"]

_TABLE = {**CHARTS, "longhorn": LONGHORN}


def chart_brings(chart: str, version: str) -> Brings | None:
    """What this version of a chart brings; None for a chart that is not in the table, or a version older than it.

    A version newer than all in the table is taken to bring what the newest one does.
    """
    return of_version(version, _TABLE.get(chart, ()))


def k3s_brings(disable: Collection[str], version: str) -> Brings:
    """What a fresh k3s cluster has, with these packaged components disabled."""
    parts = (part for component, found in COMPONENTS.items() if component not in disable for part in found)
    return of_version(version, (ALWAYS, *parts)) or Brings()
