"""Asking hosts through the operator's own `ssh`: their configuration, agent and known hosts."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fluxstead.hosts.answer import Answer, read_answer
from fluxstead.hosts.build import stdin_for
from fluxstead.hosts.declared import declared
from fluxstead.hosts.discover import Met
from fluxstead.nodes.model import Node

_AT_ONCE = 16
_SECONDS = 600
"""Longer than the script gives to the disks of a host that do not answer."""
_ABOUT = 'cat /etc/ssh/ssh_host_ed25519_key.pub || echo; echo "$SSH_CONNECTION"'
_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15")


def plan(nodes: Sequence[Node], root: Path, tell: Callable[[str], None]) -> dict[str, Answer]:
    """What the script would do on each host, read-only and in parallel, by the node's name."""

    def one(node: Node) -> Answer:
        answer = ask_node(node, root)
        tell(f"{node.name}: {answer.status}")
        return answer

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip((node.name for node in nodes), pool.map(one, nodes), strict=True))


def ask_node(node: Node, root: Path) -> Answer:
    """The script's plan of one described host, with its host key pinned where the description has it."""
    with tempfile.TemporaryDirectory() as scratch:
        known = Path(scratch) / "known_hosts"
        return ask([*_connection(node, root, known), "--", f"{node.ssh.user}@{node.dialled_at}"], node.ssh.user, declared(node))


def ask(destination: Sequence[str], user: str, data: Mapping[str, object]) -> Answer:
    """The script's plan for `data` on the host that `ssh` reaches as `destination`."""
    status, output, trouble = run([*destination, as_root(user)], stdin_for("plan", data))
    if status == 255:  # noqa: PLR2004 -- ssh's own failure, never the script's
        return Answer("failed", (f"ssh did not get through: {trouble.strip() or 'no reason given'}",))
    return read_answer(output, trouble)


def meet(destination: str) -> Met:
    """Where ssh, with the operator's configuration, reaches USER@HOST, and what the host says of itself."""
    _, said, _ = run(["-G", "--", destination], "")
    settings = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    _, told, _ = run(["--", destination, _ABOUT], "")
    key, connection = ([*told.splitlines(), "", ""])[:2]
    return Met(
        address=(connection.split() + [""] * 3)[2],
        dialled=settings.get("hostname", destination.rpartition("@")[2]),
        port=int(settings.get("port", "22")),
        user=settings.get("user", destination.rpartition("@")[0]),
        host_key=" ".join(key.split()[:2]),
    )


def run(arguments: Sequence[str], stdin: str) -> tuple[int, str, str]:
    """`ssh ARGUMENTS`: exit status, output and error output. 255 where ssh is missing or does not end in time."""
    try:
        done = subprocess.run(  # noqa: S603 -- no shell here, and the words are the description's own
            ["ssh", *_OPTIONS, *arguments],  # noqa: S607 -- the operator's
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return 255, "", "there is no ssh on this machine"
    except subprocess.TimeoutExpired:
        return 255, "", f"no answer within {_SECONDS} s; a disk that hangs may be why"
    return done.returncode, done.stdout, done.stderr


def as_root(user: str) -> str:
    """The command that reads the script: with root's rights, and never waiting for a password."""
    return "sh -s" if user == "root" else "sudo -n sh -s"


def _connection(node: Node, root: Path, known: Path) -> list[str]:
    ssh = node.ssh
    options = ["-p", str(ssh.port)]
    if ssh.private_key_file:
        options += ["-i", str(root / Path(ssh.private_key_file).expanduser())]
    if ssh.host_key:
        known.write_text(f"{_host(node.dialled_at, ssh.port)} {ssh.host_key}\n", encoding="utf-8")
        options += ["-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"]
        options += ["-o", f"HostKeyAlgorithms={ssh.host_key.split()[0]}"]
    if ssh.jump:
        options += ["-J", f"{ssh.jump.user}@{_bracketed(ssh.jump.address)}:{ssh.jump.port}"]
    return options


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _host(address: str, port: int) -> str:
    return address if port == 22 else f"[{address}]:{port}"  # noqa: PLR2004 -- how known_hosts writes another port
