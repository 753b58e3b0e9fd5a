"""What holds for every host and every declaration, sensible or not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, example, given

from fluxstead.hosts.script.decide import DESTRUCTIVE, decide
from fluxstead.hosts.script.gpt import PREPARING, READY, partition_guid
from fluxstead.hosts.script.model import DeclaredDisk, FoundDisk, Host, Verdict, label_of
from fluxstead.hosts.script.text import said
from tests.conftest import examples

from .world import any_declared, any_host, blank, declared, do, host, node, workable

MANY = examples(30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def is_blank(disk: FoundDisk) -> bool:
    if len(disk.volumes) > 1 or disk.volumes[0].mounts:
        return False
    marks = {signature.type for signature in disk.volumes[0].signatures}
    if disk.edges == "table" and disk.table_name == READY:
        return marks <= {"gpt", "PMBR"}
    return not disk.inside and ((not marks and disk.edges == "zero") or (marks <= {"gpt", "PMBR"} and disk.edges == "table"))


def is_unfinished(disk: FoundDisk, name: str) -> bool:
    """Our own partition before its filesystem was whole, that nobody can have used."""
    if disk.edges != "table" or len(disk.partitions) != 1:
        return False
    for volume in disk.partitions:
        mine = volume.partition_guid == partition_guid(disk.serial) and volume.partition_name == PREPARING
        foreign = any(signature.label != label_of(name, disk.serial) for signature in volume.signatures)
        unused = bool(volume.look and volume.look.never_mounted) if volume.signatures else not disk.inside
        if mine and not foreign and unused:
            return True
    return False


def allowed(verdict: Verdict) -> bool:
    """Whether destroying is right, said in other words than the decision's own."""
    one, disk = verdict.declared, verdict.disk
    assert disk is not None
    consented = one.wipe == f"{disk.serial}/{disk.digest}" and bool(disk.digest)
    return is_blank(disk) or is_unfinished(disk, one.name) or consented or interrupted(verdict)


def interrupted(verdict: Verdict) -> bool:
    """A wipe under this very consent was cut off."""
    one, disk = verdict.declared, verdict.disk
    return disk is not None and bool(one.wipe) and disk.half_wiped == one.wipe


@MANY
@given(any_declared, any_host())
def test_nothing_is_destroyed_that_is_not_blank_unfinished_or_consented(one: DeclaredDisk, found: Host) -> None:
    verdict = decide(one, node(one), found)
    # Rewriting a torn table of our own around a filesystem that stays is no destruction.
    mending = verdict.action == "mend" and set(verdict.tasks) & set(DESTRUCTIVE) <= {"partition"}
    if not set(verdict.tasks) & set(DESTRUCTIVE) or mending:
        return
    disk = verdict.disk
    assert disk is not None
    assert allowed(verdict)
    assert disk.serial
    assert disk.confirmed
    assert not any((disk.uses, disk.stacked, disk.dead, disk.read_only, disk.held_by, disk.doubt))
    assert not any(volume.mounts for volume in disk.volumes)
    assert disk.size >= one.size
    assert disk.smart != "failing"
    assert not any(volume.swap for volume in disk.volumes)
    if verdict.action == "wipe" and "consents" in verdict.why[0]:
        looks = [volume.look for volume in disk.volumes if volume.look and volume.signatures]
        assert not any(volume.look.replicas for volume in disk.volumes if volume.look)
        kinds = {signature.type for volume in disk.volumes for signature in volume.signatures}
        assert "btrfs" not in kinds
        if kinds & {"ext4", "xfs"} and len(looks) == 1 and len(disk.volumes) == 1:
            assert not looks[0].problem
            assert not looks[0].dirty


@MANY
@given(any_declared, any_host())
def test_a_refusal_comes_with_no_task_and_says_why(one: DeclaredDisk, found: Host) -> None:
    verdict = decide(one, node(one), found)
    if verdict.action == "refuse":
        assert not verdict.tasks
        assert verdict.why
    if verdict.action == "nothing":
        assert not verdict.tasks
    assert one.mount_path in said(verdict)


@MANY
@given(workable())
@example((declared(), host(blank())))
def test_a_plan_after_an_apply_is_empty(case: tuple[DeclaredDisk, Host]) -> None:
    one, found = case
    verdict = decide(one, node(one), found)
    assert verdict.action != "refuse"
    done: list[str] = []
    while verdict.tasks:
        assert len(done) < len(DESTRUCTIVE) + 9, done
        done.append(verdict.tasks[0])
        found = do(verdict, found)
        verdict = decide(one, node(one), found)
        assert verdict.action != "refuse", verdict
    assert verdict.action == "nothing"
    assert len(done) == len(set(done)), "nothing is done twice"


@MANY
@given(any_declared, any_host())
def test_the_decision_does_not_depend_on_the_order_of_disks(one: DeclaredDisk, found: Host) -> None:
    turned = replace(found, disks=tuple(reversed(found.disks)))
    first, second = decide(one, node(one), found), decide(one, node(one), turned)
    assert (first.action, first.tasks) == (second.action, second.tasks)
