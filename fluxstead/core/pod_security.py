"""Pod Security Standards, as a namespace's labels ask the API server to hold its pods to one."""

from __future__ import annotations

from typing import Literal

from fluxstead.core.platform import Platform


def pod_security(level: Literal["privileged", "baseline", "restricted"], platform: Platform) -> dict[str, str]:
    """The labels of a namespace whose pods have to keep to this standard: others are refused, warned of and noted in the audit log.

    As the standard was in this Kubernetes: what a later one adds would refuse pods that run today
    (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
    """
    major, minor = platform.kubernetes.minor
    labels: dict[str, str] = {}
    for mode in ("enforce", "audit", "warn"):
        labels[f"pod-security.kubernetes.io/{mode}"] = level
        labels[f"pod-security.kubernetes.io/{mode}-version"] = f"v{major}.{minor}"
    return labels
