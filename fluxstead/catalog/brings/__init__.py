"""What versions of charts, and of k3s, bring into a cluster once they are ready.

CRDs, classes, and admission webhooks, so that an order can be proved without a cluster. All of it is what comes with the chart's
default values; `catalog.chart` says what values change. The facts are from each release's own templates and sources, which the
tables name.
"""

from __future__ import annotations

from fluxstead.catalog.brings.k3s import k3s_brings
from fluxstead.catalog.brings.model import Brings, Operation, Part, Webhook, kinds, of_version, webhook

__all__ = ["Brings", "Operation", "Part", "Webhook", "k3s_brings", "kinds", "of_version", "webhook"]
