"""Longhorn's layers: the release, then the storage on it (nodes, disks, classes)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fluxstead.core.capability import Capability
from fluxstead.core.findings import Source
from fluxstead.core.helm import DRIFT_DETECTION, attempts, merged
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.names import bounded, nearest_name
from fluxstead.core.platform import Platform
from fluxstead.core.quantity import bytes_of
from fluxstead.core.route import Route
from fluxstead.core.scrape import Scrape
from fluxstead.core.version import minor, numbers
from fluxstead.nodes.model import Disk, Node
from fluxstead.systems.longhorn.alerts import RULES
from fluxstead.systems.longhorn.checks import findings_of
from fluxstead.systems.longhorn.dashboard import DASHBOARD
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.tree.layer import Layer, Plan

DEFAULT_CLASS = "longhorn"
"""Made by longhorn-manager from the chart's values, so never declared by us (longhorn: chart/templates/storageclass.yaml)."""

_REGISTERED = (
    "spec.disks.all(d, d in status.diskStatus && has(status.diskStatus[d].diskUUID) && status.diskStatus[d].diskUUID != '')"
)
"""Every declared disk has been registered. Not whether it is healthy now: that would freeze later commits when one dies (F1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LonghornPlan(Plan):
    """What Longhorn gives to later systems: the names of its storage classes, and which is meant where none is named."""

    classes: tuple[str, ...]
    default_class: str = DEFAULT_CLASS


def plan(settings: LonghornSettings, platform: Platform, nodes: Sequence[Node]) -> LonghornPlan:
    """Longhorn's layers for these machines."""
    tags = sorted({tag for node in nodes if node.joined for disk in node.disks for tag in disk.tags})
    classes = {tag: class_for(tag) for tag in tags}
    labels = {"app": "longhorn-manager"}
    return LonghornPlan(
        layers=(_release(settings, platform), _storage(settings, platform, nodes, classes)),
        routes=tuple(_routes(settings)),
        scrapes=(
            Scrape(
                name="longhorn",
                namespace=settings.namespace,
                labels=labels,
                port="manager",
                source=settings.source,
                guarded_port=9500 if _guarded(settings) else None,
                pod_labels=labels,
                rules=RULES,
                dashboard=DASHBOARD,
            ),
        ),
        findings=tuple(findings_of(settings, nodes)),
        classes=(DEFAULT_CLASS, *classes.values()),
    )


def _guarded(settings: LonghornSettings) -> bool:
    """Whether the chart's own network policies admit only Longhorn to its managers (chart/templates/network-policies)."""
    policies = settings.values.get("networkPolicies")
    written = policies if isinstance(policies, Mapping) else {}
    if numbers(settings.version) >= (1, 12, 1):
        return bool(written.get("restrictInternalTraffic", True))
    return bool(written.get("enabled", False))


def class_for(tag: str) -> str:
    """The StorageClass whose volumes live on disks with this tag."""
    return bounded(f"longhorn-{nearest_name(tag)}")


def _release(settings: LonghornSettings, platform: Platform) -> Layer:
    source = settings.source
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": settings.namespace,
            "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
            "annotations": dict(KEEP),
        },
    }
    repository = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmRepository",
        "metadata": {"name": "longhorn", "namespace": settings.namespace},
        "spec": {"interval": "12h", "url": "https://charts.longhorn.io"},
    }
    release = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": settings.release_name, "namespace": settings.namespace, "annotations": dict(KEEP)},
        "spec": {
            "releaseName": settings.release_name,
            "chart": {
                "spec": {
                    "chart": "longhorn",
                    "version": settings.version,
                    "sourceRef": {"kind": "HelmRepository", "name": "longhorn"},
                }
            },
            "interval": "10m",
            "timeout": "20m",
            **attempts(platform),
            "driftDetection": {
                **DRIFT_DETECTION,
                # Longhorn writes its own certificate there at every start.
                "ignore": [
                    {
                        "paths": ["/spec/conversion/webhook/clientConfig/caBundle"],
                        "target": {"kind": "CustomResourceDefinition"},
                    }
                ],
            },
            "values": merged(_values(settings), settings.values),
        },
    }
    return Layer(
        name="longhorn",
        group="infrastructure",
        source=source,
        manifests=tuple(Manifest(obj, source) for obj in (namespace, repository, release)),
        keeps_data=True,
    )


