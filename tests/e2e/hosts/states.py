"""States in which disks are met, as data: how each is made, and what must be said of it.

`$d` is the disk, `$p` its first partition; `part [CODE]` makes that partition. Nothing of what these shells make may be lost
without a consent that was given for exactly it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .support import EXT4, XFS, path

REPLICA = "replicas/pvc-1/volume-head-000.img"
DEEP = "a/b/c/d/e/f/g/h/letter"
"""Deeper than a bounded walk of folders goes."""
FILL = "mkdir -p /tmp/m; mount $p /tmp/m; mkdir -p /tmp/m/$(dirname {0}); echo precious > /tmp/m/{0}; umount /tmp/m"
EMPTIED = "dd if=/dev/zero of=$d bs=1M count=1 conv=notrunc status=none; blockdev --rereadpt $d; udevadm settle"
SHUT_DOWN = 'python3 -c \'import fcntl, os, struct; fcntl.ioctl(os.open("/tmp/m", os.O_RDONLY), 0x8004587d, struct.pack("I", 1))\''
"""As a crash leaves it: EXT4_IOC_SHUTDOWN, with the journal written and nothing else (Linux: fs/ext4/ext4.h)."""


@dataclass(frozen=True)
class State:
    """One state of one disk."""

    name: str
    make: str
    said: str
    """What the refusal must say."""
    consent: Literal["never", "telling", "once"]
    """Whether a consent is offered, and whether it outlives a boot."""
    change: str = ""
    """A small change, after which the consent given before must be void."""
    declared: dict[str, object] = field(default_factory=dict)


def shell(number: int, script: str) -> str:
    """The script with `$d`, `$p` and `part` for the disk of this number."""
    settle = "udevadm settle; until [ -e $p ]; do sleep 0.2; done"
    head = f"d=$(readlink -f {path(number)}); p={path(number)}-part1\n"
    return f"{head}part() {{ sgdisk -n 1:0:0 -t 1:${{1:-8300}} $d >/dev/null; {settle}; }}\n{script}\nudevadm settle\n"


def rewritten(file: str) -> str:
    """The same file with other bytes of the same length, and its old time."""
    write = f"printf changed1 | dd of=/tmp/m/{file} conv=notrunc status=none"
    return f"mount $p /tmp/m; touch -r /tmp/m/{file} /tmp/t; {write}; touch -r /tmp/t /tmp/m/{file}; umount /tmp/m"


def filesystem(mkfs: str, file: str = DEEP) -> str:
    return f"part; {mkfs} $p >/dev/null 2>&1; udevadm settle; {FILL.format(file)}"


HIDDEN = [
    State(
        "an ext4 behind a boot partition, after the table was zapped",
        "sgdisk -n 1:2048:+1M -t 1:ef02 -n 2:0:0 $d >/dev/null; udevadm settle; until [ -e ${p%1}2 ]; do sleep 0.2; done; "
        f"p=${{p%1}}2; {EXT4} $p; {FILL.format(DEEP)}; sgdisk --zap-all $d >/dev/null; blockdev --rereadpt $d",
        "ext4",
        "once",
        change="printf x | dd of=$d bs=1 seek=$((250*1024*1024)) conv=notrunc status=none; sync",
    ),
    State(
        "bytes in the middle alone",
        "dd if=/dev/urandom of=$d bs=1M seek=150 count=8 conv=notrunc status=none",
        "not zero at 150 MiB",
        "once",
        change="printf x | dd of=$d bs=1 seek=$((152*1024*1024+9)) conv=notrunc status=none; sync",
    ),
    State(
        "a partition of old tools, from sector 63, whose table is gone",
        f"echo '63,,L' | sfdisk -q --force --label dos $d; udevadm settle; {EXT4} $p; {FILL.format(DEEP)}; "
        "dd if=/dev/zero of=$d bs=512 count=1 conv=notrunc status=none; blockdev --rereadpt $d",
        "holds content",
        "once",
        change="printf x | dd of=$d bs=1 seek=40000 conv=notrunc status=none; sync",
    ),
    State(
        "random bytes from end to end, as LUKS with its header elsewhere is",
        "dd if=/dev/urandom of=$d bs=1M count=400 status=none || true",
        "bytes in no filesystem",
        "once",
        change="printf x | dd of=$d bs=1 seek=$((333*1024*1024+77)) conv=notrunc status=none; sync",
    ),
    State(
        "copies of an ext4 superblock alone, after its first 100 MiB were zeroed",
        "mkfs.ext4 -q -F -b 4096 $d; dd if=/dev/zero of=$d bs=1M count=100 conv=notrunc status=none",
        "holds content",
        "once",
    ),
    State(
        "XFS whose begin was zeroed",
        f"{XFS} $d; {EMPTIED}",
        "holds content",
        "once",
    ),
]

CONSENTS = [
    State("ext4 and a file eight folders deep", filesystem(EXT4), "content that is not ours", "telling", rewritten(DEEP)),
    State("XFS and a file eight folders deep", filesystem(XFS), "content that is not ours", "telling", rewritten(DEEP)),
    State(
        "vfat and a file eight folders deep", filesystem("mkfs.vfat"), "cannot tell a later change of vfat", "once", rewritten(DEEP)
    ),
    State(
        "ext2, which has no journal",
        filesystem("mkfs.ext2 -q -F"),
        "content that is not ours",
        "telling",
        "mount $p /tmp/m; rm -r /tmp/m/a; umount /tmp/m",
    ),
    State(
        "NTFS",
        "part 0700; mkntfs -q -f $p >/dev/null 2>&1; printf 1234 > /tmp/note; ntfscp -q $p /tmp/note note.txt",
        "cannot tell a later change of ntfs",
        "once",
        "printf 4321 > /tmp/note; ntfscp -q $p /tmp/note note.txt",
    ),
    State(
        "an XFS with its log on another device",
        "part; truncate -s 64M /tmp/log; l=$(losetup -f --show /tmp/log); mkfs.xfs -q -f -l logdev=$l $p",
        "",
        "once",
    ),
]

UNSEEN = [
    State(
        "replicas in an ext4 of 64 KiB blocks, which no kernel with smaller pages can mount",
        "part; mkfs.ext4 -q -F -b 65536 $p 2>/dev/null; echo x > /tmp/x; "
        f"printf 'mkdir replicas\\nmkdir replicas/pvc-1\\nwrite /tmp/x {REPLICA}\\n' | debugfs -w -f - $p >/dev/null 2>&1",
        "holds Longhorn replicas",
        "never",
    ),
    State(
        "an ext4 with a feature that these tools do not know",
        f"{filesystem(EXT4)}; debugfs -w -R 'set_super_value feature_incompat 0x80000242' $p >/dev/null 2>&1",
        "could not be looked into",
        "never",
    ),
    State(
        "replicas in a subvolume of btrfs",
        "part; mkfs.btrfs -q -f $p; mkdir -p /tmp/m; mount $p /tmp/m; btrfs -q subvolume create /tmp/m/longhorn; "
        f"mkdir -p /tmp/m/longhorn/replicas/pvc-1; echo x > /tmp/m/longhorn/{REPLICA}; umount /tmp/m",
        "btrfs",
        "never",
    ),
    State(
        "replicas eight folders deep in XFS",
        filesystem(XFS, f"a/b/c/d/e/f/g/{REPLICA}"),
        "holds Longhorn replicas",
        "never",
    ),
    State(
        "an ext4 whose journal was never replayed",
        f"part; {EXT4} $p; mkdir -p /tmp/m; mount $p /tmp/m; mkdir -p /tmp/m/new; {SHUT_DOWN}; umount /tmp/m",
        "journal holds what is not in its folders yet",
        "never",
    ),
    State("f2fs", "part; mkfs.f2fs -q -f $p >/dev/null", "f2fs, into which nothing looks", "never"),
]

USED = [
    State(
        "open by a process",
        "sleep 3000 < $d > /dev/null 2>&1 & disown",
        r"sleep \(pid \d+\) has it open",
        "never",
    ),
    State(
        "mounted elsewhere, its replicas beside the folder that is bound",
        f"{filesystem(EXT4, REPLICA)}; mkdir -p /srv/photos; mount $p /tmp/m; mkdir -p /tmp/m/photos; "
        "mount --bind /tmp/m/photos /srv/photos; umount /tmp/m",
        "mounted at /srv/photos: umount /srv/photos",
        "never",
    ),
    State(
        "mounted in the mounts of another process",
        f"{filesystem(EXT4)}; mkdir -p /tmp/own; unshare -m sh -c 'mount --make-rprivate /; mount '$p' /tmp/own; exec sleep 3000' "
        ">/dev/null 2>&1 & disown; sleep 2",
        r"mounted at /tmp/own for sleep \(pid \d+\)",
        "never",
    ),
    State(
        "a blank disk, and a line of fstab for another one at the path",
        "echo 'UUID=0b0b0b0b-0000-4000-8000-000000000001 /mnt/longhorn/dN ext4 nofail 0 2' >> /etc/fstab",
        "/etc/fstab mounts something else at /mnt/longhorn/d",
        "never",
    ),
    State(
        "a blank disk, and a unit that mounts something at the path",
        "printf '[Mount]\\nWhat=/dev/disk/by-label/other\\nWhere=/mnt/longhorn/dN\\n' > /etc/systemd/system/mnt-longhorn-dN.mount",
        "/etc/systemd/system/mnt-longhorn-d.mount",
        "never",
    ),
    State(
        "device-mapper on a part of it",
        'dmsetup create mine --table "0 2048 linear $d 4096"',
        "dmsetup remove mine",
        "never",
    ),
]
TABLE = {"hidden": HIDDEN, "consents": CONSENTS, "unseen": UNSEEN, "used": USED}
