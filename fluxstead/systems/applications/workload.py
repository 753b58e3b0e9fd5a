"""What runs an application: its Deployment with claim and Service, its autoscaler and its disruption budget."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fluxstead.core.manifest import KEEP
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.settings import TEMPORARY, Probes, Resources, Volume

_ANY_USER = 65532
"""The "nonroot" of common base images; as a volume's group it lets any user ID write."""

_STARTUP_PERIOD = 2
"""Seconds between two runs of the startup probe."""


def claim(instance: Instance, volume: Volume, default_class: str) -> dict[str, Any]:
    """The claim of the volume, which outlives the application."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": instance.app.name, "namespace": instance.name, "annotations": dict(KEEP)},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": volume.storage_class or default_class,
            "resources": {"requests": {"storage": str(volume.size)}},
        },
    }


def account(instance: Instance) -> dict[str, Any]:
    """The account that the pods run under, which has no token."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": instance.app.name, "namespace": instance.name},
        "automountServiceAccountToken": False,
    }


def deployment(instance: Instance) -> dict[str, Any]:
    """The Deployment. With an autoscaler it sets no `replicas`: Flux would reset them at every reconciliation."""
    app = instance.app
    labels = {"app.kubernetes.io/name": app.name}
    spec: dict[str, Any] = {}
    if not instance.online:
        spec["replicas"] = 0
    elif not instance.environment.autoscaling:
        spec["replicas"] = instance.fewest
    if instance.volume:
        # Two pods on two nodes cannot hold the volume at once: the old one goes first.
        spec["strategy"] = {"type": "Recreate"}
    else:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    spec["selector"] = {"matchLabels": labels}
    spec["template"] = {"metadata": {"labels": labels}, "spec": _pod(instance)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": app.name, "namespace": instance.name, "labels": labels},
        "spec": spec,
    }


def _pod(instance: Instance) -> dict[str, Any]:
    app, volume = instance.app, instance.volume
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if app.run_as_user is not None:
        security["runAsUser"] = app.run_as_user
    volumes: list[dict[str, Any]] = []
    if volume:
        security |= {"fsGroup": app.run_as_user or _ANY_USER, "fsGroupChangePolicy": "OnRootMismatch"}
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": app.name}})
    if app.read_only_root_filesystem:
        volumes.append({"name": "tmp", "emptyDir": {"sizeLimit": str(instance.resources.scratch)}})
    return {
        "serviceAccountName": app.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({"imagePullSecrets": [{"name": name} for name in app.image_pull_secrets]} if app.image_pull_secrets else {}),
        "securityContext": security,
        "containers": [_container(instance)],
        **({"volumes": volumes} if volumes else {}),
    }


def _container(instance: Instance) -> dict[str, Any]:
    app, volume = instance.app, instance.volume
    container: dict[str, Any] = {"name": app.name, "image": f"{app.image}:{instance.environment.tag}"}
    if app.port:
        container["ports"] = [{"name": "http", "containerPort": app.port}]
    variables = app.env | instance.environment.env
    if variables:
        container["env"] = [{"name": name, "value": value} for name, value in variables.items()]
    if instance.secrets:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in instance.secrets]
    container["resources"] = _resources(instance.resources)
    if app.port:
        container |= _probes(app.probes)
    container["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        **({"readOnlyRootFilesystem": True} if app.read_only_root_filesystem else {}),
    }
    mounts = [{"name": "data", "mountPath": volume.mount_path}] if volume else []
    if app.read_only_root_filesystem:
        mounts.append({"name": "tmp", "mountPath": TEMPORARY})
    if mounts:
        container["volumeMounts"] = mounts
    return container


def _resources(resources: Resources) -> dict[str, dict[str, str]]:
    return {
        kind: {name: str(quantity) for name, quantity in amounts.items()}
        for kind, amounts in (("requests", resources.asked), ("limits", resources.most))
    }


def _probes(probes: Probes) -> dict[str, Any]:
    result: dict[str, Any] = {
        "readinessProbe": {"httpGet": {"path": probes.readiness, "port": "http"}}
        if probes.readiness
        else {"tcpSocket": {"port": "http"}}
    }
    if probes.liveness:
        asked = {"httpGet": {"path": probes.liveness, "port": "http"}}
        result["livenessProbe"] = asked
        result["startupProbe"] = {
            **asked,
            "periodSeconds": _STARTUP_PERIOD,
            "failureThreshold": math.ceil(probes.startup.seconds / _STARTUP_PERIOD),
        }
    return result


def service(instance: Instance, port: int) -> dict[str, Any]:
    """The Service, at the application's own port."""
    labels = {"app.kubernetes.io/name": instance.app.name}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": instance.app.name, "namespace": instance.name, "labels": labels},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": port, "targetPort": "http"}]},
    }


def scaling(instance: Instance) -> Iterator[dict[str, Any]]:
    """The autoscaler and the disruption budget, while the environment is online."""
    environment, name = instance.environment, instance.app.name
    if not instance.online:
        return
    if environment.autoscaling:
        use = {"type": "Utilization", "averageUtilization": environment.autoscaling.cpu}
        yield {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": instance.name},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": environment.autoscaling.min_replicas,
                "maxReplicas": environment.autoscaling.max_replicas,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": use}}],
            },
        }
    budget = environment.disruption_budget
    if budget:
        bound = (
            {"maxUnavailable": budget.max_unavailable} if budget.min_available is None else {"minAvailable": budget.min_available}
        )
        yield {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": instance.name},
            "spec": {
                **bound,
                "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
                # Pods that never became ready would otherwise block the drain that could fix them.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        }
