"""A cluster's objects as its API gives them, healthy to begin with: made from what the tree applies, for tests to spoil."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fluxstead.assembly import Assembled
from fluxstead.cli.doctor import expected_of
from fluxstead.live.doctor import counts_of, kinds_of, rules_of, troubles_in
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, facts_in
from fluxstead.live.greeting import Greeting
from fluxstead.live.resources import Resource
from fluxstead.live.trouble import LiveTrouble, Root, roots
from fluxstead.roster import SYSTEMS
from tests.live.around import Json, around, helm_record, thing

World = dict[str, list[Json]]
_LIVE = [system.live for system in SYSTEMS if system.live]
RULES, COUNTS = rules_of(_LIVE), counts_of(_LIVE)
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
    beside = around(expected)
    return {
        **beside,
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
        **longhorn(expected),
        "leases": [heartbeat(node.name) for node in expected.nodes if node.state == "live"],
        "events": [
            *beside["events"],
            notice("k3s1", "CertificateExpirationOK", "Node and Certificate Authority certificates managed by k3s are OK"),
        ],
        "daemonsets": [*beside["daemonsets"], managers()],
        "storageclasses": [thing("longhorn", provisioner="driver.longhorn.io", volumeBindingMode="Immediate")],
        "persistentvolumes": [thing("pvc-1", spec={"mountOptions": ["noatime"]})],
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
        "etcdsnapshotfiles": [etcd_snapshot("k3s1", "01"), etcd_snapshot("s3", "01")],
        "clusterissuers": [ready(one["metadata"]["name"]) for one in every if one["kind"] == "ClusterIssuer"],
    }


def etcd_snapshot(place: str, hour: str, error: str = "") -> dict[str, Any]:
    """A copy of etcd, as k3s tells of it."""
    when = f"2026-11-27T{hour}:00:00Z"
    status = {"error": {"time": when, "message": error}} if error else {"creationTime": when, "readyToUse": True, "size": "5062688"}
    return thing(f"{place}-{hour}", spec={"nodeName": place, "snapshotName": f"etcd-snapshot-k3s1-{hour}"}, status=status)


def longhorn(expected: Expected) -> World:
    """Its objects, when it is as it should be; a backup was made last night."""
    live = [node.name for node in expected.nodes if node.state == "live"]
    settings = {
        "current-longhorn-version": f"v{expected.products['longhorn']}",
        "default-engine-image": image_of("engine"),
        "default-instance-manager-image": image_of("instance-manager"),
        "concurrent-automatic-engine-upgrade-per-node-limit": "0",
        "storage-over-provisioning-percentage": "100",
    }
    return {
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
        "settings": [thing(name, LONGHORN, value=value) for name, value in settings.items()],
        "volumes": [volume("pvc-1", "healthy"), volume("pvc-2", "unknown", state="detached")],
        "engines": [engine("pvc-1")],
        "volumeattachments of Longhorn": [attachment("pvc-1", csi=True)],
        "volumeattachments of Kubernetes": [thing("csi-1", spec={"attacher": "driver.longhorn.io", "nodeName": "k3s1"})],
        "engineimages": [
            thing(
                "ei-1",
                LONGHORN,
                spec={"image": image_of("engine")},
                status={"state": "deployed", "refCount": 2, "nodeDeploymentMap": dict.fromkeys(live, True)},
            )
        ],
        "instancemanagers": [
            thing(
                f"instance-manager-{name}",
                LONGHORN,
                spec={"nodeID": name, "image": image_of("instance-manager")},
                status={"currentState": "running", "instanceEngines": {"pvc-1-e-0": {}}},
            )
            for name in live
        ],
        "orphans": [],
        "configmaps": [],
        "backuptargets": [
            thing(
                "default",
                LONGHORN,
                spec={"backupTargetURL": "nfs://nas.example:/backups"},
                status={"available": True, "conditions": [condition("Unavailable", "False")]},
            )
        ],
        "backups": [backup("backup-1", "pvc-1", "Completed", "2026-11-27T02:00:00Z")],
        "systembackups": [thing("system-1", LONGHORN, status={"state": "Ready", "createdAt": "2026-11-27T02:30:00Z"})],
        "recurringjobs": [
            thing("nightly", LONGHORN, spec={"task": "backup", "cron": "0 2 * * *", "groups": ["default"]}),
            thing("trim", LONGHORN, spec={"task": "filesystem-trim", "cron": "0 4 * * 0", "groups": ["default"]}),
        ],
    }


def managers() -> Json:
    """Longhorn's managers, all of the described release."""
    container = {"name": "longhorn-manager", "image": image_of("manager")}
    counts = {"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 2}
    return thing(
        "longhorn-manager",
        LONGHORN,
        spec={"template": {"spec": {"containers": [container]}}},
        status={"observedGeneration": 1, **counts},
    )


def image_of(program: str, release: str = "v1.9.2") -> str:
    """One of Longhorn's images."""
    return f"longhornio/longhorn-{program}:{release}"


def heartbeat(machine: str, renewed: str = "2026-11-27T23:59:53.123456Z") -> Json:
    """What a kubelet writes into its Lease."""
    return thing(machine, "kube-node-lease", spec={"holderIdentity": machine, "leaseDurationSeconds": 40, "renewTime": renewed})


def notice(machine: str, reason: str, message: str, said: str = "2026-11-27T23:40:00Z") -> Json:
    """An event of a Node about its certificates."""
    about = {"kind": "Node", "name": machine, "uid": machine}
    return thing(f"{machine}.{reason}", "default", involvedObject=about, reason=reason, message=message, lastTimestamp=said)


def volume(name: str, robustness: str, state: str = "attached", claim: str = "", **status: Any) -> Json:
    """One of Longhorn's volumes, backed up last night."""
    of = {"namespace": "web", "pvcName": claim, "pvName": name} if claim else {"pvName": name}
    found = thing(
        name,
        LONGHORN,
        spec={"nodeID": "", "dataEngine": "v1"},
        status={
            "state": state,
            "robustness": robustness,
            "kubernetesStatus": of,
            "currentImage": image_of("engine"),
            "lastBackupAt": "2026-11-27T02:00:00Z",
            "conditions": [condition("Scheduled"), condition("TooManySnapshots", "False"), condition("Restore", "False")],
            **status,
        },
    )
    found["metadata"]["labels"] = {"recurring-job-group.longhorn.io/default": "enabled"}
    return found


def engine(of: str, *conditions: Json, **status: Any) -> Json:
    """The engine of a volume."""
    said = conditions or (condition("FilesystemReadOnly", "False"),)
    return thing(f"{of}-e-0", LONGHORN, spec={"volumeName": of}, status={"conditions": list(said), **status})


def attachment(of: str, **tickets: bool) -> Json:
    """Who asks for a volume on k3s1, and whether it is there; since the first of November."""
    asked = {name: {"type": f"{name}-attacher", "nodeID": "k3s1"} for name in tickets}
    answers = {
        name: {
            "satisfied": there,
            "conditions": [condition("Satisfied", str(there), lastTransitionTime="2026-11-01T00:00:00Z")],
        }
        for name, there in tickets.items()
    }
    return thing(of, LONGHORN, spec={"volume": of, "attachmentTickets": asked}, status={"attachmentTicketStatuses": answers})


def backup(name: str, of: str, state: str, at: str, error: str = "") -> Json:
    """A Backup of a volume."""
    return thing(name, LONGHORN, status={"state": state, "volumeName": of, "backupCreatedAt": at, "error": error})


_TWICE = frozenset({"nodes", "volumeattachments"})
"""What both Kubernetes and Longhorn call so."""


def name_of(resource: Resource) -> str:
    """By what a world has the objects of a kind."""
    of = "Longhorn" if "longhorn" in resource.base else "Kubernetes"
    return f"{resource.plural} of {of}" if resource.plural in _TWICE else resource.plural


NOW = datetime(2026, 11, 28, tzinfo=UTC)
GREETING = Greeting(NOW, timedelta(), NOW + timedelta(days=300), NOW + timedelta(days=300))


def facts_of(world: Mapping[str, Sequence[Json]], greeting: Greeting = GREETING) -> ClusterFacts:
    """What the doctor would have read."""
    seen = {}
    for kind in kinds_of(RULES):
        seen[kind.resource] = facts_in(kind, world.get(name_of(kind.resource), ()))
    taken = NOW - (greeting.ahead or timedelta())
    return ClusterFacts(taken, "https://127.0.0.1:6443", "v1.33.1+k3s1", greeting, seen)


def troubles_of(assembled: Assembled, *spoil: Callable[[World], object]) -> list[LiveTrouble]:
    """What is wrong with it, spoilt like this."""
    world = copy.deepcopy(healthy(assembled))
    for change in spoil:
        change(world)
    return list(troubles_in(RULES, expected_of(assembled), facts_of(world)))


def roots_of(assembled: Assembled, *spoil: Callable[[World], object]) -> list[Root]:
    """The same, at its roots."""
    return roots(troubles_of(assembled, *spoil))
