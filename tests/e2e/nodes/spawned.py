"""A Debian machine in a container: systemd, sshd and an address of its own in the test's network, booted in seconds.

Its root is an overlay over the one of all machines, and keeps what is written to it over power cuts. `/var` is a folder of its own,
because containerd makes overlays there, which cannot lie on one. Not as in a virtual machine: the kernel is the test's, there is no
udev, so no disks.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from ipaddress import IPv4Interface
from pathlib import Path

from .cgroups import Cgroups
from .network import BRIDGE, OwnNetwork
from .root import MachineRoot

BOOT_SECONDS = 120
COMMAND_SECONDS = 300
POWER_OFF_SECONDS = 90
SHARED = "/srv/shared"
"""One folder for all machines of a test, where what a network's storage holds is played."""
PROGRAMS = "/opt/fluxstead-stand-in"
LAUNCH = """set -eu
for group in $GROUPS_OF_MACHINE; do echo $$ >"$group"; done
mount -t overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" overlay "$ROOT"
mkdir -p /run/systemd
mount -t tmpfs none /run/systemd
exec "$@"
"""
"""Runs in a mount namespace of its own: what it mounts, and what systemd-nspawn notes in /run/systemd, ends with the machine.

And as the first process of its own numbers, with which the kernel ends all others: a killed systemd-nspawn would leave its machine.
"""


class SpawnedMachine:
    """One machine. `boot` starts it; it ends with the process that started it."""

    user = "ops"
    """May sudo without a password."""
    port = 22

    def __init__(
        self, home: Path, base: MachineRoot, programs: Path, *, name: str, address: IPv4Interface, network: OwnNetwork
    ) -> None:
        self.name = name
        self.address = str(address.ip)
        self._home = home / name
        self._base = base
        self._programs = programs
        self._upper = self._home / "upper"
        self._shared = home / "shared"
        self._cgroups = Cgroups(home, name)
        self._process: subprocess.Popen[bytes] | None = None
        self.key = self._home / "key"
        """The private key that opens the account."""
        self.known_hosts = self._home / "known_hosts"
        self._make(address, network)

    def _make(self, address: IPv4Interface, network: OwnNetwork) -> None:
        self._shared.mkdir(exist_ok=True)
        for folder in ("upper/etc/ssh", "upper/etc/systemd/network", "upper/etc/iscsi", "work", "root"):
            (self._home / folder).mkdir(parents=True)
        shutil.copy(self._base.key, self.key)
        self.key.chmod(0o600)
        etc = self._upper / "etc"
        kind = ("-q", "-t", "ed25519", "-N", "", "-C", self.name)
        subprocess.run(["ssh-keygen", *kind, "-f", etc / "ssh/ssh_host_ed25519_key"], check=True)
        self.host_key = " ".join((etc / "ssh/ssh_host_ed25519_key.pub").read_text().split()[:2])
        """`ssh-ed25519 AAAA…`"""
        self.known_hosts.write_text(f"{self.address} {self.host_key}\n")
        (etc / "hostname").write_text(f"{self.name}\n")
        (etc / "machine-id").write_text(f"{secrets.token_hex(16)}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")
        (etc / "iscsi/initiatorname.iscsi").write_text(f"InitiatorName=iqn.1993-08.org.debian:01:{secrets.token_hex(6)}\n")
        interface = f"[Match]\nName=host0\n[Network]\nLinkLocalAddressing=no\nAddress={address}\nGateway={network.address}\n"
        (etc / "systemd/network/10-host0.network").write_text(interface)
        subprocess.run(["cp", "-a", self._base.root / "var", self._home / "var"], check=True)

    def start(self) -> None:
        """Switch it on; `await_boot` says when it is there."""
        environment = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "GROUPS_OF_MACHINE": " ".join(map(str, self._cgroups.make())),
            "LOWER": str(self._base.root),
            "UPPER": str(self._upper),
            "WORK": str(self._home / "work"),
            "ROOT": str(self._home / "root"),
            # Otherwise a container may not change its own network's settings.
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
        }
        alone = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")
        with (self._home / "console").open("ab") as console:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *alone, "sh", "-c", LAUNCH, "sh", *self._nspawn()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def _nspawn(self) -> list[str]:
        return [
            *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no", "--console=pipe"),
            *("--link-journal=no", "--resolv-conf=off", "--timezone=off", f"--machine={self.name}"),
            *("-D", str(self._home / "root"), f"--network-bridge={BRIDGE}", "--capability=all"),
            "--system-call-filter=@keyring @privileged bpf perf_event_open",
            "--bind=/dev/kmsg",
            f"--bind={self._home / 'var'}:/var",
            f"--bind={self._shared}:{SHARED}",
            f"--bind-ro={self._programs}:{PROGRAMS}",
        ]

    def await_boot(self) -> None:
        """Return when systemd has finished starting."""
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                break
            done = self._ssh("systemctl is-system-running --wait", seconds=BOOT_SECONDS)
            if done.stdout.strip() in (b"running", b"degraded"):
                return
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} did not boot; its console: {self.console()[-3000:]}")

    def boot(self) -> None:
        """Switch it on, and wait until it is there."""
        self.start()
        self.await_boot()

    def console(self) -> str:
        """What it printed while it booted."""
        return (self._home / "console").read_text(errors="replace")

    def run(self, command: str, stdin: str = "", seconds: float = COMMAND_SECONDS) -> str:
        """The output of a shell command that must succeed, run as root."""
        done = self.try_to(command, stdin, seconds)
        if done.returncode:
            said = f"{done.stdout} {done.stderr}"
            raise AssertionError(f"{self.name}: {command}\nended with {done.returncode}: {said}")
        return done.stdout

    def try_to(self, command: str, stdin: str = "", seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
        """A shell command as root, however it ends."""
        script = f"export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; {command}"
        done = self._ssh(f"sudo -n bash -euo pipefail -c {shlex.quote(script)}", stdin.encode(), seconds)
        out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(command, done.returncode, out, err)

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file, of root's."""
        quoted = shlex.quote(path)
        command = f"mkdir -p $(dirname {quoted}) && rm -f {quoted} && install -m {mode:o} /dev/stdin {quoted}"
        done = self._ssh(f"sudo -n sh -c {shlex.quote(command)}", content)
        if done.returncode:
            raise AssertionError(f"{self.name}: {path} was not written: {done.stderr.decode(errors='replace')}")

    def _ssh(self, command: str, stdin: bytes = b"", seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[bytes]:
        options: Mapping[str, str] = {
            "UserKnownHostsFile": str(self.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "ServerAliveInterval": "5",
            "LogLevel": "ERROR",
        }
        flags = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        place = ("-i", str(self.key), "-p", str(self.port), f"{self.user}@{self.address}")
        words = ["ssh", "-F", "none", *flags, *place, command]
        return subprocess.run(words, input=stdin, capture_output=True, timeout=seconds, check=False)

    def memory(self) -> int:
        """Bytes that all its processes hold."""
        return self._cgroups.memory()

    def processes(self) -> list[int]:
        """All that runs in it, by the numbers of the test's own machine."""
        return self._cgroups.processes()

    def power_cut(self) -> None:
        """End every process of it at once; what it wrote is there when it boots again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None
        self._cgroups.await_empty()

    def power_off(self) -> None:
        """Shut it down in order."""
        self._ssh("sudo -n systemctl poweroff")
        if self._process is not None:
            self._process.wait(POWER_OFF_SECONDS)
            self._process = None
        self._cgroups.await_empty()

    def end(self) -> None:
        """End it, and take back what it had of the kernel's."""
        self.power_cut()
        self._cgroups.remove()
