"""What a cluster has before the first layer: k3s as installed, and Flux as bootstrapped."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.brings import k3s_brings
from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE, Platform
from fluxstead.core.requirement import Requirement, custom_kind, ingress_class, namespace, secret, storage_class

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


def given(platform: Platform, *, sops_secret: str | None = None) -> Iterator[Requirement]:
    """Everything that layers may need and no layer has to offer."""
    brings = k3s_brings(platform.disabled, platform.kubernetes)
    yield from map(namespace, (*NAMESPACES, FLUX_NAMESPACE))
    yield from map(custom_kind, (*_FLUX_KINDS, *brings.crds))
    yield from map(storage_class, brings.storage_classes)
    yield from map(ingress_class, brings.ingress_classes)
    yield ObjectRef("source.toolkit.fluxcd.io", "GitRepository", FLUX_NAMESPACE, FLUX_NAMESPACE)
    if sops_secret:
        yield secret(FLUX_NAMESPACE, sops_secret)
