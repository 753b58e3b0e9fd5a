"""Each object is judged by the versions that its cluster runs."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.catalog.schemas import Schemas
from fluxstead.core.version import Version
from tests.catalog.objects import DEPLOYMENT, KUSTOMIZATION, NEWEST, REFERENCE, RELEASE, STORAGE_NODE, changed, said, thing


@pytest.mark.parametrize(
    ("obj", "path", "value", "flux", "refused"),
    [
        (KUSTOMIZATION, "spec/dependsOn/0/readyExpr", "true", "2.6.4", True),
        (KUSTOMIZATION, "spec/dependsOn/0/readyExpr", "true", "2.7.0", False),
        (KUSTOMIZATION, "spec/ignoreMissingComponents", True, "2.7.0", False),
        (KUSTOMIZATION, "spec/buildMetadata", [], "2.6.4", True),
        (KUSTOMIZATION, "spec/buildMetadata", [], "2.9.0", False),
        (RELEASE, "spec/install", {"strategy": {"name": "RetryOnFailure", "retryInterval": "5m"}}, "2.6.4", True),
        (RELEASE, "spec/install", {"strategy": {"name": "RetryOnFailure", "retryInterval": "5m"}}, "2.7.0", False),
        (RELEASE, "spec/waitStrategy", {"name": "poller"}, "2.6.4", True),
        (RELEASE, "spec/waitStrategy", {"name": "poller"}, "2.8.0", False),
    ],
)
def test_a_flux_key_is_known_from_its_release_on(
    obj: dict[str, Any], path: str, value: object, flux: str, *, refused: bool
) -> None:
    """An older Flux would refuse the layer. 2.7 and 2.8 are judged by 2.9: nothing that they serve is refused."""
    schemas = Schemas(kubernetes=Version("v1.33.1+k3s1"), flux=Version(flux))
    assert bool(said(changed(obj, path, value), schemas)) == refused


def test_an_api_that_this_flux_does_not_serve_is_refused() -> None:
    """Failure F6: Flux removed and added API versions, which `flux migrate` has to be told of."""
    old = thing("image.toolkit.fluxcd.io/v1beta2", "ImageRepository", spec={"image": "x", "interval": "1h"})
    new = {**old, "apiVersion": "image.toolkit.fluxcd.io/v1"}
    assert said(old) == []
    assert said(new) == [
        "apiVersion: ImageRepository is not served as `image.toolkit.fluxcd.io/v1`: `image.toolkit.fluxcd.io/v1beta2`"
    ]
    assert said(new, NEWEST) == []
    assert said(old, NEWEST)
    assert said(thing("helm.toolkit.fluxcd.io/v2beta1", "HelmRelease"), NEWEST)
    assert REFERENCE.newest("helm.toolkit.fluxcd.io/v2beta1", "HelmRelease") == "helm.toolkit.fluxcd.io/v2"


def test_longhorn_is_checked_by_its_own_version() -> None:
    """The NVMe driver came with 1.12 and is refused for the reference cluster's version; without Longhorn its kinds are unknown."""
    nvme = changed(STORAGE_NODE, "spec/disks/sdf1/diskDriver", "nvme")
    assert said(nvme)
    assert said(nvme, NEWEST) == []
    assert not Schemas(kubernetes=Version("v1.33.1+k3s1"), flux=Version("2.6.1")).knows("longhorn.io/v1beta2", "Node")


def test_kubernetes_is_checked_by_its_own_version() -> None:
    """`hostnameOverride` came with 1.34; a version beyond those held is served by the nearest."""
    named = changed(DEPLOYMENT, "spec/template/spec/hostnameOverride", "x")
    for version, refused in (("v1.30.9+k3s1", True), ("v1.33.1+k3s1", True), ("v1.34.0+k3s1", False), ("v1.99.0+k3s1", False)):
        schemas = Schemas(kubernetes=Version(version), flux=Version("2.9.0"))
        assert bool(said(named, schemas)) == refused, version
