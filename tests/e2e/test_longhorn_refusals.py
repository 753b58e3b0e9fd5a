"""What Longhorn refuses of a Node, as the stand-in for its webhook says it, of what fluxstead writes and of what people might."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.conftest import Project
from tests.e2e.cluster.longhorn import refusal

DISKS = ("sdf1", "sdg1", "sdh1")


@pytest.fixture
def node(reference: Project) -> dict[str, Any]:
    """Longhorn's Node of the reference cluster's machine, its disks registered."""
    assembled = reference.run().assembled
    assert assembled is not None
    kind = ("longhorn.io/v1beta2", "Node")
    [found] = [file.object for file in assembled.tree if (file.object["apiVersion"], file.object["kind"]) == kind]
    return {**copy.deepcopy(dict(found)), "status": {"diskStatus": {name: {"diskUUID": name} for name in DISKS}}}


def update(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """What the webhook says of an update; None where it is admitted."""
    return refusal({"resource": {"resource": "nodes"}, "operation": "UPDATE", "oldObject": old, "object": new})


def changed(node: dict[str, Any], disk: str, **fields: object) -> dict[str, Any]:
    """The same Node with another value in one of its disks; without fields the disk is gone."""
    new = copy.deepcopy(node)
    if fields:
        new["spec"]["disks"].setdefault(disk, {"path": "/mnt/new", "allowScheduling": True}).update(fields)
    else:
        del new["spec"]["disks"][disk]
    return new


def test_a_disk_is_added_once_and_then_nothing_is_taken_until_its_manager_has_looked(node: dict[str, Any]) -> None:
    """Not even what changes nothing, or takes the disk back."""
    added = changed(node, "new", tags=[])
    assert update(node, added) is None
    for later in (added, changed(added, "new"), changed(added, "sdf1", evictionRequested=True, allowScheduling=False)):
        assert "are being syncing and please retry later" in str(update(added, later))
    added["status"]["diskStatus"]["new"] = {}
    assert update(added, added) is None


def test_a_disk_goes_only_when_it_takes_nothing_and_holds_nothing(node: dict[str, Any]) -> None:
    """F28: hence the two commits that `moves/disk-removed` says."""
    assert "Please disable the disk /mnt/longhorn/sdf1" in str(update(node, changed(node, "sdf1")))
    emptied = changed(node, "sdf1", allowScheduling=False, evictionRequested=True)
    assert update(node, emptied) is None
    assert update(emptied, changed(emptied, "sdf1")) is None
    emptied["status"]["diskStatus"]["sdf1"]["storageScheduled"] = 1
    assert "Please disable the disk" in str(update(emptied, changed(emptied, "sdf1")))


def test_what_is_emptied_takes_nothing(node: dict[str, Any]) -> None:
    """Of a disk and of a machine."""
    assert "for disk eviction" in str(update(node, changed(node, "sdf1", evictionRequested=True)))
    leaving = copy.deepcopy(node)
    leaving["spec"]["evictionRequested"] = True
    assert "for node eviction" in str(update(node, leaving))


def test_nothing_else_is_judged(node: dict[str, Any]) -> None:
    """A new Node is taken as it is."""
    request = {"resource": {"resource": "nodes"}, "operation": "CREATE", "oldObject": None, "object": node}
    assert refusal(request) is None
    assert refusal({**request, "resource": {"resource": "volumes"}, "operation": "UPDATE"}) is None
