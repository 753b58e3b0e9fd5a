"""Longhorn: its release, and what it asks of others; the layers of the storage on it are in `storage`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from fluxstead.core.findings import Source
from fluxstead.core.helm import DRIFT_DETECTION, install_and_upgrade
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.names import bounded, nearest_name
from fluxstead.core.platform import Platform
from fluxstead.core.pod_security import pod_security
from fluxstead.core.shape import merged
from fluxstead.nodes.model import Node
from fluxstead.systems.longhorn import backups, credentials, footprint, keeping, placing, policy_checks
from fluxstead.systems.longhorn.alerts import RULES
from fluxstead.systems.longhorn.checks import findings_of
from fluxstead.systems.longhorn.dashboard import DASHBOARD
from fluxstead.systems.longhorn.policies import TARGETS_SINCE
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.longhorn.storage import DEFAULT_CLASS, storage_layers
from fluxstead.systems.longhorn.values import guarded
from fluxstead.tree.asks import AlertRules, Dashboard, Route, Scrape
from fluxstead.tree.layer import Layer, Plan


def plan(settings: LonghornSettings, platform: Platform, nodes: Sequence[Node]) -> Plan:
    """Longhorn's layers for these machines."""
    tags = sorted({tag for node in nodes if node.joined for disk in node.disks for tag in disk.tags})
    classes = {tag: class_for(tag) for tag in tags}
    values = merged(merged(_values(settings), placing.tolerating(nodes)), settings.values)
    labels = {"app": "longhorn-manager"}
    return Plan(
        layers=(
            _release(settings, platform, values),
            *storage_layers(settings, platform, nodes, classes),
            *keeping.layers_of(settings),
        ),
        routes=tuple(_routes(settings)),
        scrapes=(
            Scrape(
                name="longhorn",
                namespace=settings.namespace,
                labels=labels,
                port="manager",
                source=settings.source,
                guarded_port=9500 if guarded(settings.version.numbers, settings.values) else None,
                pod_labels=labels,
            ),
        ),
        alerts=(AlertRules(name="longhorn", source=settings.source, rules=RULES),),
        dashboards=(Dashboard(name="longhorn", source=settings.source, model=DASHBOARD),),
        secrets=tuple(credentials.needs_of(settings)),
        outputs={"storageClasses": (DEFAULT_CLASS, *classes.values())},
        products={"longhorn": settings.version},
        keep=partial(policy_checks.of_claims, settings),
        findings=(
            *findings_of(settings, platform, nodes, values),
            *placing.findings_of(settings, nodes, values),
            *backups.findings_of(settings, values),
            *policy_checks.findings_of(settings),
        ),
    )


def class_for(tag: str) -> str:
    """The StorageClass whose volumes live on disks with this tag."""
    return bounded(f"longhorn-{nearest_name(tag)}")


def _release(settings: LonghornSettings, platform: Platform, values: Mapping[str, Any]) -> Layer:
    source = settings.source
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": settings.namespace,
            "labels": pod_security("privileged", platform),
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
                    "version": str(settings.version),
                    "sourceRef": {"kind": "HelmRepository", "name": "longhorn"},
                }
            },
            "interval": "10m",
            "timeout": "20m",
            **install_and_upgrade(platform),
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
            "postRenderers": [{"kustomize": {"patches": list(footprint.patches(settings.version, settings.manager_requests))}}],
            "values": values,
        },
    }
    return Layer(
        name="longhorn",
        group="infrastructure",
        source=source,
        manifests=tuple(Manifest(obj, source) for obj in (namespace, repository, release)),
        first_start_only=True,
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
    if settings.node_drain_policy:
        defaults["nodeDrainPolicy"] = settings.node_drain_policy
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
        if settings.version.minor >= (1, 8):
            values["defaultBackupStore"] = target
        else:
            defaults.update(target)
    if settings.backups_to and settings.version.minor >= TARGETS_SINCE:
        values["persistence"]["backupTargetName"] = settings.backups_to
    return merged(values, footprint.values(settings.version, settings.manager_requests))


def _routes(settings: LonghornSettings) -> Iterator[Route]:
    if settings.ui:
        yield Route(
            name="longhorn",
            namespace=settings.namespace,
            service="longhorn-frontend",
            port=80,
            # A layer of its own: storage never waits for the ingress controller.
            layer="longhorn-routes",
            group="infrastructure",
            host=settings.ui.host,
            path=settings.ui.path,
            strip_path=settings.ui.path != "/",
            source=_ui_source(settings),
            optional="ui" not in settings.model_fields_set,
            access=settings.ui.access,
            at_stake="it can delete every volume",
        )


def _ui_source(settings: LonghornSettings) -> Source:
    return settings.ui.source if settings.ui else settings.source
