"""What an interrupted preparation may take up again, and what it may not, on hosts that are made up."""

from __future__ import annotations

from dataclasses import replace

from fluxstead.hosts.script.consent import FRESH
from fluxstead.hosts.script.decide import DESTRUCTIVE
from fluxstead.hosts.script.gpt import PREPARING, READY
from fluxstead.hosts.script.model import MIB, UNTOOLED, FoundDisk, Look, Place, Signature, label_of

from .world import (
    DIGEST,
    EMPTY,
    FILES,
    NEW,
    PATH,
    REPLICAS,
    SERIAL,
    UUID,
    blank,
    declared,
    filesystem,
    holding,
    host,
    ours,
    part,
    refused,
    right_place,
    verdict,
    whole,
)

CONSENT = f"{SERIAL}/{DIGEST}"


def unfinished(**changes: object) -> FoundDisk:
    """A disk whose preparation was interrupted after its table was written."""
    return replace(ours(mounted=False, **{"partition_name": PREPARING, **changes}), table_name=PREPARING)


def test_an_interrupted_preparation_is_taken_up_again() -> None:
    torn = blank(edges="table", table_name=PREPARING)
    unread = replace(torn, volumes=(whole(signatures=(Signature("gpt", 0x200), Signature("PMBR", 0x1FE))),), table_whole=True)
    for found in (torn, unread):
        assert verdict(host(found)).tasks == FRESH
    for found in (
        unfinished(signatures=(), look=None),
        unfinished(look=NEW),
        unfinished(look=Look(problem="half a filesystem", never_mounted=True)),
    ):
        assert verdict(host(found)).tasks == FRESH[1:]


def test_an_unfinished_preparation_is_no_licence_to_format_what_a_person_used() -> None:
    """Without files too: what was mounted once may have had some, and its journal may have what its folders do not."""
    assert verdict(host(unfinished(look=EMPTY))).tasks == ("finish", "mountpoint", "fstab", "mount")
    disturbed = replace(unfinished(signatures=(), look=None), inside="not zero at 2 MiB")
    assert "or what an interrupted mkfs left" in refused(host(disturbed))
    assert "wipe:" in refused(host(disturbed))
    assert "cannot be read" in refused(host(unfinished(look=Look(problem="its own tools cannot read it"))))


def test_a_prepared_disk_whose_table_was_wiped_gets_its_table_back_and_keeps_its_filesystem() -> None:
    mine = (Signature("ext4", MIB, UUID, label_of("a", SERIAL)),)
    lost = blank(hidden=mine, inside="not zero at 1 MiB")
    answer = verdict(host(lost))
    assert (answer.action, answer.tasks) == ("resume", ("partition", "mountpoint", "fstab", "mount"))
    for other in (Signature("ext4", 2 * MIB, UUID, label_of("a", SERIAL)), Signature("ext4", MIB, UUID, label_of("a", "WD-2"))):
        assert verdict(host(replace(lost, hidden=(other,)))).action == "refuse"


def test_files_end_the_right_to_format_again() -> None:
    assert verdict(host(unfinished(look=FILES))).tasks == ("finish", "mountpoint", "fstab", "mount")
    assert verdict(host(unfinished(signatures=filesystem("btrfs"), look=FILES))).action == "refuse"
    assert verdict(host(unfinished(signatures=filesystem(label="mine"), look=EMPTY))).action == "refuse"


def test_only_the_table_that_was_written_gives_the_right_to_format() -> None:
    """Somebody who shrinks the partition and adds another keeps the mark on the first one."""
    added = part("/dev/sda2", signatures=(), look=REPLICAS)
    for changed in (replace(unfinished(signatures=(), look=None), edges="other"), unfinished(look=NEW)):
        found = replace(changed, volumes=(*changed.volumes, added))
        assert verdict(host(found)).action == "refuse"
        assert "replicas" in refused(host(found), declared(wipe=CONSENT))
        mounted = replace(found.partitions[0], mounts=(PATH,), signatures=filesystem(label=label_of("a", SERIAL)), look=EMPTY)
        answer = verdict(host(replace(found, volumes=(found.volumes[0], mounted, added), busy=True), place=right_place()))
        assert "finish" not in answer.tasks


def test_a_look_that_did_not_end_gives_no_right() -> None:
    """A timeout says nothing of what is there."""
    hangs = Look(problem="no answer within 120 s")
    assert "cannot be read: no answer" in refused(host(unfinished(look=hangs)))
    for kinds in (filesystem(), (*filesystem(), Signature("zfs_member", 0x20000))):
        assert "no consent covers it" in refused(host(holding(part(signatures=kinds, look=hangs))), declared(wipe=CONSENT))


def test_a_tool_that_is_not_there_keeps_no_disk_of_ours_from_its_mount() -> None:
    """A machine installed anew lacks xfsprogs until it is prepared; others' disks wait until they can be looked into."""
    blind = Look(problem=f"{UNTOOLED}: xfs_db is not installed")
    assert verdict(host(ours(mounted=False, look=blind), place=Place())).tasks == ("mountpoint", "fstab", "mount")
    assert "no consent covers it" in refused(host(holding(part(signatures=filesystem("xfs"), look=blind))), declared(wipe=CONSENT))


def test_a_finished_disk_without_a_filesystem_is_never_formatted_again() -> None:
    for wipe in (None, CONSENT):
        assert "no filesystem" in refused(host(ours(mounted=False, signatures=(), look=None)), declared(wipe=wipe))
    torn = blank(edges="table", table_name=READY)
    unread = replace(torn, volumes=(whole(signatures=(Signature("gpt", 0x200),)),), table_whole=True)
    for found in (torn, unread):
        assert verdict(host(found)).action == "resume"
        assert not set(DESTRUCTIVE[2:]) & set(verdict(host(found)).tasks)


def test_a_table_of_ours_gives_no_right_to_what_else_shows_itself_on_the_disk() -> None:
    more = (Signature("gpt", 0x200), Signature("btrfs", 0x4000040))
    assert verdict(host(blank(edges="table", table_name=PREPARING, volumes=(whole(signatures=more),)))).action == "refuse"


def test_an_interrupted_wipe_goes_on_under_the_same_consent_only() -> None:
    found = host(blank(edges="other", half_wiped=CONSENT, digest="changed"))
    assert verdict(found, declared(wipe=CONSENT)).tasks == ("wipe", *FRESH)
    assert verdict(found, declared(wipe="WD-1/other")).action == "refuse"
    assert verdict(found).action == "refuse"
