"""Hosts made up for the tests: facts to decide on, and what each task changes in them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from hypothesis import strategies as st

from fluxstead.hosts.script.decide import decide
from fluxstead.hosts.script.gpt import PREPARING, READY, partition_guid
from fluxstead.hosts.script.model import (
    MIB,
    BlockDevice,
    DeclaredDisk,
    DeclaredHost,
    FoundDisk,
    Host,
    Look,
    Place,
    Signature,
    Verdict,
    label_of,
)
from fluxstead.hosts.script.text import adopted_line, fstab_fields, fstab_line, said

GIB = 1024 * MIB
SERIAL = "WD-1"
PATH = "/mnt/longhorn/a"
DIGEST = "d" * 24
UUID = "11111111-1111-1111-1111-111111111111"
BY_ID = "/dev/disk/by-id/ata-WD_WD-1"
EMPTY = Look()
NEW = Look(never_mounted=True)
FILES = Look(entries=("photos",))
REPLICAS = Look(entries=("replicas",), replicas=("replicas/pvc-1",))


def declared(**changes: object) -> DeclaredDisk:
    """The disk `a` as the description has it."""
    plain = DeclaredDisk("a", None, SERIAL, None, 8 * GIB, "ext4", PATH, None)
    return replace(plain, **changes)  # type: ignore[arg-type]


def node(*disks: DeclaredDisk) -> DeclaredHost:
    return DeclaredHost("k3s1", "192.0.2.1", disks, (), ())


def whole(path: str = "/dev/sda", **changes: object) -> BlockDevice:
    return replace(BlockDevice(path, "disk", 0, 10 * GIB), **changes)  # type: ignore[arg-type]


def part(path: str = "/dev/sda1", **changes: object) -> BlockDevice:
    return replace(BlockDevice(path, "partition", MIB, 10 * GIB - 2 * MIB), **changes)  # type: ignore[arg-type]


def filesystem(kind: str = "ext4", label: str = "", uuid: str = UUID) -> tuple[Signature, ...]:
    return (Signature(kind, 0x438, uuid, label),)


def blank(**changes: object) -> FoundDisk:
    """A blank disk that can be told by serial."""
    plain = FoundDisk("/dev/sda", (BY_ID,), "WD", (SERIAL,), "0x50014ee0", 10 * GIB, 512, (whole(),), edges="zero", digest=DIGEST)
    return replace(plain, **{"confirmed": True, **changes})  # type: ignore[arg-type]


def holding(volume: BlockDevice, **changes: object) -> FoundDisk:
    """A disk with a partition table that has this partition."""
    table = (Signature("gpt", 0x200),)
    return blank(volumes=(whole(signatures=table), volume), edges="other", **changes)


def ours(mounted: bool = True, **changes: object) -> FoundDisk:
    """A disk that was prepared."""
    volume = part(
        signatures=filesystem(label=label_of("a", SERIAL)),
        mounts=(PATH,) if mounted else (),
        partition_guid=partition_guid(SERIAL),
        partition_name=READY,
        look=Look(),
    )
    volume = replace(volume, **changes)  # type: ignore[arg-type]
    return replace(holding(volume), edges="table", table_name=READY, table_whole=True, busy=mounted)


def right_line(one: DeclaredDisk | None = None) -> str:
    return fstab_line(one or declared(), UUID)


def right_place(one: DeclaredDisk | None = None) -> Place:
    return Place("/dev/sda1", immutable=True, fstab=(right_line(one),), own=(right_line(one),))


def host(*disks: FoundDisk, place: Place | None = None, uuids: dict[str, tuple[str, ...]] | None = None) -> Host:
    return Host(disks, {PATH: place or Place()}, uuids or {})


def do(verdict: Verdict, found: Host) -> Host:  # noqa: C901 -- one case a task, as in the script
    """The host after the first task of a verdict, as the real script would leave it."""
    disk = verdict.disk
    assert disk is not None
    one = verdict.declared
    place = found.places[one.mount_path]
    task = verdict.tasks[0]
    if task == "wipe":
        disk = replace(disk, volumes=(whole(disk.path),), edges="zero", inside="", half_wiped=one.wipe or "", digest="z")
    elif task == "partition":
        name = disk.table_name if disk.edges == "table" else PREPARING
        volumes = (whole(disk.path, signatures=(Signature("gpt", 512),)), *_remade(disk, name))
        disk = replace(disk, volumes=volumes, edges="table", table_name=name, table_whole=True)
    elif task == "format":
        label = label_of(one.name, disk.serial)
        disk = _with_partition(disk, signatures=filesystem(one.filesystem, label), look=NEW)
    elif task == "finish":
        pass
    elif task == "label":
        label = label_of(one.name, disk.serial)
        volumes = tuple(
            replace(v, signatures=(replace(v.signatures[0], label=label),)) if one.mount_path in v.mounts else v
            for v in disk.volumes
        )
        disk = replace(disk, volumes=volumes)
    elif task == "config":
        volumes = tuple(replace(v, look=replace(v.look, config=None)) if v.look else v for v in disk.volumes)
        disk = replace(disk, volumes=volumes)
    elif task == "mount":
        volume = next(v for v in disk.volumes if v.filesystem and v.filesystem.type == one.filesystem)
        assert volume.filesystem is not None
        assert fstab_fields(place.fstab[0])[0] == f"UUID={volume.filesystem.uuid}"
        volumes = tuple(replace(v, mounts=(one.mount_path,)) if v == volume else v for v in disk.volumes)
        disk = replace(disk, volumes=volumes, busy=True)
        place = replace(place, device=volume.path)
    elif task in ("mountpoint", "underneath"):
        place = replace(place, immutable=True)
    elif task == "fstab":
        uuid = verdict.filesystem or next(p.filesystem.uuid for p in disk.partitions if p.filesystem)
        line = adopted_line(one, uuid, place.fstab)
        place = replace(place, fstab=(line,), own=(line,))
    else:
        raise AssertionError(task)
    if task in ("format", "finish"):
        disk = replace(_with_partition(disk, partition_name=READY), table_name=READY, table_whole=True)
    disks = tuple(disk if each.path == disk.path else each for each in found.disks)
    return Host(disks, {**found.places, one.mount_path: place}, found.uuids)


def _remade(disk: FoundDisk, name: str) -> tuple[BlockDevice, ...]:
    """Partitions after the table is written: what lay in ours before comes back with it."""
    late = part(disk.path + "1", signatures=filesystem(label=label_of("a", disk.serial)), look=FILES)
    hidden = late if name == READY and not disk.partitions else part(disk.path + "1")
    mine = next(iter(disk.partitions), hidden)
    return (replace(mine, partition_guid=partition_guid(disk.serial), partition_name=name),)


def _with_partition(disk: FoundDisk, **changes: object) -> FoundDisk:
    volumes = tuple(replace(v, **changes) if v.kind == "partition" else v for v in disk.volumes)  # type: ignore[arg-type]
    return replace(disk, volumes=volumes)


Value = TypeVar("Value")


@lru_cache(maxsize=None, typed=True)
def any_of(*values: Value) -> st.SearchStrategy[Value]:
    """One of these. Made once: a new strategy is looked through when it is first drawn from, which takes longer than the draw."""
    return st.sampled_from(values)


labels = st.sampled_from(["", "data", label_of("a", SERIAL), label_of("b", SERIAL), label_of("a", "WD-2")])
kinds = st.sampled_from(["ext4", "xfs", "btrfs", "LVM2_member", "crypto_LUKS", "swap", "linux_raid_member", "zfs_member"])
looks = st.one_of(
    st.none(),
    st.builds(
        Look,
        problem=st.sampled_from(["", "", "", "wrong fs type"]),
        never_mounted=st.booleans(),
        dirty=st.sampled_from([False, False, True]),
        entries=st.sampled_from([(), ("photos",), ("replicas",)]),
        replicas=st.sampled_from([(), (), ("replicas/pvc-1",)]),
        config=st.sampled_from([None, "", "{}", '{"diskUUID": "u"}', '{"diskUUID": "u", "diskName": "b"}']),
        open_to_all=st.booleans(),
    ),
)
some_signatures = st.lists(st.builds(Signature, kinds, st.just(0), st.sampled_from(["", UUID]), labels), max_size=2).map(tuple)
mounts = st.sampled_from([(), (), (PATH,), ("/srv",), (PATH, "/srv")])


@st.composite
def volumes_of(draw: st.DrawFn, path: str) -> tuple[BlockDevice, ...]:
    """A disk's volumes: none, one or two partitions, maybe something stacked."""
    count = draw(st.integers(0, 2))
    table = (Signature("gpt", 512),) if count else draw(some_signatures)
    found = [whole(path, signatures=table, mounts=() if count else draw(mounts), look=None if count else draw(looks))]
    for number in range(1, count + 1):
        volume = part(
            f"{path}{number}",
            signatures=draw(some_signatures),
            mounts=draw(mounts),
            swap=draw(any_of(False, False, False, True)),
            read_only_mount=draw(any_of(False, False, True)),
            partition_guid=draw(any_of("", partition_guid(SERIAL), partition_guid("WD-2"))),
            partition_name=draw(any_of("", PREPARING, READY)),
            look=draw(looks),
        )
        found.append(volume)
    return tuple(found)


