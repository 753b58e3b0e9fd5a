"""The command `k3s`, and the names by which its binary answers as another program."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

from . import agent, tokens
from .api import Refused
from .children import ChildEnded, Children, say
from .config import Trouble, settings
from .images import ctr
from .node import Network, node_name
from .places import ADMIN, PROGRAMS
from .server import Server
from .version import VERSION

BANNER = "stand-in, not k3s; upstream kubelet and API server"
LINKS = ("kubectl", "ctr", "crictl")
LOOK_SECONDS = 1
ARGUMENTS = 45
"""Place of `arg_start` after the name in /proc/self/stat (proc(5) counts from one, and two before)."""


def main() -> int:
    """What the first word asks for; the name by which it was called may be that word."""
    words = sys.argv[1:]
    called = Path(sys.argv[0]).name
    command, arguments = (called, words) if called in LINKS else (words[0] if words else "", words[1:])
    if command in ("--version", "-v"):
        sys.stdout.write(f"k3s version {VERSION} (stand-in)\n{BANNER}\n")
        return 0
    if command == "kubectl":
        _kubectl(arguments)
    if command == "ctr":
        _become(ctr(*arguments))
    if command == "crictl":
        return _crictl(arguments)
    try:
        if command == "token":
            return tokens.main(arguments)
        if command in ("server", "agent"):
            return _run(command, arguments)
    except (Trouble, ChildEnded, Refused, OSError) as trouble:
        say(f'level=fatal msg="{trouble}"')
        return 1
    say(f"{BANNER}; it has no command `{command}`")
    return 1


def _run(role: str, arguments: list[str]) -> int:
    _be_called(f"k3s\0{role}\0".encode())
    say(f"{BANNER}; as k3s {role} {VERSION}")
    configured = settings(role, arguments)
    children = Children()
    signal.signal(signal.SIGTERM, _stop)
    try:
        api = Server(configured, children).start() if role == "server" else agent.start(configured, children)
        _notify("READY=1")
        say("k3s is up and running (stand-in)" if role == "server" else "k3s agent is up and running (stand-in)")
        network = Network(api, node_name(configured))
        while True:
            network.follow()
            children.check()
            time.sleep(LOOK_SECONDS)
    finally:
        children.stop()


def _be_called(name: bytes) -> None:
    """Show up in lists of processes as k3s does, and not as the interpreter with a file."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = int(fields[ARGUMENTS]), int(fields[ARGUMENTS + 1])
    ctypes.memmove(begin, name.ljust(end - begin, b"\0"), end - begin)


def _stop(number: int, frame: object) -> NoReturn:
    del number, frame
    raise SystemExit(0)


def _notify(state: str) -> None:
    """Tell systemd."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect("\0" + place[1:] if place.startswith("@") else place)
            channel.sendall(state.encode())


def _kubectl(arguments: list[str]) -> NoReturn:
    if "KUBECONFIG" not in os.environ and ADMIN.exists():
        os.environ["KUBECONFIG"] = str(ADMIN)
    _become([str(PROGRAMS / "kubectl"), *arguments])


def _crictl(arguments: list[str]) -> int:
    """Nothing has it as a package; what it is asked for most is asked of containerd."""
    asked = {"images": ["images", "list"], "ps": ["containers", "list"], "version": ["version"]}
    if arguments and arguments[0] in asked:
        _become(ctr(*asked[arguments[0]]))
    say(f"{BANNER}; its crictl knows {', '.join(asked)}")
    return 1


def _become(command: list[str]) -> NoReturn:
    os.execv(command[0], command)  # noqa: S606 -- no shell is wanted
