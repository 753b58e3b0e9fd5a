"""Rows that Longhorn tells of by the status of its objects, in its own words, each from where it writes them.

Sources: longhorn/longhorn-manager controller/monitor/disk_monitor.go and disk_utils.go: NoDiskInfo (how several errors are
joined is left out); controller/node_controller.go: DiskFilesystemChanged, and the default disk;
controller/monitor/environment_check_monitor.go: RequiredPackages and NFSClientInstalled; upgrade/util/util.go: the setting
current-longhorn-version; k8s/pkg/apis/longhorn/v1beta2/node.go and volume.go: types and reasons.
"""

from __future__ import annotations

from tests.e2e.cluster.api import Json
from tests.e2e.cluster.stand_ins import Disk, registered
from tests.e2e.doctor.stage import LONGHORN, NODE, Act, Row, Rows, Stage

_SETTING, _VOLUME = ("longhorn.io/v1beta2", "Setting"), ("longhorn.io/v1beta2", "Volume")
_DISK = "Disk sdg1(/mnt/longhorn/sdg1) on node k3s1 is not ready: "
_FILE = "/mnt/longhorn/sdg1/longhorn-disk.cfg"
_EMPTY = f"failed to get disk config: error: failed to unmarshal host {_FILE} content: : unexpected end of JSON input"
_TWICE = "disk has same file system ID 6f1d0a2c3b4e5f60 as other disks [sdf1 sdg1]"
_NFS = "NFS clients [CONFIG_NFS_V4_2 CONFIG_NFS_V4_1 CONFIG_NFS_V4] not found. At least one should be enabled"
_SEEN, _CONDITIONS = ("what the manager sees",), ("conditions of the Node",)
_DEFAULT, _SINCE = "default-disk-6f1d0a2c", "2026-01-01T00:00:00Z"


def _sees(seen: Disk) -> Act:
    """What the manager of k3s1 sees of sdg1."""

    def bring(stage: Stage) -> None:
        stage.cluster.stand_ins.disks = lambda node, disk: seen if disk == "sdg1" else registered(node, disk)

    return bring


def _sees_all(stage: Stage) -> None:
    stage.cluster.stand_ins.disks = registered


def _lacks(kind: str, reason: str, says: str) -> Act:
    """What the environment check finds on k3s1."""
    found = {"type": kind, "status": "False", "reason": reason, "message": says, "lastTransitionTime": _SINCE, "lastProbeTime": ""}
    return lambda stage: stage.status(NODE, "k3s1", {"conditions": [found]}, LONGHORN)


def _lacks_nothing(stage: Stage) -> None:
    stage.status(NODE, "k3s1", {"conditions": []}, LONGHORN)


def _runs_a_former_one(stage: Stage) -> None:
    metadata = {"name": "current-longhorn-version", "namespace": LONGHORN}
    stage.cluster.api.create({"apiVersion": _SETTING[0], "kind": _SETTING[1], "metadata": metadata, "value": "v1.8.2"})


def _forgets_it(stage: Stage) -> None:
    stage.cluster.api.delete(*_SETTING, "current-longhorn-version", LONGHORN)


def _loses_a_machine(stage: Stage) -> None:
    """A Node whose machine is not in the cluster is deleted, and stays for its finalizer; the volume with its copies is faulted."""
    api, place = stage.cluster.api, {"namespace": LONGHORN}
    spec: Json = {"name": "k3s9", "allowScheduling": True, "evictionRequested": False, "tags": [], "disks": {}}
    metadata = {"name": "k3s9", **place, "finalizers": ["longhorn.io"]}
    api.create({"apiVersion": NODE[0], "kind": NODE[1], "metadata": metadata, "spec": spec})
    api.create({"apiVersion": _VOLUME[0], "kind": _VOLUME[1], "metadata": {"name": "pvc-9", **place}, "spec": {}})
    stage.status(_VOLUME, "pvc-9", {"state": "detached", "robustness": "faulted"}, LONGHORN)


def _lets_it_go(stage: Stage) -> None:
    stage.cluster.api.patch(*NODE, "k3s9", {"metadata": {"finalizers": None}}, namespace=LONGHORN)
    stage.cluster.api.delete(*_VOLUME, "pvc-9", LONGHORN)


def _takes_the_root(stage: Stage) -> None:
    """The default disk, on Longhorn's data path."""
    made = {"path": "/var/lib/longhorn/", "diskType": "filesystem", "allowScheduling": True, "evictionRequested": False, "tags": []}
    stage.cluster.api.patch(*NODE, "k3s1", {"spec": {"disks": {_DEFAULT: made}}}, namespace=LONGHORN)


def _leaves_the_root(stage: Stage) -> None:
    """As the doctor says: no more copies there, then out; the webhook takes it only in this order."""
    for change in ({"allowScheduling": False}, None):
        stage.cluster.api.patch(*NODE, "k3s1", {"spec": {"disks": {_DEFAULT: change}}}, namespace=LONGHORN)


OF_LONGHORN: Rows = {
    "F9 a former Longhorn runs": Row(_runs_a_former_one, "Longhorn v1.8.2", "runs, and 1.9.2 is described", right=_forgets_it),
    "F11 iSCSI is missing": Row(
        _lacks("RequiredPackages", "PackagesNotInstalled", "Missing packages: [open-iscsi]"),
        "what Longhorn needs on k3s1",
        "Missing packages: [open-iscsi]",
        right=_lacks_nothing,
        of=_CONDITIONS,
    ),
    "F12 an empty longhorn-disk.cfg": Row(
        _sees(Disk("", ready=False, reason="NoDiskInfo", says=f"{_DISK}{_EMPTY}")),
        "disk sdg1 of k3s1",
        "unexpected end of JSON input",
        right=_sees_all,
        of=_SEEN,
    ),
    "F13 one disk twice": Row(
        _sees(Disk("", ready=False, reason="DiskFilesystemChanged", says=f"{_DISK}{_TWICE}")),
        "disk sdg1 of k3s1",
        "has same file system ID",
        right=_sees_all,
        of=_SEEN,
    ),
    "F15 a disk without a UUID": Row(_sees(Disk("")), "disk sdg1 of k3s1", "has no UUID", right=_sees_all, of=_SEEN),
    "F18 a Node that does not go": Row(
        _loses_a_machine, "node of Longhorn k3s9", "is deleted, and does not go", "volume pvc-9", _lets_it_go
    ),
    "F24 the default disk on the root filesystem": Row(
        _takes_the_root,
        f"disk {_DEFAULT} of k3s1",
        "and no file of nodes/ describes it",
        right=_leaves_the_root,
        of=("disks of the Node",),
    ),
    "U4 the NFS client is missing": Row(
        _lacks("NFSClientInstalled", "NFSClientIsNotFound", _NFS),
        "what Longhorn needs on k3s1",
        _NFS,
        right=_lacks_nothing,
        of=_CONDITIONS,
    ),
}
