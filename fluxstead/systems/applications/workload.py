"""What runs an application: its Deployment with claims and Service, its autoscaler and its disruption budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.core.manifest import KEEP
from fluxstead.core.names import bounded
from fluxstead.systems.applications.instance import Claimed, Instance
from fluxstead.systems.applications.parts import HTTP
from fluxstead.systems.applications.pod import template


def claim(instance: Instance, claimed: Claimed, storage_class: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The claim of a volume, which outlives the application."""
    volume = claimed.volume
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claimed.claim,
            "namespace": instance.name,
            **({"labels": dict(labels)} if labels else {}),
            "annotations": dict(KEEP),
        },
        "spec": {
            "accessModes": [volume.access_mode],
            "storageClassName": storage_class,
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
    if instance.single:
        # Two pods on two nodes cannot hold the volume at once, nor two the device: the old one goes first.
        spec["strategy"] = {"type": "Recreate"}
    else:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    spec["selector"] = {"matchLabels": labels}
    spec["template"] = template(instance, labels)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": app.name, "namespace": instance.name, "labels": labels},
        "spec": spec,
    }


def service(instance: Instance) -> Iterator[dict[str, Any]]:
    """The Service, at the application's own ports, if it has any."""
    app = instance.app
    ports: list[dict[str, Any]] = [{"name": HTTP, "port": app.port, "targetPort": HTTP}] if app.port else []
    for one in app.ports:
        protocol = {"protocol": one.protocol} if one.protocol != "TCP" else {}
        ports.append({"name": one.name, "port": one.port, "targetPort": one.name, **protocol})
    if ports:
        labels = {"app.kubernetes.io/name": app.name}
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": app.name, "namespace": instance.name, "labels": labels},
            "spec": {"selector": labels, "ports": ports},
        }


def ways_in(instance: Instance) -> Iterator[dict[str, Any]]:
    """What opens ports to the network, apart from the application's own Service, all of whose ports it would open.

    Only the machine with the pod answers, so that packets keep their sender: another one would pass them on from an address of its
    own, which the network policy cannot tell from the pods' (https://kubernetes.io/docs/tutorials/services/source-ip/;
    cloudnativelabs/kube-router#744). No label, since monitoring would collect from it a second time.
    """
    environment = instance.environment
    yield from _way_in(instance, "NodePort", "node-ports", environment.node_ports)
    yield from _way_in(instance, "LoadBalancer", "load-balancer", dict.fromkeys(environment.load_balancer))


def _way_in(instance: Instance, kind: str, suffix: str, opened: Mapping[str, int | None]) -> Iterator[dict[str, Any]]:
    ports = [
        {
            "name": name,
            "port": port,
            "targetPort": name,
            **({"nodePort": opened[name]} if opened[name] else {}),
            **({"protocol": protocol} if protocol != "TCP" else {}),
        }
        for name, port, protocol in instance.ports
        if name in opened
    ]
    if ports:
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": bounded(f"{instance.app.name}-{suffix}"), "namespace": instance.name},
            "spec": {
                "type": kind,
                "externalTrafficPolicy": "Local",
                "selector": {"app.kubernetes.io/name": instance.app.name},
                "ports": ports,
            },
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
