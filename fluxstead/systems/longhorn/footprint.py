"""What Longhorn's own pods ask for.

Without requests the scheduler takes them for nothing, and the kernel kills them first when a machine runs out of memory. Nothing
that volumes depend on has a limit. The instance managers hold the volumes' data paths: one that is killed takes down every volume
of its machine, and one that is slowed down makes their disks look dead. They are started by the managers, with a request of CPU of
Longhorn's own setting (12 % of a machine, guaranteedInstanceManagerCPU) and none of memory, and are left alone. The managers attach
and detach, and have been seen to grow far beyond any sensible limit while they did (longhorn/longhorn#6866): requests only.

Measured: 115m and 403Mi at most in 14 days (siutsin/otaru#2758); 110m and 656Mi, with 10m and 32Mi for the UI and the driver
deployer (thaum-xyz/ankhmorpork#1110).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluxstead.core.compute import Compute, resources
from fluxstead.core.version import Version
from fluxstead.core.yaml_text import to_yaml


def manager() -> Compute:
    """What the manager asks for on each machine."""
    return Compute.model_validate({"cpu": "100m", "memory": "400Mi"})


_SMALL = resources("10m", "32Mi").written()
# It serves pages, and nothing but they depend on it.
_PAGES = resources("10m", "32Mi", "192Mi").written()


def values(version: Version, requests: Compute) -> dict[str, Any]:
    """The manager's, since 1.11 a value of the chart (longhorn: chart/values.yaml)."""
    return {"longhornManager": {"resources": {"requests": requests.written()}}} if _has_value(version) else {}


def patches(version: Version, requests: Compute) -> Iterator[dict[str, Any]]:
    """What the chart has no value for, as patches of what it renders: of the first container, which is the program itself."""
    if not _has_value(version):
        yield _patch("DaemonSet", "longhorn-manager", {"requests": requests.written()})
    yield _patch("Deployment", "longhorn-driver-deployer", _SMALL)
    yield _patch("Deployment", "longhorn-ui", _PAGES)


def _has_value(version: Version) -> bool:
    return version.minor >= (1, 11)


def _patch(kind: str, name: str, amounts: dict[str, Any]) -> dict[str, Any]:
    step = {"op": "add", "path": "/spec/template/spec/containers/0/resources", "value": amounts}
    return {"target": {"kind": kind, "name": name}, "patch": to_yaml([step])}
