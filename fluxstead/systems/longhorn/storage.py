"""The storage on Longhorn: a layer for each machine's disks, the gate on all of them, and the classes.

A machine has a layer of its own, on which nothing depends: whatever happens to it, or is refused for it, holds back its own
commits only. The gate asks about all disks once, at the first start (failure F1; docs/adr/0005).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fluxstead.core.duration import Duration
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.names import bounded
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import GroupKind, storage_class
from fluxstead.nodes.model import Disk, Node
from fluxstead.systems.longhorn.names import PROVISIONER
from fluxstead.systems.longhorn.policies import TARGETS_SINCE
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.tree.layer import Layer, Timing

DEFAULT_CLASS = "longhorn"
"""Made by longhorn-manager from the chart's values, so never declared by us (longhorn: chart/templates/storageclass.yaml)."""

_NODE = {"apiVersion": "longhorn.io/v1beta2", "kind": "Node"}
_KINDS = frozenset({GroupKind("longhorn.io", "Node")})
_REGISTERED = {
    **_NODE,
    "current": "has(metadata.labels) && 'kustomize.toolkit.fluxcd.io/name' in metadata.labels"
    " && spec.disks.all(d, d in status.diskStatus && has(status.diskStatus[d].diskUUID) && status.diskStatus[d].diskUUID != '')",
}
"""Every declared disk has been registered. Not whether it is healthy now: that a disk is dead is no reason to wait (F1).

Flux's label shows that the disks are the declared ones: a manager that starts first creates a Node without disks (longhorn-manager:
app/daemon.go), all none of which would be registered.
"""

_CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap"}
_GIVEN_BACK = {**_CONFIG_MAP, "current": "!has(data.restored) || data.restored == 'true'"}
"""Of all ConfigMaps that the layer looks at, the one that has this key says when volumes have been restored."""

_GATE_TIMING = Timing(timeout=Duration("2m"))
"""A gate that waits occupies one of the few workers of kustomize-controller, so it waits no longer than its pause makes up for."""

_OPENED_TIMING = Timing(retry_interval=Duration("5s"), timeout=Duration("1m"))
"""It waits once in the life of a cluster, right from the start, while the other workers have most to do."""

_GATE, OPENED, RESTORED = "longhorn-disks", "longhorn-disks-registered", "longhorn-restored"


def storage_layers(
    settings: LonghornSettings, platform: Platform, nodes: Sequence[Node], classes: Mapping[str, str]
) -> tuple[Layer, ...]:
    """The layers of these machines, and `longhorn-storage`, on which what needs volumes depends. `classes`: names by tag.

    Since Flux 2.7 `longhorn-storage` is the gate, which others wait for until it has been open once. Older versions wait for it
    at each revision, so there the gate is a separate layer. Once it opens, a ConfigMap is applied that stays, and
    that makes `longhorn-storage` ready. With `waitForRestore` it waits for a word of `./run backup restore --all` as well.
    """
    storing = [node for node in nodes if node.joined and node.disks]
    registered = tuple({**_NODE, "name": node.name, "namespace": settings.namespace} for node in storing)
    machines = tuple(_machine(node, settings) for node in storing)
    if not registered or platform.flux_since(2, 7):
        return *machines, _storage(settings, platform, classes, registered, after_release=True)
    opened = {**_CONFIG_MAP, "name": OPENED, "namespace": settings.namespace}
    return *machines, *_gate(settings, registered), _storage(settings, platform, classes, (opened,), after_release=False)


def _machine(node: Node, settings: LonghornSettings) -> Layer:
    return Layer(
        name=bounded(f"longhorn-node-{node.name}"),
        group="infrastructure",
        source=node.source,
        manifests=(Manifest(_node(node, settings.namespace), node.source),),
        waits=False,
    )


def _gate(settings: LonghornSettings, registered: tuple[Mapping[str, str], ...]) -> Iterator[Layer]:
    """A layer that only looks at the disks, and what is applied once they have all been registered for the first time."""
    yield Layer(
        name=_GATE,
        group="infrastructure",
        source=settings.source,
        timing=_GATE_TIMING,
        needs=_KINDS,
        health_checks=registered,
        health_check_exprs=(_REGISTERED,),
    )
    yield Layer(
        name=OPENED,
        group="infrastructure",
        source=settings.source,
        manifests=(Manifest(_opened(settings.namespace), settings.source),),
        depends_on=(_GATE,),
    )


