"""The APIs that Flux stopped serving (flux2's release notes)."""

from __future__ import annotations

GONE_SINCE = {
    "helm.toolkit.fluxcd.io/v2beta1": (2, 7),
    "helm.toolkit.fluxcd.io/v2beta2": (2, 8),
    "kustomize.toolkit.fluxcd.io/v1beta1": (2, 7),
    "kustomize.toolkit.fluxcd.io/v1beta2": (2, 8),
    "source.toolkit.fluxcd.io/v1beta1": (2, 7),
    "source.toolkit.fluxcd.io/v1beta2": (2, 8),
    "notification.toolkit.fluxcd.io/v1beta1": (2, 7),
    "notification.toolkit.fluxcd.io/v1beta2": (2, 9),
    "image.toolkit.fluxcd.io/v1beta1": (2, 7),
    "image.toolkit.fluxcd.io/v1beta2": (2, 9),
}
"""The first minor release of Flux without an API."""
