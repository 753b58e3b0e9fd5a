"""What a cluster has before the first layer: k3s as installed, and Flux as bootstrapped."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.brings import k3s_brings
from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.catalog.brings.model import kinds
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE, Platform
from fluxstead.core.requirement import Requirement, ingress_class, namespace, secret, storage_class

_FLUX_KINDS = (
    kinds("kustomize.toolkit.fluxcd.io", "Kustomization")
    | kinds("helm.toolkit.fluxcd.io", "HelmRelease")
    | kinds("source.toolkit.fluxcd.io", "HelmRepository HelmChart GitRepository OCIRepository Bucket")
    | kinds("notification.toolkit.fluxcd.io", "Alert Provider Receiver")
)


def given(platform: Platform, *, sops_secret: str | None = None) -> Iterator[Requirement]:
    """Everything that layers may need and no layer has to offer."""
    brings = k3s_brings(platform.disabled, platform.kubernetes)
    yield from map(namespace, (*NAMESPACES, FLUX_NAMESPACE))
    yield from _FLUX_KINDS | brings.crds | platform.kinds
    yield from map(storage_class, brings.storage_classes)
    yield from map(ingress_class, brings.ingress_classes)
    yield ObjectRef("source.toolkit.fluxcd.io", "GitRepository", FLUX_NAMESPACE, FLUX_NAMESPACE)
    if sops_secret:
        yield secret(FLUX_NAMESPACE, sops_secret)
