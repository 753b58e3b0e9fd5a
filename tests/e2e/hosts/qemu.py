"""qemu as the tests run it: a machine's hardware, its monitor, its disk images.

The machine listens on loopback only and reaches no network (`restrict=on`). It is emulated: a /dev/kvm that opens may still start
no guest. It ends with the thread that started it, so that a killed test run leaves no machine behind.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from .image import Image

MEMORY = "1024"
MONITOR = "monitor"
"""The monitor's socket, in the machine's folder."""
CONSOLE = "console"
ROOT = "root.qcow2"


def hardware(image: Image, home: Path, port: int) -> list[str]:
    """The command that starts a machine without data disks; its ssh is this port of loopback."""
    return [
        *("setpriv", "--pdeathsig", "KILL", "nice"),
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", MEMORY),
        *("-nographic", "-no-user-config", "-nodefaults", "-serial", f"file:{home / CONSOLE}"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
        *("-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off no_timer_check panic=2"),
        *("-drive", f"file={home / ROOT},if=virtio,format=qcow2,cache=unsafe"),
        *("-netdev", f"user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-device", "virtio-net-pci,netdev=net0", "-device", "virtio-rng-pci"),
        *("-monitor", f"unix:{home / MONITOR},server,nowait"),
        *("-device", "virtio-scsi-pci,id=scsi0"),
    ]


def version() -> str:
    """What qemu says of itself."""
    return subprocess.run(["qemu-system-x86_64", "--version"], check=True, capture_output=True, text=True).stdout


def ask(home: Path, command: str) -> str:
    """What a machine's monitor answers to a command; raises RuntimeError when it is an error."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(120)
        channel.connect(str(home / MONITOR))
        _until_prompt(channel)
        channel.sendall(command.encode() + b"\n")
        answer = _until_prompt(channel)
    if "Error" in answer:
        raise RuntimeError(f"{command}: {answer}")
    return answer


def qemu_img(*arguments: str | Path) -> None:
    """Run qemu-img, which must succeed."""
    subprocess.run(["qemu-img", *map(str, arguments)], check=True, timeout=120)


def overlay(base: Path, file: Path) -> None:
    """A disk that reads as another one does, and keeps what is written to it."""
    qemu_img("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, file)


def _until_prompt(channel: socket.socket) -> str:
    text = b""
    while not text.endswith(b"(qemu) "):
        piece = channel.recv(65536)
        if not piece:
            break
        text += piece
    return text.decode(errors="replace")
