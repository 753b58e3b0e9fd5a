"""The disk image of a bare Debian host: built once per content of this file, then read-only.

No network is reached from inside the machine: what preparation installs comes from a package archive
that lies in the image itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
BASE = [
    "systemd-sysv",
    "udev",
    "dbus",
    "openssh-server",
    "sudo",
    "iproute2",
    "ifupdown",
    "isc-dhcp-client",
    "e2fsprogs",
    "fdisk",
    "kmod",
    "python3",
    "linux-image-cloud-amd64",
    "gdisk",
    "xfsprogs",
    "lvm2",
    "mdadm",
    "cryptsetup-bin",
    "dosfstools",
    "btrfs-progs",
    "ntfs-3g",
    "exfatprogs",
    "f2fs-tools",
    "acl",
    "zsh",
]
"""A minimal host with Python, and the tools with which the tests put foreign content on disks."""
OFFERED = ["open-iscsi", "nfs-common", "cryptsetup", "dmsetup", "multipath-tools"]
"""In the image's own archive, with everything that they need, not installed."""
ROOT_SIZE = "3G"
BUILD_SECONDS = 1800
TOOLS = ("debootstrap", "qemu-img", "mkfs.ext4", "qemu-system-x86_64", "ssh", "ssh-keygen")

INTERFACES = "auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n"
SSHD = "PasswordAuthentication no\nUseDNS no\nMaxStartups 100\nMaxSessions 100\n"


@dataclass(frozen=True)
class Image:
    """What a machine is started from."""

    root: Path
    """The root filesystem of a bare host as qcow2; machines write into overlays of it."""
    ready: Path
    """The same with the offered packages installed, which takes minutes under emulation."""
    kernel: Path
    initrd: Path
    key: Path
    """The private key that opens the account `ops`, which may sudo."""
    host_key: str
    """`ssh-ed25519 AAAA…` of the machine."""


def cache() -> Path:
    """Where built parts are kept between runs."""
    return Path(os.environ.get("FLUXSTEAD_CACHE") or Path.home() / ".cache") / "fluxstead"


def missing_tools() -> list[str]:
    """The programs that are needed and not installed."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [tool for tool in TOOLS if shutil.which(tool, path=path) is None]


def image() -> Image:
    """The image, built if this content of the file was never built here."""
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    home = cache() / f"host-image-{digest}"
    make_once(home, _build)
    host_key = " ".join((home / "host_key.pub").read_text().split()[:2])
    return Image(home / "root.qcow2", home / "ready.qcow2", home / "vmlinuz", home / "initrd.img", home / "key", host_key)


def make_once(home: Path, make: Callable[[Path], None]) -> None:
    """Have the folder filled by `make`, unless it was; whoever else needs it meanwhile waits, and a half-made one is never met."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=home.parent, prefix="building-") as building:
                result = Path(building) / "made"
                result.mkdir()
                make(result)
                result.rename(home)


def _run(*command: str | Path) -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    environment = {**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    subprocess.run(["nice", *map(str, command)], check=True, timeout=BUILD_SECONDS, env=environment, stdout=subprocess.DEVNULL)


def _build(result: Path) -> None:
    building = result.parent
    root = building / "root"
    _run("debootstrap", "--variant=minbase", f"--include={','.join(BASE)}", SUITE, root)
    _archive(root)
    for name, comment in (("key", "tests"), ("host_key", "host")):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", result / name)
    _configure(root, result)
    for found, name in ((next((root / "boot").glob("vmlinuz-*")), "vmlinuz"), (_initrd(root), "initrd.img")):
        shutil.copy(found, result / name)
    _pack(root, building / "root.img", result / "root.qcow2")
    _install(root)
    _pack(root, building / "ready.img", result / "ready.qcow2")


def _pack(root: Path, raw: Path, packed: Path) -> None:
    _run("mkfs.ext4", "-q", "-L", "root", "-d", root, raw, ROOT_SIZE)
    _run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, packed)


def _install(root: Path) -> None:
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    _run("chroot", root, "apt-get", "-q", "install", "-y", "--no-install-recommends", "open-iscsi", "nfs-common")
    policy.unlink()
    (root / "etc/iscsi/initiatorname.iscsi").write_text("InitiatorName=iqn.1993-08.org.debian:01:0123456789ab\n")


def _initrd(root: Path) -> Path:
    return next((root / "boot").glob("initrd.img-*"))


def _archive(root: Path) -> None:
    """Fills /srv/archive with the offered packages and an index of them, and makes it the only source."""
    chroot = ("chroot", root)
    _run(*chroot, "apt-get", "-q", "install", "-y", "--no-install-recommends", "--download-only", *OFFERED)
    archive = root / "srv" / "archive"
    archive.mkdir(parents=True)
    index = []
    for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        shutil.move(str(package), archive / package.name)
        moved = archive / package.name
        control = subprocess.run(["dpkg-deb", "-f", moved], check=True, capture_output=True, text=True).stdout
        digest = hashlib.sha256(moved.read_bytes()).hexdigest()
        index.append(f"{control.rstrip()}\nFilename: ./{moved.name}\nSize: {moved.stat().st_size}\nSHA256: {digest}\n")
    (archive / "Packages").write_text("\n".join(index))
    for stale in (root / "var/lib/apt/lists").glob("*_*"):
        stale.unlink()
    (root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/archive ./\n")
    _run(*chroot, "apt-get", "-q", "update")


def _configure(root: Path, result: Path) -> None:
    for name in (root / "etc/ssh").glob("ssh_host_*"):
        name.unlink()
    shutil.copy(result / "host_key", root / "etc/ssh/ssh_host_ed25519_key")
    shutil.copy(result / "host_key.pub", root / "etc/ssh/ssh_host_ed25519_key.pub")
    (root / "etc/ssh/sshd_config.d/tests.conf").write_text(SSHD)
    (root / "etc/network/interfaces").write_text(INTERFACES)
    # The kernel is booted from outside, and rebuilding an initrd takes minutes under emulation.
    (root / "etc/initramfs-tools/update-initramfs.conf").write_text("update_initramfs=no\nbackup_initramfs=no\n")
    (root / "etc/hostname").write_text("k3s1\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost k3s1\n")
    (root / "etc/fstab").write_text("# written by the tests\n/dev/vda / ext4 defaults 0 1\n")
    (root / "etc/sudoers.d/ops").write_text("ops ALL=(ALL) NOPASSWD: ALL\n")
    _run("chroot", root, "useradd", "-m", "-s", "/bin/bash", "ops")
    ssh = root / "home/ops/.ssh"
    ssh.mkdir(mode=0o700)
    (ssh / "authorized_keys").write_text((result / "key.pub").read_text())
    _run("chroot", root, "chown", "-R", "ops:ops", "/home/ops/.ssh")


if __name__ == "__main__":
    image()
