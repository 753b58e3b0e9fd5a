"""Volumes that fit on the disks of their own class, and not on those that classes share; and what Longhorn may give away."""

from __future__ import annotations

import pytest

from tests.checks.planted import LONGHORN, WEB, Planted, claim, disk, disk_node, kept, layer, look, machine, storage, storage_class


def told(
    sizes: tuple[str, str], tags: tuple[str, str] = ("hdd", "fast"), disk_tags: str = "hdd, fast", more: str = ""
) -> list[str]:
    """What is said of a volume in each of two classes, on one disk with 80Gi to give away."""
    classes = [storage_class("first", tags[0]), storage_class("second", tags[1])]
    claims = [claim(sizes[0], "first"), claim(sizes[1], "second").replace("name: data", "name: more")]
    files = {
        **storage(disk_node(disk("a", "/mnt/a", disk_tags)), *classes),
        **layer("web", kept(WEB), *claims, spec="dependsOn: [{name: storage}]"),
    }
    path = "longhorn/objects.yaml"
    files[path] = LONGHORN[path].replace("values: {", f"values: {{{more}")
    disks = [
        {"name": "a", "serial": "S1", "size": "100Gi", "mountPath": "/mnt/a", "reserved": "20Gi", "tags": disk_tags.split(", ")}
    ]
    findings = look(Planted(files=files, cure=("", ""), says="", nodes=[machine(disks=disks)]), files)
    return [one.what for one in findings if one.id == "storage/capacity"]


def test_two_classes_on_one_disk_fill_it_together() -> None:
    """Each of them would fit alone."""
    [said] = told(("70Gi", "70Gi"))
    assert "2 volumes on disks with fast or hdd take 140Gi with all copies" in said
    assert not told(("40Gi", "40Gi"))


def test_a_class_that_does_not_fit_alone_is_told_once() -> None:
    """Not again together with others on the same disk."""
    assert len(told(("90Gi", "70Gi"))) == 1


@pytest.mark.parametrize(("percentage", "fits"), [("200", True), ("100", False), ("150", False)])
def test_what_longhorn_may_give_away_counts(percentage: str, fits: bool) -> None:
    """Over-provisioning is Longhorn's own setting."""
    more = f"defaultSettings: {{storageOverProvisioningPercentage: {percentage}}}, "
    assert bool(told(("70Gi", "70Gi"), more=more)) is not fits


def test_a_class_that_no_disk_can_take_hides_no_other() -> None:
    """And fills none of the disks."""
    assert len(told(("90Gi", "1Gi"), ("hdd", "nvme"), "hdd")) == 2
    assert len(told(("70Gi", "70Gi"), ("hdd", "nvme"), "hdd")) == 1