@lru_cache
def any_volumes(path: str) -> st.SearchStrategy[tuple[BlockDevice, ...]]:
    """Those of `volumes_of`, and of a blank disk more often than by chance."""
    return volumes_of(path) | st.sampled_from([(whole(path),), (whole(path, signatures=(Signature("gpt", 0x200),)),)])


@st.composite
def any_disk(draw: st.DrawFn, path: str) -> FoundDisk:
    """A disk in any state that could be read, also ones that make no sense."""
    found = draw(any_volumes(path))
    return FoundDisk(
        path,
        draw(any_of((), (BY_ID,), ("/dev/disk/by-id/usb-Generic",))),
        "WD",
        draw(any_of((), (SERIAL,), (SERIAL,), ("WD-2",))),
        draw(any_of("", "0x50014ee0")),
        draw(any_of(10 * GIB, 10 * GIB, 4 * GIB)),
        512,
        found,
        read_only=draw(any_of(False, False, False, True)),
        dead=draw(any_of("", "", "", "input/output error")),
        edges=draw(any_of("zero", "zero", "other", "table")),
        table_name=draw(any_of(PREPARING, READY)),
        table_whole=draw(st.booleans()),
        uses=draw(any_of((), (), (), ("/",))),
        stacked=draw(any_of((), (), ("/dev/dm-0",))),
        held_by=draw(any_of((), (), (), ("qemu (pid 4) has it open",))),
        doubt=draw(any_of("", "", "", "the kernel says otherwise")),
        confirmed=draw(any_of(True, True, False)),
        inside=draw(any_of("", "not zero at 2 MiB")),
        untold=draw(any_of((), ("vfat",))),
        busy=draw(st.booleans()),
        smart=draw(any_of("passed", "not checked", "failing")),
        digest=draw(any_of("", DIGEST)),
        half_wiped=draw(any_of("", f"{SERIAL}/{DIGEST}", f"{SERIAL}/other")),
        fstab=draw(any_of((), (), ((PATH, "line"),), (("/srv", "line"),))),
    )


