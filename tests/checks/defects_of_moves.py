"""The planted defects of what a commit moves, by the id of the check that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from fluxstead.checks.reading.committed import ClusterThen
from fluxstead.checks.reading.repository import Unread
from fluxstead.core.version import Version
from tests.checks.planted import (
    BUNDLED,
    DEPLOYMENT,
    HOME,
    LONGHORN,
    PLACES,
    STORAGE,
    WEB,
    Planted,
    claim,
    disk,
    disk_node,
    kept,
    layer,
    machine,
    obj,
    release,
    storage,
    storage_class,
)

_A, _B = disk("a", "/mnt/a"), disk("b", "/mnt/b")


def _as_its_account(*objects: str) -> dict[str, str]:
    """An application's two layers."""
    role = obj("ServiceAccount", "flux-system/app-web")
    return layer("web-access", kept(WEB), kept(role)) | layer(
        "web", *objects, spec="serviceAccountName: app-web\n  dependsOn: [{name: web-access}]"
    )


def _claimed(size: str, spec: str = "") -> dict[str, str]:
    """A claim of a class whose volumes cannot grow."""
    still = obj("StorageClass", "still", "provisioner: example.test/still", STORAGE)
    return layer("web", kept(WEB), still, claim(size, "still"), spec=spec)


def stack(values: str) -> dict[str, str]:
    """Monitoring, with these values, and two classes for its claims."""
    classes = (obj("StorageClass", name, "provisioner: example.test/any", STORAGE) for name in ("fast", "slow"))
    return layer(
        "web", kept(WEB), *classes, kept(release("web/stack", "kube-prometheus-stack", "75.6.0", f", values: {{{values}}}"))
    )


_CLAIM = "{volumeClaimTemplate: {spec: {resources: {requests: {storage: %s}}}}}"
_PROMETHEUS = f"prometheus: {{prometheusSpec: {{storageSpec: {_CLAIM}}}}}"

_OTHER = ip_network("10.52.0.0/16")
_NEW_FLUX = HOME._replace(flux=Version("2.9.5"))


def plan(version: str) -> dict[str, str]:
    """What the system-upgrade-controller brings the machines to."""
    names = "{kind: Plan, plural: plans}"
    kind = obj("CustomResourceDefinition", "plans.upgrade.cattle.io", f"spec: {{group: upgrade.cattle.io, names: {names}}}", _CRD)
    plan = obj("Plan", "web/server", f"spec: {{version: {version}}}", "upgrade.cattle.io/v1")
    return {**layer("kinds", kept(WEB), kept(kind)), **layer("web", plan, spec="dependsOn: [{name: kinds}]")}


_CRD = "apiextensions.k8s.io/v1"


def _described(says: str, **then: Any) -> Planted:
    """A tree that stays as it was, of a cluster whose description changed; nothing in the tree cures that."""
    plain = {"kubernetes": HOME.kubernetes, "flux": _NEW_FLUX.flux, "networks": {}, "roles": {}, "taints": {}, "kept": {}}
    files = layer("web", WEB)
    return Planted(
        before=files,
        files=files,
        cure=("web", "site"),
        says=says,
        platform=_NEW_FLUX,
        nodes=[machine(disks=[])],
        more={
            "networks": {"podCidr": (ip_network("10.42.0.0/16"),)},
            "places": PLACES,
            "kept": {"datastore": "sqlite", "secretsEncryption": "false"},
        },
        committed={"clusters": {"HEAD": ClusterThen(**{**plain, **then})}},
    )


_KEPT = _described("machine k3s2 had not joined in HEAD, and is live now", roles={"k3s1": "server"})
_SECOND = machine(name="k3s2", role="agent", disks=[{"name": "a", "serial": "S2", "size": "100Gi", "mountPath": "/mnt/a"}])
_JOINING = replace(_KEPT, nodes=[*_KEPT.nodes, _SECOND], more={**_KEPT.more, "installs_k3s": True})
_TOLERATING = "values: {defaultSettings: {taintToleration: 'a:NoExecute'}, "
_MOUNT = "volumeMounts: [{name: data, mountPath: /data}]"
_LABELS = "selector: {matchLabels: {app: db}}"
_TEMPLATE = "volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}]"


def _set(name: str, image: str, replicas: int) -> str:
    pod = f"{{metadata: {{labels: {{app: db}}}}, spec: {{containers: [{{name: db, image: '{image}', {_MOUNT}}}]}}}}"
    spec = f"replicas: {replicas}, serviceName: {name}, {_LABELS}, {_TEMPLATE}, template: {pod}"
    return obj("StatefulSet", f"web/{name}", f"spec: {{{spec}}}", "apps/v1")


def _database(version: str) -> str:
    return _set("db", f"postgres:{version}", 1)


def _voters(number: int) -> str:
    return _set("etcd", "example.test/etcd:3.6.0", number)


def _volume(policy: str) -> str:
    rest = f"persistentVolumeReclaimPolicy: {policy}, nfs: {{server: 192.168.86.2, path: /a}}"
    return kept(obj("PersistentVolume", "a", f"spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteMany], {rest}}}"))


