"""A cluster's objects as its API gives them, healthy to begin with: made from what the tree applies, for tests to spoil."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fluxstead.assembly import Assembled
from fluxstead.cli.doctor import expected_of
from fluxstead.live.doctor import kinds_of, rules_of, troubles_in
from fluxstead.live.facts import ClusterFacts, facts_in
from fluxstead.live.trouble import LiveTrouble, Root, roots
from fluxstead.roster import SYSTEMS
from tests.live.around import Json, around, helm_record, thing

World = dict[str, list[Json]]
RULES = rules_of(system.live for system in SYSTEMS if system.live)
FLUX, LONGHORN = "flux-system", "longhorn-system"


def condition(kind: str, status: str = "True", **more: str) -> Json:
    """A condition about the first generation of an object."""
    return {"type": kind, "status": status, "observedGeneration": 1, "reason": "", "message": "", **more}


def ready(name: str, namespace: str = "", spec: Json | None = None, **status: Any) -> Json:
    """One that says it is Ready."""
    return thing(name, namespace, spec=spec or {}, status={"observedGeneration": 1, "conditions": [condition("Ready")], **status})


def healthy(assembled: Assembled) -> World:
    """The cluster of this tree when nothing is wrong with it."""
    expected = expected_of(assembled)
    layers = list(assembled.tree.order.layers)
    applied = {layer.name: [one.object for one in layer.manifests] for layer in layers}
    releases = {name: [one for one in objects if one["kind"] == "HelmRelease"] for name, objects in applied.items()}
    every = [dict(one) for objects in applied.values() for one in objects]
    return {
        **around(expected),
        "gitrepositories": [
            ready(FLUX, FLUX, artifact={"revision": "main@sha1:1", "lastUpdateTime": "2026-11-27T12:00:00Z"}),
        ],
        "kustomizations": [
            ready(
                layer.name,
                FLUX,
                {"dependsOn": [{"name": name} for name in assembled.tree.order.dependencies(layer.name)]},
                lastAppliedRevision="main@sha1:1",
                inventory={
                    "entries": [
                        {"id": f"{one['metadata']['namespace']}_{one['metadata']['name']}_helm.toolkit.fluxcd.io_HelmRelease"}
                        for one in releases[layer.name]
                    ]
                },
            )
            for layer in layers
        ],
        "helmreleases": [ready(one["metadata"]["name"], one["metadata"]["namespace"]) for of in releases.values() for one in of],
        "nodes of Kubernetes": [
            thing(
                node.name,
                spec={"taints": [{"key": one.key, "value": one.value, "effect": one.effect} for one in node.taints]},
                status={"conditions": [condition("Ready")], "nodeInfo": {"kubeletVersion": str(expected.kubernetes)}},
            )
            | {"metadata": {"name": node.name, "labels": dict(node.labels)}}
            for node in expected.nodes
            if node.state == "live"
        ],
        "nodes of Longhorn": [
            thing(
                node.name,
                LONGHORN,
                spec={"disks": {disk.name: {"path": disk.mount_path} for disk in node.disks}},
                status={
                    "conditions": [condition("Ready")],
                    "diskStatus": {
                        disk.name: {
                            "diskUUID": f"uuid-of-{disk.name}",
                            "conditions": [condition("Ready"), condition("Schedulable")],
                        }
                        for disk in node.disks
                    },
                },
            )
            for node in expected.nodes
            if node.state == "live"
        ],
        "settings": [thing("current-longhorn-version", LONGHORN, value=f"v{expected.products['longhorn']}")],
        "volumes": [volume("pvc-1", "healthy"), volume("pvc-2", "unknown", state="detached")],
        "storageclasses": [thing("longhorn", provisioner="driver.longhorn.io", volumeBindingMode="Immediate")],
        "persistentvolumeclaims": [thing("data", "web", spec={"storageClassName": "longhorn"}, status={"phase": "Bound"})],
        "pods": [thing("site-1", "web", spec={"nodeName": "k3s1"}, status={"phase": "Running"})],
        "secrets": [
            *(thing(need.name, need.namespace) for need in expected.needs),
            *(helm_record(one["metadata"]["name"], one["metadata"]["namespace"]) for of in releases.values() for one in of),
            helm_record("traefik", "kube-system"),
        ],
        "certificates": [
            ready(one["metadata"]["name"], one["metadata"]["namespace"], dict(one["spec"]))
            for one in every
            if one["kind"] == "Certificate"
        ],
        "clusterissuers": [ready(one["metadata"]["name"]) for one in every if one["kind"] == "ClusterIssuer"],
    }


def volume(name: str, robustness: str, state: str = "attached", claim: str = "") -> Json:
    """One of Longhorn's volumes."""
    of = {"namespace": "web", "pvcName": claim} if claim else {}
    return thing(name, LONGHORN, spec={"nodeID": ""}, status={"state": state, "robustness": robustness, "kubernetesStatus": of})


def _name_of(resource: Any) -> str:
    if resource.plural != "nodes":
        return str(resource.plural)
    return "nodes of Longhorn" if "longhorn" in resource.base else "nodes of Kubernetes"


def facts_of(world: Mapping[str, Sequence[Json]]) -> ClusterFacts:
    """What the doctor would have read."""
    seen = {}
    for kind in kinds_of(RULES):
        seen[kind.resource] = facts_in(kind, world.get(_name_of(kind.resource), ()))
    return ClusterFacts(datetime(2026, 11, 28, tzinfo=UTC), "https://127.0.0.1:6443", "v1.33.1+k3s1", seen)


def troubles_of(assembled: Assembled, *spoil: Callable[[World], object]) -> list[LiveTrouble]:
    """What is wrong with it, spoilt like this."""
    world = copy.deepcopy(healthy(assembled))
    for change in spoil:
        change(world)
    return list(troubles_in(RULES, expected_of(assembled), facts_of(world)))


def roots_of(assembled: Assembled, *spoil: Callable[[World], object]) -> list[Root]:
    """The same, at its roots."""
    return roots(troubles_of(assembled, *spoil))
