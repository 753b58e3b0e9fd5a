"""What a release of Flux asks of Kubernetes, and the APIs that it stopped serving (flux2's release notes)."""

from __future__ import annotations

import re

from fluxstead.core.version import Version

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

_OLDEST_KUBERNETES = {(2, 5): (1, 30), (2, 6): (1, 31), (2, 7): (1, 32), (2, 8): (1, 33), (2, 9): (1, 33)}
"""By minor release (fluxcd/flux2: cmd/flux/check.go, kubernetesConstraints, at its tags)."""


def oldest_kubernetes(flux: Version) -> tuple[int, int] | None:
    """The Kubernetes that `flux check --pre` asks for; None for a release that is not known."""
    return _OLDEST_KUBERNETES.get(flux.minor)


def version_of(manifests: str) -> Version | None:
    """The version that Flux's own manifests install, by the label that `flux install --export` gives its objects."""
    found = re.search(r'^\s+app\.kubernetes\.io/version:\s*"?(v?[\w.+-]+)', manifests, re.MULTILINE)
    return Version.read(found[1]) if found else None