def _recreated(copies: int) -> str:
    force = "annotations: {kustomize.toolkit.fluxcd.io/force: enabled}"
    return storage_class("fast", "nvme", copies).replace("{name: fast}", f"{{name: fast, {force}}}")


def _longhorn(policy: str) -> dict[str, str]:
    return {
        path: text.replace("defaultClass: true", f"reclaimPolicy: {policy}, defaultClass: true") for path, text in LONGHORN.items()
    }


_LOCAL = claim("5Gi", "local-path")

OF_MOVES: Mapping[str, Planted] = {
    "moves/left": Planted(
        before=layer("infrastructure", WEB, release("web/site", "site", "1.0.0")),
        files=layer("infrastructure", WEB),
        cure=("name: web}\n\n", "name: web}\n---\n" + release("web/site", "site", "1.0.0")),
        says="HelmRelease web/site in HEAD leaves the tree",
    ),
    "moves/owner": Planted(
        before=layer("infrastructure", obj("Namespace", "longhorn-system")),
        files={**layer("infrastructure", WEB), **layer("longhorn", kept(obj("Namespace", "longhorn-system")))},
        cure=(WEB, kept(obj("Namespace", "longhorn-system"))),
        says="belongs to Kustomization flux-system/infrastructure, and now moves to flux-system/longhorn",
    ),
    "moves/everything-left": Planted(
        before=LONGHORN,
        files={**layer("web", WEB), **LONGHORN, "clusters/home/longhorn.yaml": "# emptied\n"},
        cure=("# emptied\n", LONGHORN["clusters/home/longhorn.yaml"]),
        says="nothing that Flux reconciles in HEAD is reached from clusters/home/tree.yaml any more",
    ),
    "moves/unreached": Planted(
        before=storage(disk_node(_A)),
        files=storage(WEB),
        cure=(WEB, disk_node(_A)),
        says="flux-system/storage in HEAD, with the disks of k3s1, is no longer reached by Flux",
        nodes=[machine()],
    ),
    "moves/second-release": Planted(
        before=LONGHORN,
        files={path: text.replace("longhorn-system", "storage") for path, text in LONGHORN.items()},
        cure=("storage", "longhorn-system"),
        says="longhorn-system/longhorn in HEAD becomes HelmRelease storage/longhorn",
    ),
    "moves/release-anew": Planted(
        before=layer("web", WEB, release("web/db", "postgres", "1.0.0", ", releaseName: db")),
        files=layer("web", WEB, release("web/db", "postgres", "1.0.0", ", releaseName: database")),
        cure=("database", "db"),
        says="HelmRelease web/db in HEAD is the Helm release web/db, and now web/database",
    ),
    "moves/chart-claim": Planted(
        before=stack("grafana: {persistence: {enabled: true, size: 5Gi}}"),
        files=stack("grafana: {persistence: {enabled: true, size: 2Gi}}"),
        cure=("2Gi", "5Gi"),
        says="asks for 5Gi at `grafana.persistence.size`, and now for 2Gi",
    ),
    "moves/claim-kept": Planted(
        before=stack(_PROMETHEUS % "5Gi"),
        files=stack(_PROMETHEUS % "6Gi"),
        cure=("6Gi", "5Gi"),
        says="and now for 6Gi",
    ),
    "moves/kubernetes-version": Planted(
        before=plan("v1.33.1+k3s1"),
        files=plan("v1.36.3+k3s1"),
        cure=("v1.36.3", "v1.34.2"),
        says="Kubernetes v1.33.1+k3s1 in HEAD becomes v1.36.3+k3s1, more than one minor release at once",
    ),
    "moves/network": _described("podCidr is 10.52.0.0/16 in HEAD, and now 10.42.0.0/16", networks={"podCidr": (_OTHER,)}),
    "moves/role": _described("machine k3s1 is an agent in HEAD, and now a server", roles={"k3s1": "agent"}),
    "moves/joins-first": _JOINING,
    "moves/first-start": _described("datastore is etcd in HEAD, and now sqlite", kept={"datastore": "etcd"}),
    "moves/flux-stored-versions": _described("Flux 2.6.1 in HEAD becomes 2.9.5", flux=Version("2.6.1")),
    "moves/data-version": Planted(
        before=layer("web", kept(WEB), _database("16.4")),
        files=layer("web", kept(WEB), _database("17.2")),
        cure=("17.2", "16.6"),
        says="runs postgres:16.4, and now postgres:17.2, on the same claim",
    ),
    "moves/claim-anew": Planted(
        before=layer("web", kept(WEB), _LOCAL),
        files=layer(
            "web",
            kept(WEB),
            kept(obj("Namespace", "test")),
            _LOCAL.replace("namespace: web", "namespace: test"),
        ),
        cure=("namespace: test", "namespace: web"),
        says="PersistentVolumeClaim web/data in HEAD leaves the tree, and test/data is new",
        platform=BUNDLED,
    ),
    "moves/data-stays": Planted(
        before=layer("web", kept(WEB), _LOCAL),
        files=layer("web", kept(WEB)),
        cure=("name: web}\n\n", f"name: web}}\n---\n{_LOCAL}"),
        says="PersistentVolumeClaim web/data in HEAD leaves the tree, and stays in the cluster with its data",
        platform=BUNDLED,
    ),
    "moves/no-longer-kept": Planted(
        before=layer("web", _volume("Retain")),
        files=layer("web", _volume("Delete")),
        cure=("Delete", "Retain"),
        says="PersistentVolume a in HEAD has persistentVolumeReclaimPolicy Retain, and now Delete",
    ),
    "moves/majority-leaves": Planted(
        before=layer("web", kept(WEB), _voters(3)),
        files=layer("web", kept(WEB), _voters(1)),
        cure=("replicas: 1", "replicas: 2"),
        says="StatefulSet web/etcd in HEAD has 3 replicas, and now 1",
    ),
    "longhorn/not-yet-tolerated": Planted(
        before=LONGHORN,
        files={path: text.replace("values: {", _TOLERATING) for path, text in LONGHORN.items()},
        cure=("taintToleration: 'a:NoExecute'", ""),
        says="is to tolerate a:NoExecute, which in HEAD it does not",
        platform=None,
    ),
    "longhorn/one-copy-left": Planted(
        before=storage(_recreated(2)),
        files=storage(_recreated(1)),
        cure=("'1'", "'2'"),
        says="StorageClass fast in HEAD asks for 2 copies, and now for 1",
    ),
    "longhorn/no-longer-kept": Planted(
        before=_longhorn("Retain"),
        files=_longhorn("Delete"),
        cure=("Delete", "Retain"),
        says="has persistence.reclaimPolicy Retain, and now Delete",
    ),
    "moves/unread": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="there is no `git` on the PATH",
        committed={"unread": [Unread("there is no `git` on the PATH", "install it")]},
    ),
    "applications/other-form": Planted(
        before=_as_its_account(kept(release("web/site", "site", "1.0.0"))),
        files=_as_its_account(DEPLOYMENT),
        cure=(DEPLOYMENT, kept(release("web/site", "site", "1.0.0"))),
        says="the application in web is a chart in HEAD, and now an image",
    ),
    "moves/orphaned": Planted(
        before=layer("infrastructure", WEB, kept(release("web/site", "site", "1.0.0"))),
        files=layer("infrastructure", WEB),
        cure=("name: web}\n\n", "name: web}\n---\n" + kept(release("web/site", "site", "1.0.0"))),
        says="web/site in HEAD leaves the tree, and stays in the cluster without an owner",
    ),
    "moves/node-left": Planted(
        before=storage(disk_node(_A)),
        files=storage(WEB),
        cure=(WEB, disk_node(_A)),
        says="Longhorn still places replicas there",
    ),
    "moves/disk-removed": Planted(
        before=storage(disk_node(f"{_A}, {_B}")),
        files=storage(disk_node(_A)),
        cure=(_A, f"{_A}, {_B}"),
        says="disk b of Node.longhorn.io",
    ),
    "moves/disk-changed": Planted(
        before=storage(disk_node(_A)),
        files=storage(disk_node(disk("a", "/mnt/c"))),
        cure=("/mnt/c", "/mnt/a"),
        says="changes /mnt/a to /mnt/c",
    ),
    "moves/immutable": Planted(
        before=storage(storage_class("fast", "nvme")),
        files=storage(storage_class("fast", "nvme", 2)),
        cure=("name: fast}", "name: fast, annotations: {kustomize.toolkit.fluxcd.io/force: enabled}}"),
        says="StorageClass fast in HEAD differs in `parameters`",
    ),
    "moves/claim-shrinks": Planted(
        before=_claimed("5Gi"),
        files=_claimed("2Gi"),
        cure=("2Gi", "5Gi"),
        says="PersistentVolumeClaim web/data in HEAD asks for 5Gi, and now for 2Gi",
    ),
    "moves/claim-cannot-grow": Planted(
        before=_claimed("5Gi"),
        files=_claimed("6Gi"),
        cure=("name: still}\n", "name: still}\nallowVolumeExpansion: true\n"),
        says="and now for 6Gi, of a class without allowVolumeExpansion",
    ),
    "moves/claim-emptied": Planted(
        before=_claimed("5Gi"),
        files={path: text.replace("[ReadWriteOnce]", "[ReadWriteMany]") for path, text in _claimed("5Gi", "force: true").items()},
        cure=("Many", "Once"),
        says="differs in `spec.accessModes`, and Flux may delete it for that",
    ),
    "moves/longhorn-version": Planted(
        before={path: text.replace("1.9.0", "1.6.2") for path, text in LONGHORN.items()},
        files=LONGHORN,
        cure=("1.9.0", "1.7.3"),
        says="Longhorn 1.6.2 in HEAD becomes 1.9.0",
    ),
}
