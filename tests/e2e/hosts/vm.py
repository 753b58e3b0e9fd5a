"""A Debian virtual machine with real udev, systemd and sshd, whose disks have serials; everything ends with it.

Booting takes minutes under emulation, so it is done once per content of what the machine is made from: a machine that has booted is
kept asleep, its disk and its memory, and each test wakes one up and plugs its disks in.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from string import ascii_lowercase
from types import TracebackType
from typing import Self

from fluxstead.hosts.build import COMMAND
from tests.e2e.isolation import free_port, scratch

from .image import Image, cache, image, make_once
from .qemu import CONSOLE, MONITOR, ROOT, ask, hardware, overlay, qemu_img, version

BOOT_SECONDS = 900
COMMAND_SECONDS = 900
MEMORY_FILE = "memory"
BLOCK = 1024 * 1024
"""Of what a digest is made of."""
INITIATOR = "/etc/iscsi/initiatorname.iscsi"
RESEED = 'import fcntl, sys; f = open("/dev/urandom", "wb"); f.write(sys.argv[1].encode()); f.flush(); fcntl.ioctl(f, 0x5207)'
"""Machines that were one would draw the same UUIDs; RNDRESEEDCRNG of <linux/random.h>."""


@dataclass(frozen=True)
class DiskSpec:
    """A data disk: its serial, its World Wide Name, its size as qemu-img takes it."""

    serial: str
    wwn: str
    size: str = "4G"
    file: str = ""
    """Name of its backing file; the serial when empty."""
    vendor: str = "QEMU"
    product: str = "QEMU HARDDISK"

    @property
    def name(self) -> str:
        return (self.file or self.serial) + ".qcow2"


def disks(count: int, size: str = "4G") -> list[DiskSpec]:
    """Disks with serials WD-FS0001 … and WWNs to match."""
    return [DiskSpec(f"WD-FS{n:04d}", f"0x50014ee0{n:08x}", size) for n in range(1, count + 1)]


@dataclass
class Result:
    """What a command on the machine answered."""

    status: int
    out: str
    err: str
    lines: list[dict[str, object]] = field(default_factory=list)


class Machine:
    """One virtual machine; use as a context manager."""

    def __init__(self, specs: Sequence[DiskSpec], bare: bool = False) -> None:
        self.specs = list(specs)
        self.image: Image = image()
        self.base = self.image.root if bare else self.image.ready
        self._ends = ExitStack()
        self.home = self._ends.enter_context(scratch())
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.reboots = 0
        key = self.home / "key"
        shutil.copy(self.image.key, key)
        key.chmod(0o600)
        (self.home / "known").write_text(f"[127.0.0.1]:{self.port} {self.image.host_key}\n")

    def __enter__(self) -> Self:
        try:
            for spec in self.specs:
                self.make_disk(spec)
            kept = _asleep(self.base)
            overlay(kept / ROOT, self.home / ROOT)
            self.wake(kept / MEMORY_FILE)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def make_disk(self, spec: DiskSpec) -> None:
        """Makes an empty disk's file."""
        qemu_img("create", "-q", "-f", "qcow2", self.home / spec.name, spec.size)

    def start(self, specs: Sequence[DiskSpec] | None = None, more: Sequence[str] = ()) -> None:
        """Boots, with the disks in the given order and more hardware, as qemu's options; ssh answers when this returns."""
        order = list(self.specs if specs is None else specs)
        command = [*hardware(self.image, self.home, self.port), *more]
        for index, spec in enumerate(order):
            drive, device = self._plug(index, spec)
            command += ["-drive", drive, "-device", device]
        self._run(command)
        self.await_ssh()

    def wake(self, memory: Path) -> None:
        """Go on where a machine of the same kind fell asleep, with the disks plugged in and randomness of its own."""
        self._run([*hardware(self.image, self.home, self.port), "-incoming", f"exec:cat {memory}"])
        self._await(self._is_awake)
        self.monitor("cont")
        self._await(self._answers)
        for index, spec in enumerate(self.specs):
            drive, device = self._plug(index, spec)
            self.monitor(f'drive_add 0 "{drive}"')
            self.monitor(f'device_add "{device}"')
            # The kernel names disks as it finds them, which is in any order when they come at once.
            self.root(f"until [ -e /sys/block/sd{ascii_lowercase[index]} ]; do sleep 0.2; done")
        self.root(f"python3 -c '{RESEED}' {secrets.token_hex(32)}; udevadm settle")
        self.root(f"[ ! -f {INITIATOR} ] || echo InitiatorName=iqn.1993-08.org.debian:01:{secrets.token_hex(6)} > {INITIATOR}")

    def fall_asleep(self, folder: Path) -> None:
        """Keep the disk and the memory of this machine, which ends."""
        self.root("sync")
        self.monitor("stop")
        self.monitor(f'migrate "exec:cat > {folder / MEMORY_FILE}"')
        if "completed" not in (said := self.monitor("info migrate")):
            raise RuntimeError(said)
        self.power_off()
        shutil.move(self.home / ROOT, folder / ROOT)

    def _is_awake(self) -> bool:
        return (self.home / MONITOR).exists() and "inmigrate" not in self.monitor("info status")

    def _plug(self, index: int, spec: DiskSpec) -> tuple[str, str]:
        device = f"scsi-hd,drive=d{index},id=disk{index},serial={spec.serial},wwn={spec.wwn},bus=scsi0.0"
        return (
            f"file={self.home / spec.name},if=none,id=d{index},format=qcow2,cache=unsafe",
            f"{device},scsi-id={index},vendor={spec.vendor},product={spec.product}",
        )

    def _run(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=(self.home / "qemu.log").open("wb"))

    def await_ssh(self) -> None:
        """Returns when systemd has finished starting."""
        self._await(self._has_started)

    def _answers(self) -> bool:
        with suppress(subprocess.TimeoutExpired):
            return self.ssh("true", seconds=60).status == 0
        return False

    def _has_started(self) -> bool:
        with suppress(subprocess.TimeoutExpired):
            return self.ssh("systemctl is-system-running --wait", seconds=60).out.strip() in ("running", "degraded")
        return False

    def _await(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError((self.home / "qemu.log").read_text())
            if there():
                return
            time.sleep(1)
        console = (self.home / CONSOLE).read_text(errors="replace")[-2000:]
        raise RuntimeError(f"not there within {BOOT_SECONDS} s; console: {console}")

    def ssh(self, command: str, stdin: str = "", seconds: float = COMMAND_SECONDS) -> Result:
        """Runs a command as `ops`."""
        options = {
            "UserKnownHostsFile": str(self.home / "known"),
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "30",
            "ControlMaster": "auto",
            "ControlPath": str(self.home / "ssh"),
            "ControlPersist": "no",
            "ServerAliveInterval": "5",
            "LogLevel": "ERROR",
            # An emulated machine takes a second for the exchange that ssh would choose.
            "KexAlgorithms": "curve25519-sha256",
        }
        flags = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        done = subprocess.run(
            ["ssh", "-F", "none", *flags, "-i", self.home / "key", "-p", str(self.port), "ops@127.0.0.1", command],
            input=stdin.encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def root(self, script: str, seconds: float = COMMAND_SECONDS) -> str:
        """The output of a shell script that must succeed, run as root."""
        done = self.ssh("sudo -n bash -s", f"set -euo pipefail; export PATH=$PATH:/usr/sbin:/sbin\n{script}\n", seconds)
        if done.status:
            raise AssertionError(f"{script}\nended with {done.status}: {done.out} {done.err}")
        return done.out

    def script(self, stdin: str, seconds: float = COMMAND_SECONDS) -> Result:
        """Runs the preparation as pulumi-command does, and reads its lines."""
        done = self.ssh(COMMAND, stdin, seconds)
        done.lines = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
        return done

    def save(self, name: str) -> None:
        """Snapshot of disks and memory."""
        self.monitor(f"savevm {name}")

    def load(self, name: str) -> None:
        """Back to a snapshot; open connections are gone, so wait for ssh."""
        self.monitor(f"loadvm {name}")
        self._await(self._answers)

    def monitor(self, command: str) -> str:
        """One command to qemu's monitor."""
        return ask(self.home, command)

    @contextmanager
    def hanging(self, number: int) -> Iterator[None]:
        """A data disk that takes whatever it is asked and never answers; the kernel waits for it without end."""
        self.monitor(f"block_set_io_throttle d{number - 1} 1 0 0 0 0 0")
        try:
            yield
        finally:
            self.monitor(f"block_set_io_throttle d{number - 1} 0 0 0 0 0 0")

    def digest(self, number: int) -> str:
        """Of every byte of a data disk as it is on the medium, read from outside while the machine stands still."""
        raw = self.home / "digest.img"
        self.monitor("stop")
        try:
            file = self.home / self.specs[number - 1].name
            qemu_img("convert", "--force-share", "-f", "qcow2", "-O", "raw", file, raw)
        finally:
            self.monitor("cont")
        told = _digest_of_sparse(raw)
        raw.unlink()
        return told

    def power_cut(self) -> None:
        """Everything that the guest had not written to its disks is lost; it boots again."""
        self.reboots += 1
        self.monitor("system_reset")
        time.sleep(2)
        self.await_ssh()

    def boots_into_emergency(self) -> bool:
        """Cuts the power; whether the boot then ends in systemd's emergency shell, and not with an ssh that answers."""
        self.reboots += 1
        console = self.home / CONSOLE
        before = console.stat().st_size
        self.monitor("system_reset")
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if "emergency mode" in console.read_bytes()[before:].decode(errors="replace"):
                return True
            with suppress(subprocess.TimeoutExpired):
                if self.ssh("true", seconds=15).status == 0:
                    return False
            time.sleep(1)
        raise RuntimeError(f"neither within {BOOT_SECONDS} s")

    def power_off(self) -> None:
        """Ends the machine; its disks stay for another start."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None
        (self.home / MONITOR).unlink(missing_ok=True)

    def restart(self, specs: Sequence[DiskSpec]) -> None:
        """Shuts down in order and boots with other disks, or the same in another order."""
        self.reboots += 1
        self.root("sync; fstrim -a || true")
        self.power_off()
        self.start(specs)

    def _end(self) -> None:
        self.power_off()
        self._ends.close()


def _digest_of_sparse(file: Path) -> str:
    """Of a file's bytes, zeros told by their absence: most of a disk is a hole."""
    told = hashlib.sha256(b"%d" % file.stat().st_size)
    with file.open("rb") as data:
        at = _data_from(data.fileno(), 0)
        while at is not None:
            piece = os.pread(data.fileno(), BLOCK, at)
            if piece.strip(b"\0"):
                told.update(b"%d " % at + piece)
            at = _data_from(data.fileno(), at + len(piece))
    return told.hexdigest()


def _data_from(file: int, at: int) -> int | None:
    """The block with the next data; None where there is no more."""
    try:
        return os.lseek(file, at, os.SEEK_DATA) // BLOCK * BLOCK
    except OSError as problem:
        if problem.errno != errno.ENXIO:
            raise
        return None


def _asleep(base: Path) -> Path:
    """Where a machine of this base sleeps; it is booted if none of this content ever was."""
    sources = [Path(__file__), Path(__file__).parent / "qemu.py"]
    made_from = [*(source.read_bytes() for source in sources), str(base).encode(), version().encode()]
    kept = cache() / f"host-asleep-{hashlib.sha256(b''.join(made_from)).hexdigest()[:16]}"
    make_once(kept, partial(_boot_and_sleep, base))
    return kept


def _boot_and_sleep(base: Path, folder: Path) -> None:
    machine = Machine([])
    try:
        overlay(base, machine.home / ROOT)
        machine.start()
        machine.fall_asleep(folder)
    finally:
        machine._end()
