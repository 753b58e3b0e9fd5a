"""The healthy objects beside those of Flux and Longhorn: Services with their endpoints, workloads, namespaces, Helm's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxstead.live.expected import Expected

Json = dict[str, Any]


def thing(name: str, namespace: str = "", labels: Mapping[str, str] | None = None, **rest: Any) -> Json:
    """An object of the first generation."""
    place = {"namespace": namespace} if namespace else {}
    return {"metadata": {"name": name, **place, "generation": 1, **({"labels": dict(labels)} if labels else {})}, **rest}


def helm_record(name: str, namespace: str) -> Json:
    """What Helm keeps of a release, as its metadata alone."""
    labels = {"owner": "helm", "name": name, "status": "deployed", "version": "1"}
    return thing(f"sh.helm.release.v1.{name}.v1", namespace, labels)


def applied_by(layer: str) -> dict[str, str]:
    """The labels that Flux puts on what it applies."""
    return {"kustomize.toolkit.fluxcd.io/name": layer, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}


def endpoints(service: str, namespace: str, *, ready: bool = True) -> Json:
    """A slice with one pod."""
    return thing(
        f"{service}-abcde",
        namespace,
        {"kubernetes.io/service-name": service},
        endpoints=[{"addresses": ["10.42.0.9"], "conditions": {"ready": ready}}],
    )


def event(kind: str, place: str, reason: str, message: str) -> Json:
    """A warning that was said for some minutes."""
    namespace, _, name = place.partition("/")
    return thing(
        f"{name}.17",
        namespace,
        type="Warning",
        reason=reason,
        message=message,
        involvedObject={"kind": kind, "namespace": namespace, "name": name},
        firstTimestamp="2026-11-27T23:40:00Z",
        lastTimestamp="2026-11-27T23:58:00Z",
    )


def around(expected: Expected) -> dict[str, list[Json]]:
    """What is there beside the tree's own objects, and events of what is well by now."""
    behind = {(way.service, way.namespace): {"app": way.service} for way in expected.routes}
    behind |= {("controller", pods.namespace): dict(pods.labels) for pods in expected.controllers}
    return {
        "services": [thing(name, place, spec={"selector": labels}) for (name, place), labels in behind.items()],
        "endpointslices": [endpoints(*one) for one in behind],
        "namespaces": [thing("web", labels=applied_by("dns")), thing("default")],
        "deployments": [thing("site", "web", applied_by("dns"), spec={"replicas": 1}, status={"replicas": 1})],
        "statefulsets": [thing("db", "web", spec={"replicas": 2}, status={"replicas": 2})],
        "daemonsets": [thing("agent", "web", status={"desiredNumberScheduled": 1, "currentNumberScheduled": 1})],
        "jobs": [thing("once", "web", status={"succeeded": 1, "completionTime": "2026-11-27T00:00:00Z"})],
        "helmcharts": [thing("traefik", "kube-system", spec={"targetNamespace": "kube-system"})],
        "events": [
            event("StatefulSet", "web/db", "FailedCreate", "create Pod db-0 failed: exceeded quota"),
            event("Pod", "web/site-1", "FailedMount", "timed out waiting for the condition"),
        ],
    }
