"""What a cluster has before the first layer: k3s as installed, and Flux as bootstrapped."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.brings import k3s_brings
from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.core.capability import Capability
from fluxstead.core.platform import FLUX_NAMESPACE, Platform

_FLUX_KINDS = (
    "Kustomization.kustomize.toolkit.fluxcd.io",
    "HelmRelease.helm.toolkit.fluxcd.io",
    "HelmRepository.source.toolkit.fluxcd.io",
    "HelmChart.source.toolkit.fluxcd.io",
    "GitRepository.source.toolkit.fluxcd.io",
    "OCIRepository.source.toolkit.fluxcd.io",
    "Bucket.source.toolkit.fluxcd.io",
    "Alert.notification.toolkit.fluxcd.io",
    "Provider.notification.toolkit.fluxcd.io",
    "Receiver.notification.toolkit.fluxcd.io",
)


def given(platform: Platform, *, sops_secret: str | None = None) -> Iterator[Capability]:
    """Everything that layers may need and nobody has to offer."""
    brings = k3s_brings(platform.disabled, platform.kubernetes)
    for namespace in (*NAMESPACES, FLUX_NAMESPACE):
        yield Capability("Namespace", namespace)
    for kind in (*_FLUX_KINDS, *brings.crds):
        yield Capability("CustomResourceDefinition", kind)
    yield from (Capability("StorageClass", name) for name in brings.storage_classes)
    yield from (Capability("IngressClass", name) for name in brings.ingress_classes)
    yield Capability("Source", f"GitRepository/{FLUX_NAMESPACE}", FLUX_NAMESPACE)
    if sops_secret:
        yield Capability("Secret", sops_secret, FLUX_NAMESPACE)
