"""What Longhorn says of itself."""

from __future__ import annotations

from fluxstead.checks.known import Storage
from fluxstead.checks.subject import planned, refuses, warns
from fluxstead.core.findings import Severity
from fluxstead.system import System
from fluxstead.systems.longhorn import capacity, disks, moves
from fluxstead.systems.longhorn.chart import LONGHORN as CHART

LONGHORN = System(
    name="longhorn",
    key="longhorn",
    does="Longhorn, the storage on the disks that the nodes declare",
    charts=(CHART,),
    storage=Storage(provisioner="driver.longhorn.io", disks="Node.longhorn.io"),
    checks=(
        planned("longhorn/chart-version", "F4", "Longhorn's charts carry no leading v: v1.9.0"),
        planned("longhorn/default-disk", "F24", "Longhorn is told to make a default disk on every node"),
        planned("longhorn/kubernetes", "F6", "Longhorn 1.9.0 needs Kubernetes 1.25, and this is v1.24.17+k3s1", Severity.WARNING),
        planned("longhorn/too-few-nodes", "F1", "3 replicas on different nodes, and 1 live node with disks to schedule on"),
        planned(
            "longhorn/open-ui", "F21", "Longhorn's UI is open to everyone who reaches the ingress controller", Severity.WARNING
        ),
        planned(
            "longhorn/untried-version",
            "F9",
            "Longhorn 1.13.0 is outside the lines that fluxstead knows, 1.5 to 1.12",
            Severity.WARNING,
        ),
        refuses("storage/reserved", "F1", "Node longhorn-system/k3s1 reserves 25 bytes of disk sdf1", disks.disks),
        refuses(
            "moves/unreached",
            "F27",
            "flux-system/longhorn-storage in HEAD, with the disks of k3s1, is reached by Flux no more",
            moves.findings,
            "the tree and the commits before it",
        ),
        refuses(
            "moves/node-left",
            "F18",
            "Node longhorn-system/k3s2 in HEAD is not in the tree any more, and Longhorn still places replicas there",
            moves.findings,
            "the tree and the commits before it",
        ),
        refuses(
            "moves/disk-removed",
            "F28",
            "disk sdf1 of Node longhorn-system/k3s1 in HEAD is removed while Longhorn still places replicas on it",
            moves.findings,
            "the tree and the commits before it",
        ),
        refuses(
            "moves/disk-changed",
            "F28",
            "disk sdf1 of Node longhorn-system/k3s1 in HEAD changes /mnt/a to /mnt/b",
            moves.findings,
            "the tree and the commits before it",
        ),
        refuses(
            "moves/longhorn-version",
            "F9",
            "Longhorn 1.6.2 in HEAD becomes 1.9.0, more than one minor release at once",
            moves.findings,
            "the tree and the commits before it",
        ),
        refuses("storage/disk-uuid", "F14, F15", "Node longhorn-system/k3s1 sets diskUUID", disks.disks),
        refuses("storage/path-twice", "F13", "Node longhorn-system/k3s1 has the disks a and b at one path, /mnt/a", disks.disks),
        refuses(
            "storage/outside-mount",
            "F24",
            "Node longhorn-system/k3s1 has a disk at /var/lib/longhorn, where k3s1 declares none",
            disks.disks,
        ),
        refuses(
            "storage/tags",
            "F1",
            "StorageClass fast makes 3 copies on disks with nvme, and 1 node with such disks takes replicas",
            disks.tags,
        ),
        warns(
            "storage/tags-unused",
            "F1",
            "StorageClass bulk makes 3 copies on disks with bulk, and 1 node with such disks takes replicas",
            disks.tags,
        ),
        refuses(
            "storage/capacity",
            "F1",
            "3 volumes on disks with hdd take 600Gi with all copies; 1 disk has 465Gi - 25Gi reserved = 440Gi",
            capacity.findings,
        ),
    ),
)