def _values(settings: LonghornSettings) -> dict[str, Any]:
    backup = settings.backup_target
    defaults: dict[str, Any] = {
        # Disks come from the description only, never from the root filesystem (F24).
        "createDefaultDiskLabeledNodes": True,
        "defaultDataPath": settings.data_path,
        "defaultReplicaCount": settings.replicas,
        "defaultDataLocality": settings.data_locality,
        "replicaSoftAntiAffinity": settings.replica_soft_anti_affinity,
        "replicaZoneSoftAntiAffinity": settings.replica_zone_soft_anti_affinity,
    }
    values: dict[str, Any] = {
        "defaultSettings": defaults,
        "persistence": {
            "defaultClass": settings.default_class,
            "defaultClassReplicaCount": settings.replicas,
            "defaultDataLocality": settings.data_locality,
            "defaultFsType": settings.filesystem,
            "reclaimPolicy": settings.reclaim_policy,
        },
    }
    if backup:
        credential = {"backupTargetCredentialSecret": backup.credential_secret} if backup.credential_secret else {}
        target = {"backupTarget": backup.url, **credential}
        # 1.8 moved them out of the settings (longhorn: chart/values.yaml).
        if minor(settings.version) >= (1, 8):
            values["defaultBackupStore"] = target
        else:
            defaults.update(target)
    return values


def _storage(settings: LonghornSettings, platform: Platform, nodes: Sequence[Node], classes: dict[str, str]) -> Layer:
    source = settings.source
    registered = [node for node in nodes if node.joined and node.disks]
    manifests = [Manifest(_node(node, settings.namespace), node.source) for node in registered]
    manifests += [Manifest(_class(name, tag, settings), source) for tag, name in classes.items()]
    if settings.default_class and "local-storage" not in platform.disabled:
        manifests.append(Manifest(_LOCAL_PATH_NOT_DEFAULT, source))
    check = {"apiVersion": "longhorn.io/v1beta2", "kind": "Node", "current": _REGISTERED}
    return Layer(
        name="longhorn-storage",
        group="infrastructure",
        source=source,
        manifests=tuple(manifests),
        health_check_exprs=(check,) if registered else (),
        needs=frozenset({Capability("CustomResourceDefinition", "Node.longhorn.io")}),
        # Longhorn makes the default class by itself; with the disks registered, volumes of it can be placed (F1).
        offers=frozenset({Capability("StorageClass", DEFAULT_CLASS)}),
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
        # The webhook refuses a disk that is to be emptied and to be filled (longhorn-manager: webhook/resources/node/validator.go).
        "allowScheduling": disk.scheduling and not evicting,
        "evictionRequested": evicting,
        "storageReserved": bytes_of(disk.reserved),
        "tags": list(disk.tags),
    }


def _class(name: str, tag: str, settings: LonghornSettings) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": name,
            # Parameters are immutable; Flux may replace the class, which volumes do not notice (F28).
            "annotations": {**KEEP, "kustomize.toolkit.fluxcd.io/force": "enabled"},
        },
        "provisioner": "driver.longhorn.io",
        "allowVolumeExpansion": True,
        "reclaimPolicy": settings.reclaim_policy,
        "volumeBindingMode": "Immediate",
        "parameters": {
            "numberOfReplicas": str(settings.replicas),
            "staleReplicaTimeout": "30",
            "dataLocality": settings.data_locality,
            "fsType": settings.filesystem,
            "diskSelector": tag,
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


def _routes(settings: LonghornSettings) -> Iterator[Route]:
    if settings.ui:
        yield Route(
            name="longhorn",
            namespace=settings.namespace,
            service="longhorn-frontend",
            port=80,
            host=settings.ui.host,
            path=settings.ui.path,
            strip_path=settings.ui.path != "/",
            source=_ui_source(settings),
        )


def _ui_source(settings: LonghornSettings) -> Source:
    return settings.ui.source if settings.ui else settings.source
