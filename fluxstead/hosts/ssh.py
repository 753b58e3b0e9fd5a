"""Asking hosts through the operator's own `ssh`: their configuration, agent and known hosts."""

from __future__ import annotations

import secrets
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fluxstead.core.network import IpAddress
from fluxstead.hosts.answer import Answer, find_answer
from fluxstead.hosts.build import COMMAND, SECONDS, Mode, stdin_for, token_of
from fluxstead.hosts.declared import declared
from fluxstead.hosts.trouble import Way, no_host_key, not_answered, not_reached
from fluxstead.nodes.model import SSH_PORT, Node

_AT_ONCE = 16
_LONGER = 120
"""Seconds beyond what the script takes at most, which then says why."""
_FAILED = 255
"""ssh's own failure, never the script's."""
_OPTIONS = (
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"),
    # A terminal would echo the script and change its answer; a command of the operator's own would run in its place.
    *("-T", "-o", "RemoteCommand=none"),
)


def plan(
    nodes: Sequence[Node], root: Path, tell: Callable[[str], None], k3s: Mapping[str, Mapping[str, object]] | None = None
) -> dict[str, Answer]:
    """What the script would do on each host, read-only and in parallel, by the node's name; `k3s` is what each is told of it."""

    def one(node: Node) -> Answer:
        answer = ask_node(node, root, k3s=(k3s or {}).get(node.name))
        tell(f"{node.name}: {answer.status}")
        return answer

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip((node.name for node in nodes), pool.map(one, nodes), strict=True))


def ask_node(node: Node, root: Path, mode: Mode = "plan", k3s: Mapping[str, object] | None = None) -> Answer:
    """The script's answer of one described host, which has to show the host key of the description; without one nobody is dialled.

    Everything that is told travels on standard input, and nothing of it is kept.
    """
    jump = node.ssh.jump
    way = Way(
        f"{node.ssh.user}@{node.dialled_at}",
        node.ssh.port,
        f"nodes/{node.name}.yaml",
        f"{jump.user}@{_bracketed(jump.address)}:{jump.port}" if jump else "",
    )
    if node.ssh.host_key is None:
        return Answer("failed", (no_host_key(way),))
    key = _key_file(node, root)
    if key is not None and not _readable(key):
        where = node.source_of("ssh", "privateKeyFile")
        return Answer("failed", (f"{where}: the key file {node.ssh.private_key_file} cannot be read; nothing was dialled",))
    with tempfile.TemporaryDirectory() as scratch:
        options = _connection(key, node.ssh.host_key, way, Path(scratch) / "known_hosts")
        if jump:
            first = Way(f"{jump.user}@{jump.address}", jump.port)
            through = _connection(key, jump.host_key, first, Path(scratch) / "known_jump")
            options += ["-o", f"ProxyCommand={_proxy(through, first.destination)}"]
        return ask([*options, "--", way.destination], declared(node), way, mode, k3s)


def ask(
    destination: Sequence[str],
    data: Mapping[str, object],
    way: Way,
    mode: Mode = "plan",
    k3s: Mapping[str, object] | None = None,
) -> Answer:
    """The script's answer for `data` on the host that `ssh` reaches as `destination`."""
    stdin = stdin_for(mode, data, nonce=secrets.token_hex(8), k3s=k3s)
    status, output, trouble = run([*destination, COMMAND], stdin, SECONDS[mode] + _LONGER)
    shown, said = _without_secrets(output, mode, k3s), _without_secrets(trouble, mode, k3s)
    why = not_reached(said, way) if status == _FAILED else not_answered(shown, said, way.words)
    return find_answer(output, token_of(stdin)) or Answer("failed", (why,))


def _without_secrets(text: str, mode: Mode, k3s: Mapping[str, object] | None) -> str:
    """What may be shown of what came: a login may echo the script, and an answer with a secret may be broken off."""
    secret = str((k3s or {}).get("token") or "")
    kept = [line for line in text.splitlines() if mode in {"plan", "apply"} or '"result":' not in line]
    return "\n".join(line.replace(secret, "…") if secret else line for line in kept)


def way_to(destination: str, port: int | None = None) -> Way:
    """Where ssh, with the operator's configuration, would go for USER@HOST. Dials nobody."""
    _, said, _ = run(["-G", *(("-p", str(port)) if port else ()), "--", destination], "")
    settings = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    return Way(destination, int(settings.get("port", SSH_PORT)), dialled=settings.get("hostname", ""))


def run(arguments: Sequence[str], stdin: str, seconds: int = SECONDS["plan"] + _LONGER) -> tuple[int, str, str]:
    """`ssh ARGUMENTS`: exit status, output and error output. 255 where ssh is missing or does not end in time."""
    try:
        done = subprocess.run(  # noqa: S603 -- no shell here, and the words are the description's own
            ["ssh", *_OPTIONS, *arguments],  # noqa: S607 -- the operator's
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        return _FAILED, "", "there is no ssh on this machine"
    except subprocess.TimeoutExpired as error:
        # The answer may be there already: what a disk that hangs holds may keep the session open behind it.
        came = error.output.decode(errors="replace") if isinstance(error.output, bytes) else error.output or ""
        return _FAILED, came, f"it did not end within {seconds} s; a disk that hangs may be why: look at dmesg on the host"
    return done.returncode, done.stdout, done.stderr


def _key_file(node: Node, root: Path) -> Path | None:
    named = node.ssh.private_key_file
    return root / Path(named).expanduser() if named else None


def _readable(file: Path) -> bool:
    try:
        return bool(file.read_bytes())
    except OSError:
        return False


def _connection(key: Path | None, host_key: str, way: Way, known: Path) -> list[str]:
    """ssh's options for one host, whose key is pinned by a file of known hosts that holds no other."""
    options = ["-p", str(way.port)]
    if key is not None:
        # Or the agent's keys are offered first, of which sshd refuses too many.
        options += ["-i", str(key), "-o", "IdentitiesOnly=yes"]
    known.write_text(f"{way.known_as} {host_key}\n", encoding="utf-8")
    options += ["-o", f"UserKnownHostsFile={known}", "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes"]
    kind = host_key.partition(" ")[0]
    return [*options, "-o", f"HostKeyAlgorithms={kind}"]


def _proxy(options: Sequence[str], destination: str) -> str:
    """As `-J` does it; but that hands no option on, so the jump host's key would be looked up in the operator's own known hosts."""
    words = ["ssh", *_OPTIONS, *options]
    return f"{shlex.join(words).replace('%', '%%')} -W '[%h]:%p' -- {shlex.quote(destination)}"


def _bracketed(address: IpAddress) -> str:
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 -- of the protocol