disks_in_order = [any_disk(f"/dev/sd{letter}") for letter in "abc"]
known_uuids: st.SearchStrategy[dict[str, tuple[str, ...]]] = st.sampled_from(
    [{}, {UUID: ("/dev/sda",)}, {UUID: ("/dev/sda", "/dev/sdb")}]
)


@st.composite
def any_host(draw: st.DrawFn) -> Host:
    """Up to three disks and any state of the mount path."""
    disks = [draw(one) for one in disks_in_order[: draw(st.integers(0, 3))]]
    place = Place(
        draw(any_of("", "", "/dev/sda1", "/dev/sda", "/dev/sdb1")),
        draw(any_of(False, False, False, True)),
        draw(any_of(True, True, True, False)),
        draw(any_of((), (), ("stray",))),
        draw(any_of(True, False, None)),
        draw(any_of((), (right_line(),), (f"/dev/sda1 {PATH} ext4 defaults 0 2",), (right_line(), right_line()))),
        own=draw(any_of((), (right_line(),))),
        units=draw(any_of((), (), (), ("/etc/systemd/system/mnt-longhorn-a.mount",))),
        automount=draw(any_of(False, False, False, True)),
        below=draw(any_of("", "", "", "/srv")),
        under=draw(any_of((), (), (), ("/dev/sdc1",))),
    )
    return Host(tuple(disks), {PATH: place}, draw(known_uuids))


