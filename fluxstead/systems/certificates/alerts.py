"""What to be told about certificates (cert-manager docs: devops-tips/prometheus-metrics).

No layer waits for a certificate, so this is who says that one does not come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WHICH = "{{ $labels.exported_namespace }}/{{ $labels.name }}"
"""Prometheus' own label `namespace` is that of cert-manager's pod."""


def _rule(name: str, expr: str, severity: str, lasting: str, summary: str) -> Mapping[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }


RULES: tuple[Mapping[str, Any], ...] = (
    _rule(
        "CertificateNotReady",
        'max by (exported_namespace, name) (certmanager_certificate_ready_status{condition!="True"}) == 1',
        "warning",
        "30m",
        f"Certificate {_WHICH} is not ready: kubectl describe certificate says why",
    ),
    _rule(
        "CertificateExpiresSoon",
        # Let's Encrypt's and one's own are renewed a third of their time before: 30 days of 90.
        "certmanager_certificate_expiration_timestamp_seconds - time() < 7 * 24 * 3600",
        "critical",
        "1h",
        f"Certificate {_WHICH} was not renewed, and browsers refuse it in less than a week",
    ),
)
