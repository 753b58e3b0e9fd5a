"""The pods that workloads make: where the template stands in each kind, and what a pod refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.store import entries_of
from fluxstead.checks.view import View, mapping

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")
CONTROLLERS_OWN = ("statefulset.kubernetes.io/", "apps.kubernetes.io/", "batch.kubernetes.io/", "job-name", "pod-template-hash")
"""Labels that controllers give to pods beside those of the template."""


def pod_of(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pod template of a workload, or the pod itself; None for other kinds."""
    match obj.get("kind"):
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job":
            return mapping(mapping(obj, "spec"), "template")
        case "CronJob":
            return mapping(mapping(mapping(mapping(obj, "spec"), "jobTemplate"), "spec"), "template")
        case "Pod":
            return obj
        case _:
            return None


def pod_labels(view: View) -> dict[str, list[dict[str, str]]]:
    """The labels of every pod template, by namespace."""
    labelled: dict[str, list[dict[str, str]]] = {}
    for item in view.of(*WORKLOADS):
        pod = pod_of(item.object)
        if pod is not None:
            labelled.setdefault(item.ref.namespace, []).append(dict(mapping(mapping(pod, "metadata"), "labels")))
    return labelled


def containers_of(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every container of a pod."""
    spec = mapping(pod, "spec")
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from entries_of(spec, key)


def images_of(pod: Mapping[str, Any]) -> Iterator[str]:
    """What a pod's nodes have to pull: the images of its containers, and those that it mounts."""
    holders = [*containers_of(pod), *(mapping(volume, "image") for volume in entries_of(mapping(pod, "spec"), "volumes"))]
    for holder in holders:
        image = holder.get("image", holder.get("reference"))
        if isinstance(image, str) and image:
            yield image


def configuration_of(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind, name and known keys of each ConfigMap and Secret without which the pod does not start, or finds no image."""
    spec = mapping(pod, "spec")
    for volume in entries_of(spec, "volumes"):
        yield from _reference("ConfigMap", mapping(volume, "configMap"), "name")
        yield from _reference("Secret", mapping(volume, "secret"), "secretName")
        for source in entries_of(mapping(volume, "projected"), "sources"):
            yield from _reference("ConfigMap", mapping(source, "configMap"), "name")
            yield from _reference("Secret", mapping(source, "secret"), "name")
    for container in containers_of(pod):
        for source in entries_of(container, "envFrom"):
            yield from _reference("ConfigMap", mapping(source, "configMapRef"), "name")
            yield from _reference("Secret", mapping(source, "secretRef"), "name")
        for variable in entries_of(container, "env"):
            value = mapping(variable, "valueFrom")
            yield from _reference("ConfigMap", mapping(value, "configMapKeyRef"), "name")
            yield from _reference("Secret", mapping(value, "secretKeyRef"), "name")
    for source in entries_of(spec, "imagePullSecrets"):
        yield from _reference("Secret", {**source, "key": ".dockerconfigjson"}, "name")


def _reference(kind: str, source: Mapping[str, Any], name: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if isinstance(source.get(name), str) and not source.get("optional"):
        keys = [source.get("key"), *(one.get("key") for one in entries_of(source, "items"))]
        yield kind, source[name], tuple(key for key in keys if isinstance(key, str))