any_declared = st.builds(
    DeclaredDisk,
    st.just("a"),
    st.sampled_from([None, "/dev/sda", BY_ID, "/dev/disk/by-id/usb-Generic"]),
    st.sampled_from([None, SERIAL, SERIAL]),
    st.sampled_from([None, "0x50014ee0"]),
    st.just(8 * GIB),
    st.sampled_from(["ext4", "xfs"]),
    st.just(PATH),
    st.sampled_from([None, f"{SERIAL}/{DIGEST}", f"{SERIAL}/other", f"WD-2/{DIGEST}"]),
)


@st.composite
def workable(draw: st.DrawFn) -> tuple[DeclaredDisk, Host]:
    """A host whose facts fit together, with a disk on which there is something to do, and its declaration."""
    kind = draw(any_of("blank", "torn", "torn late", "ours", "by hand", "unfinished", "foreign", "half wiped"))
    one = declared(filesystem=draw(any_of("ext4", "xfs")))
    known = filesystem(one.filesystem, draw(any_of("", "data", label_of("a", SERIAL))))
    mounted = kind in ("ours", "by hand") and (kind == "by hand" or draw(st.booleans()))
    look = Look(
        entries=draw(any_of((), ("photos",))),
        config=draw(any_of(None, "", "{}", '{"diskUUID": "u"}')),
        open_to_all=draw(st.booleans()),
    )
    path = (PATH,) if mounted else ()
    if kind in ("blank", "torn", "torn late"):
        edges = "zero" if kind == "blank" else "table"
        disk = blank(edges=edges, table_name=READY if kind == "torn late" else PREPARING)
        one = replace(one, filesystem="ext4")
    elif kind == "ours":
        disk = ours(mounted, signatures=known, look=look, partition_name=draw(any_of(READY, PREPARING)))
        whole_table = draw(st.booleans()) or mounted
        disk = replace(disk, table_whole=whole_table, table_name=disk.partitions[0].partition_name)
        if disk.table_name == PREPARING and not mounted:
            disk = _with_partition(disk, signatures=filesystem(one.filesystem, label_of("a", SERIAL)))
    elif kind == "by hand":
        disk = replace(holding(part(signatures=known, mounts=path, look=look)), busy=True)
    elif kind == "unfinished":
        mine = filesystem(one.filesystem, label_of("a", SERIAL))
        some = draw(any_of((), mine))
        disk = ours(False, signatures=some, partition_name=PREPARING, look=NEW if some else None)
        disk = replace(disk, table_name=PREPARING)
    else:
        one = replace(one, wipe=f"{SERIAL}/{DIGEST}")
        volume = part(signatures=draw(some_signatures), look=draw(any_of(None, FILES)))
        kinds = {signature.type for signature in volume.signatures}
        if "btrfs" in kinds or (volume.filesystem and volume.filesystem.label == label_of("a", SERIAL)):
            volume = replace(volume, signatures=())
        disk = replace(holding(volume), inside="not zero", half_wiped=f"{SERIAL}/{DIGEST}" * (kind == "half wiped"))
    lines = draw(any_of((), (fstab_line(one, UUID),), (f"/dev/sda1 {PATH} ext4 defaults 0 2",)))
    place = Place("/dev/sda1" if mounted else "", immutable=draw(any_of(True, False)), fstab=lines, own=lines)
    return one, host(disk, place=place)


def verdict(found: Host, one: DeclaredDisk | None = None, *others: DeclaredDisk) -> Verdict:
    """The verdict on disk `a`."""
    one = one or declared()
    return decide(one, node(one, *others), found)


def refused(found: Host, one: DeclaredDisk | None = None, *others: DeclaredDisk) -> str:
    """The text of a refusal, which never comes with a task."""
    answer = verdict(found, one, *others)
    assert (answer.action, answer.tasks) == ("refuse", ()), answer
    return said(answer)
