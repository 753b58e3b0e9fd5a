"""The root filesystem of a Debian machine for many machines at once: built once per content of this file, then read-only.

Nothing of Kubernetes is in it. What k3s carries inside its binary (containerd, runc, the network plugins) lies in a folder of
its own, which only the stand-in for k3s looks into.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.hosts.image import cache, make_once

SUITE = "bookworm"
BASE = (
    *("systemd-sysv", "udev", "dbus", "openssh-server", "sudo", "iproute2", "kmod", "procps", "python3", "ca-certificates"),
    *("iptables", "conntrack", "ethtool", "socat", "openssl", "curl"),
    # What the preparation installs: no archive is reached from inside.
    *("open-iscsi", "nfs-common", "cryptsetup", "dmsetup", "gdisk", "parted", "fdisk", "xfsprogs"),
)
RUNTIME = ("containerd", "runc", "containernetworking-plugins")
BUILD_SECONDS = 1800
TOOLS = ("debootstrap", "systemd-nspawn", "unshare", "setpriv", "ip", "ssh", "ssh-keygen", "openssl")

SSHD = "PasswordAuthentication no\nUseDNS no\nMaxStartups 100\nMaxSessions 100\n"
KERNEL = "/usr/local/sbin/tests-kernel"
WRITABLE = """#!/bin/sh
# What a kubelet needs of the kernel and a container does not have: cgroups that it may write to, and three settings.
for hierarchy in /sys/fs/cgroup/*; do
  # Without `bind` it would be the tests' own machine whose hierarchy changes.
  ! mountpoint -q "$hierarchy" || mount -o remount,bind,rw "$hierarchy"
done
mkdir -p /run/tests-kernel
set -- vm/overcommit_memory 1 kernel/panic 10 kernel/panic_on_oops 1
while [ $# -gt 0 ]; do
  echo "$2" >"/run/tests-kernel/${1#*/}"
  mount --bind "/run/tests-kernel/${1#*/}" "/proc/sys/$1"
  shift 2
done
"""
UNIT = f"""[Unit]
Description=What a kubelet needs of the kernel
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={KERNEL}

[Install]
WantedBy=sysinit.target
"""
ISCSID = """# The kernel of a container has no iSCSI: this only stays where iscsid would run.
[Service]
Type=simple
ExecStart=
ExecStart=/bin/sleep infinity
"""
MODULES = ("iscsi_tcp", "dm_crypt", "nfs")
"""What the preparation wants of the kernel. It is told that they are built in, which shows nothing about them."""
NOT_HERE = ("run-rpc_pipefs.mount", "rpcbind.service", "rpcbind.socket", "e2scrub_reap.service")
"""Units that would fail in a container."""
PLAYED = "iscsid and the kernel's modules for storage, in containers"


@dataclass(frozen=True)
class MachineRoot:
    """What machines are started from."""

    root: Path
    runtime: Path
    """Debian's containerd, runc and network plugins, unpacked, in one folder; the plugins in `cni`."""
    key: Path
    """The private key that opens the account `ops`, which may sudo."""
    authority: Path
    """Certificate that all these machines trust; `authority.key` is beside it. It signs what the tests serve."""


def missing_tools() -> list[str]:
    """The programs that are needed and not installed."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [tool for tool in TOOLS if shutil.which(tool, path=path) is None]


def machine_root() -> MachineRoot:
    """The root filesystem, built if this content of the file was never built here."""
    digest = hashlib.sha256(Path(__file__).read_bytes() + os.uname().release.encode()).hexdigest()[:16]
    home = cache() / f"node-root-{digest}"
    make_once(home, _build)
    return MachineRoot(home / "root", home / "runtime", home / "key", home / "authority.crt")


def _run(*command: str | Path) -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    environment = {**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    subprocess.run(["nice", *map(str, command)], check=True, timeout=BUILD_SECONDS, env=environment, stdout=subprocess.DEVNULL)


def _build(result: Path) -> None:
    root = result / "root"
    _run("debootstrap", "--variant=minbase", f"--include={','.join(BASE)}", SUITE, root)
    _unpack_runtime(root, result.parent / "packages", result / "runtime")
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", result / "key")
    _certify(result)
    _configure(root, result)
    for stale in (*(root / "var/lib/apt/lists").glob("*_*"), *(root / "var/cache/apt").glob("*.bin")):
        stale.unlink()


def _unpack_runtime(root: Path, packages: Path, runtime: Path) -> None:
    _run("chroot", root, "sh", "-ec", f"mkdir /packages; cd /packages; apt-get -q download {' '.join(RUNTIME)}")
    shutil.move(root / "packages", packages)
    for package in sorted(packages.glob("*.deb")):
        _run("dpkg-deb", "-x", package, packages / "unpacked")
    shutil.copytree(packages / "unpacked/usr/bin", runtime)
    shutil.copytree(packages / "unpacked/usr/sbin", runtime, dirs_exist_ok=True)
    shutil.copytree(packages / "unpacked/usr/lib/cni", runtime / "cni")


def _certify(result: Path) -> None:
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=fluxstead tests")
    _run(*command, "-keyout", result / "authority.key", "-out", result / "authority.crt")


def _configure(root: Path, result: Path) -> None:
    for name in (root / "etc/ssh").glob("ssh_host_*"):
        name.unlink()
    (root / "etc/ssh/sshd_config.d/tests.conf").write_text(SSHD)
    (root / "etc/fstab").write_text("# the machine's root is mounted from outside\n")
    (root / "etc/resolv.conf").write_text("# no name server is reached from this machine\n")
    (root / "etc/sudoers.d/ops").write_text("ops ALL=(ALL) NOPASSWD: ALL\n")
    _run("chroot", root, "useradd", "-m", "-s", "/bin/bash", "ops")
    ssh = root / "home/ops/.ssh"
    ssh.mkdir(mode=0o700)
    (ssh / "authorized_keys").write_text((result / "key.pub").read_text())
    _run("chroot", root, "chown", "-R", "ops:ops", "/home/ops/.ssh")
    shutil.copy(result / "authority.crt", root / "usr/local/share/ca-certificates/tests.crt")
    _run("chroot", root, "update-ca-certificates")
    kernel = root / KERNEL.removeprefix("/")
    kernel.write_text(WRITABLE)
    kernel.chmod(0o755)
    (root / "etc/systemd/system/tests-kernel.service").write_text(UNIT)
    drop_in = root / "etc/systemd/system/iscsid.service.d/tests.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(ISCSID)
    index = root / "lib/modules" / os.uname().release / "modules.builtin"
    index.parent.mkdir(parents=True)
    index.write_text("".join(f"kernel/{module}.ko\n" for module in MODULES))
    _run("chroot", root, "systemctl", "enable", "-q", "tests-kernel", "systemd-networkd", "iscsid")
    _run("chroot", root, "systemctl", "mask", "-q", *NOT_HERE)


if __name__ == "__main__":
    machine_root()
