"""What all HelmReleases of the tree have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxstead.core.duration import Duration
from fluxstead.core.platform import Platform
from fluxstead.core.shape import mapping


def install_and_upgrade(platform: Platform) -> dict[str, Any]:
    """How Helm installs and upgrades: CRDs kept current, one attempt per interval, never an uninstall or a rollback.

    A rollback of Longhorn is a refused downgrade and an uninstall deletes its custom resources, so neither may be used as
    remediation (failure F17). Since 2.7 Flux retries a failed release by itself; before that, the operator resets it
    (`flux reconcile helmrelease NAME --reset`).
    """
    retry: dict[str, Any]
    if platform.flux_since(2, 7):
        retry = {"strategy": {"name": "RetryOnFailure", "retryInterval": "5m"}}
    else:
        retry = {"remediation": {"retries": 0, "remediateLastFailure": False}}
    return {"install": {"crds": "CreateReplace", **retry}, "upgrade": {"crds": "CreateReplace", **retry}}


def release_seconds(release: Mapping[str, Any]) -> float:
    """How long Helm may take for one step of a HelmRelease; 0 where what is written is not a duration.

    Flux uses five minutes where nothing is set (helm-controller: HelmRelease.GetTimeout).
    """
    spec = mapping(release, "spec")
    said = [step["timeout"] for step in (spec, mapping(spec, "install"), mapping(spec, "upgrade")) if "timeout" in step]
    return max((one.seconds for one in map(Duration.read, said or ["5m"]) if one), default=0)


DRIFT_DETECTION: dict[str, Any] = {"mode": "enabled"}
"""A scaled or deleted workload comes back (failure U9)."""
