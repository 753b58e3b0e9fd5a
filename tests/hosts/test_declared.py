"""What the script receives about a node: sizes in bytes, and only labels that a kubelet may set when it registers."""

from __future__ import annotations

import json

import pytest

from fluxstead.hosts.declared import declared, kubelet_admits
from fluxstead.hosts.script.model import read_node
from fluxstead.nodes.model import Node

NODE = {
    "name": "k3s1",
    "cluster": "c",
    "address": "192.0.2.1",
    "role": "server",
    "state": "live",
    "labels": {"storage": "longhorn", "node.longhorn.io/create-default-disk": "config", "node-role.kubernetes.io/worker": ""},
    "taints": [
        {"key": "example.test/archive", "effect": "NoSchedule"},
        {"key": "example.test/slow", "value": "very", "effect": "NoExecute"},
    ],
    "disks": [{"name": "a", "serial": "S", "size": "465Gi", "mountPath": "/mnt/a", "wipe": "S/0abc"}],
}


@pytest.mark.parametrize(
    "label",
    [
        "storage",
        "example.test/zone",
        "node.longhorn.io/create-default-disk",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "node.kubernetes.io/instance-type",
        "kubelet.kubernetes.io/anything",
        "my.node.kubernetes.io/anything",
        "notkubernetes.io/anything",
        "k8s.io.example.test/anything",
    ],
)
def test_labels_that_a_kubelet_registers_with(label: str) -> None:
    assert kubelet_admits(label)


@pytest.mark.parametrize(
    "label",
    [
        "kubernetes.io/role",
        "k8s.io/anything",
        "node-role.kubernetes.io/control-plane",
        "node-restriction.kubernetes.io/anything",
        "topology.kubernetes.io/rack",
        "x.k8s.io/anything",
        "mynode.kubernetes.io/anything",  # ends like node.kubernetes.io, and is another domain
    ],
)
def test_labels_on_which_a_kubelet_ends(label: str) -> None:
    """F10: it exits at its start, and the node never joins."""
    assert not kubelet_admits(label)


def test_a_node_is_told_in_the_words_of_the_script() -> None:
    told = declared(Node.model_validate(NODE))
    assert told["k3s"] == {
        "nodeLabels": ["node.longhorn.io/create-default-disk=config", "storage=longhorn"],
        "nodeTaints": ["example.test/archive:NoSchedule", "example.test/slow=very:NoExecute"],
    }
    read = read_node(json.loads(json.dumps(told)))
    assert (read.name, read.address) == ("k3s1", "192.0.2.1")
    [disk] = read.disks
    assert (disk.name, disk.serial, disk.size, disk.mount_path, disk.wipe) == ("a", "S", 465 * 1024**3, "/mnt/a", "S/0abc")
    assert (disk.device, disk.wwn, disk.filesystem) == (None, None, "ext4")


def test_nothing_of_the_way_to_the_host_is_told_to_it() -> None:
    """Least of all a key file."""
    told = json.dumps(declared(Node.model_validate({**NODE, "ssh": {"user": "ops", "privateKeyFile": "/keys/secret"}})))
    assert "secret" not in told
    assert "ops" not in told
