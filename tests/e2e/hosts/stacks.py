"""States that the host's own tools make of a disk: encryption, arrays, volume groups, a path of several.

As in `states`, `$d` is the disk and `$p` its first partition.
"""

from __future__ import annotations

from .states import DEEP, FILL, State, rewritten

QUICK = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
TYPED = "printf secret | cryptsetup"


def array(name: str, number: int, metadata: str, **about: str) -> State:
    """Half of a stopped RAID 1 that holds a filesystem; its change is one of that filesystem, with the array running."""
    create = f"mdadm --create $p --quiet --run --level=1 --raid-devices=2 --metadata={metadata} $d missing; mkfs.ext4 -q $p"
    stop = "mdadm --stop --quiet $p"
    return State(
        name,
        f"p=/dev/md{number}; {create}; {FILL.format(DEEP)}; {stop}{about.get('after', '')}",
        about.get("said", "linux_raid_member"),
        "once",
        about.get("change", f"p=/dev/md{number}; mdadm --assemble --quiet --run $p $d; {rewritten(DEEP)}; {stop}"),
    )


def group(name: str, end: str) -> str:
    """Shell that makes a volume group of the disk, with a filesystem in it."""
    return (
        f"pvcreate -qq -y $d; vgcreate -qq {name} $d; lvcreate -qq -y -n data -L 100M {name}; p=/dev/{name}/data; "
        f"mkfs.ext4 -q $p; {FILL.format(DEEP)}; {end}"
    )


ENCRYPTED = [
    State(
        "LUKS1 in a partition",
        f"part; {TYPED} luksFormat -q --type luks1 --pbkdf-force-iterations 1000 $p -",
        "crypto_LUKS",
        "once",
        f"{TYPED} open $p one -; printf x | dd of=/dev/mapper/one bs=1 seek=100000000 status=none; cryptsetup close one",
    ),
    State("LUKS2", f"{TYPED} luksFormat -q {QUICK} $d -", "crypto_LUKS", "once", "cryptsetup config $d --label photos"),
    State(
        "LUKS whose header lies elsewhere",
        f"truncate -s 16M /tmp/header; {TYPED} luksFormat -q {QUICK} --header /tmp/header $d -; "
        f"{TYPED} open --header /tmp/header $d far -; p=/dev/mapper/far; mkfs.ext4 -q $p; {FILL.format(DEEP)}; "
        "cryptsetup close far",
        "no signature, but not zero at .*bytes in no filesystem|bytes in no filesystem .*no signature, but not zero at",
        "once",
        f"{TYPED} open --header /tmp/header $d far -; p=/dev/mapper/far; {rewritten(DEEP)}; cryptsetup close far",
    ),
    State(
        "LUKS that is open",
        f"{TYPED} luksFormat -q {QUICK} $d -; {TYPED} open $d mine -",
        "cryptsetup close mine",
        "never",
    ),
    State(
        "a volume group in LUKS, both open",
        f"{TYPED} luksFormat -q {QUICK} $d -; {TYPED} open $d chain -; d=/dev/mapper/chain; {group('vgchain', ':')}",
        "vgchange -an vgchain; cryptsetup close chain",
        "never",
    ),
    State(
        "a path of multipath's",
        'dmsetup create mpathx --uuid mpath-350014ee000000006 --table "0 $(blockdev --getsz $d) linear $d 0"',
        "multipath -f mpathx",
        "never",
    ),
]

MEMBERS = [
    array("half of an array, metadata 0.90", 10, "0.90"),
    array("half of an array, metadata 1.0", 11, "1.0"),
    array("half of an array, metadata 1.1", 12, "1.1"),
    array(
        "a member whose superblock was zeroed",
        13,
        "1.2",
        after="; mdadm --zero-superblock $d",
        said="ext4 at .*, in no partition",
        change="printf x | dd of=$d bs=1 seek=$((200*1024*1024)) conv=notrunc status=none; sync",
    ),
    State(
        "a volume group that is not active",
        group("vgrest", "vgchange -qq -an vgrest"),
        "LVM2_member",
        "once",
        f"vgchange -qq -ay vgrest; p=/dev/vgrest/data; {rewritten(DEEP)}; vgchange -qq -an vgrest",
    ),
    State("a volume group that is active", group("vg-live", ":"), "vgchange -an vg-live", "never"),
]
TABLE = {"encrypted": ENCRYPTED, "members": MEMBERS}
