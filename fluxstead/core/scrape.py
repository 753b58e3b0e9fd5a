"""Scrapes: how a system asks for its metrics to be collected, whatever collects them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fluxstead.core.findings import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """Collect metrics from the Services in `namespace` that carry `labels`, at their port named `port`.

    `guarded_port` is the pods' port where the namespace's own network policies would keep the collector out, and one that lets it
    in has to be written; `pod_labels` are then the labels of those pods. It stays None where no policy selects them: the only
    policy of a pod shuts out everything that it does not name.

    `rules` are alert rules of these metrics as a PrometheusRule holds them; `dashboard` shows them, as Grafana's JSON model.
    """

    name: str
    namespace: str
    labels: Mapping[str, str]
    port: str
    source: Source
    path: str = "/metrics"
    guarded_port: int | None = None
    pod_labels: Mapping[str, str] | None = None
    rules: tuple[Mapping[str, Any], ...] = ()
    dashboard: Mapping[str, Any] | None = None