def _opened(namespace: str) -> dict[str, Any]:
    return {
        **_CONFIG_MAP,
        "metadata": {"name": OPENED, "namespace": namespace, "annotations": dict(KEEP)},
        "data": {
            "meaning": "Every declared disk had been registered with Longhorn when this was applied. Since then, the layer"
            " longhorn-storage is ready whatever happens to a machine."
        },
    }


def _waiting(namespace: str) -> dict[str, Any]:
    """Flux makes it, and leaves it as whoever has restored the volumes writes it."""
    return {
        **_CONFIG_MAP,
        "metadata": {
            "name": RESTORED,
            "namespace": namespace,
            "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"},
        },
        "data": {"restored": "false", "meaning": "What needs volumes waits until ./run backup restore --all has given them back."},
    }


def _storage(
    settings: LonghornSettings,
    platform: Platform,
    classes: Mapping[str, str],
    ready_with: tuple[Mapping[str, str], ...],
    *,
    after_release: bool,
) -> Layer:
    manifests = [Manifest(_class(name, tag, settings), settings.source) for tag, name in classes.items()]
    if settings.default_class and "local-storage" not in platform.disabled:
        manifests.append(Manifest(_LOCAL_PATH_NOT_DEFAULT, settings.source))
    asked = (_REGISTERED,) if any(check["kind"] == "Node" for check in ready_with) else ()
    if settings.wait_for_restore:
        manifests.append(Manifest(_waiting(settings.namespace), settings.source_of("waitForRestore")))
        ready_with = (*ready_with, {**_CONFIG_MAP, "name": RESTORED, "namespace": settings.namespace})
        asked = (*asked, _GIVEN_BACK)
    return Layer(
        name="longhorn-storage",
        group="infrastructure",
        source=settings.source,
        manifests=tuple(manifests),
        timing=_GATE_TIMING if after_release or settings.wait_for_restore else _OPENED_TIMING,
        needs=_KINDS if after_release else frozenset(),
        # Longhorn creates the default class by itself; once the disks are registered, its volumes can be placed (F1).
        offers=frozenset({storage_class(DEFAULT_CLASS)}),
        health_checks=ready_with,
        health_check_exprs=asked,
        first_start_only=True,
        keeps_data=True,
    )


def _node(node: Node, namespace: str) -> dict[str, Any]:
    leaving = node.state == "leaving"
    return {
        "apiVersion": "longhorn.io/v1beta2",
        "kind": "Node",
        "metadata": {"name": node.name, "namespace": namespace, "annotations": dict(KEEP)},
        "spec": {
            "name": node.name,
            "allowScheduling": not leaving,
            "evictionRequested": leaving,
            "tags": [],
            "disks": {disk.name: _disk(disk, leaving=leaving) for disk in node.disks},
        },
    }


def _disk(disk: Disk, *, leaving: bool) -> dict[str, Any]:
    evicting = leaving or disk.evict
    return {
        "path": disk.mount_path,
        "diskType": "filesystem",
        # The webhook refuses a disk that is both evicted and scheduled to (longhorn-manager: webhook/resources/node/validator.go).
        "allowScheduling": disk.scheduling and not evicting,
        "evictionRequested": evicting,
        "storageReserved": disk.reserved.bytes,
        "tags": list(disk.tags),
    }


def _class(name: str, tag: str, settings: LonghornSettings) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": name,
            # Parameters are immutable; Flux may replace the class, which does not affect volumes (F28).
            "annotations": {**KEEP, "kustomize.toolkit.fluxcd.io/force": "enabled"},
        },
        "provisioner": PROVISIONER,
        "allowVolumeExpansion": True,
        "reclaimPolicy": settings.reclaim_policy,
        "volumeBindingMode": "Immediate",
        "parameters": {
            "numberOfReplicas": str(settings.replicas),
            "staleReplicaTimeout": "30",
            "dataLocality": settings.data_locality,
            "fsType": settings.filesystem,
            "diskSelector": tag,
            **(
                {"backupTargetName": settings.backups_to} if settings.backups_to and settings.version.minor >= TARGETS_SINCE else {}
            ),
        },
    }


_LOCAL_PATH_NOT_DEFAULT: dict[str, Any] = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "local-path",
        "annotations": {
            **KEEP,
            # k3s owns the class; only this one annotation is ours.
            "kustomize.toolkit.fluxcd.io/ssa": "Merge",
            "storageclass.kubernetes.io/is-default-class": "false",
        },
    },
    "provisioner": "rancher.io/local-path",
}
