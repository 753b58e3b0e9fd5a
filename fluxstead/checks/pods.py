"""The pods that workloads make: where the template stands in each kind, and what a pod refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.view import entries_of, mapping


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


def containers_of(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every container of a pod."""
    spec = mapping(pod, "spec")
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from entries_of(spec, key)


def config_maps_of(pod: Mapping[str, Any]) -> Iterator[str]:
    """The ConfigMaps without which the pod does not start."""
    for volume in entries_of(mapping(pod, "spec"), "volumes"):
        sources = [
            mapping(volume, "configMap"),
            *(mapping(one, "configMap") for one in entries_of(mapping(volume, "projected"), "sources")),
        ]
        yield from (str(source["name"]) for source in sources if "name" in source and not source.get("optional"))
    for container in containers_of(pod):
        references = [mapping(one, "configMapRef") for one in entries_of(container, "envFrom")]
        references += [mapping(mapping(one, "valueFrom"), "configMapKeyRef") for one in entries_of(container, "env")]
        yield from (str(one["name"]) for one in references if "name" in one and not one.get("optional"))
