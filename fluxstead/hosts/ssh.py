"""Asking hosts through the operator's own `ssh`: their configuration, agent and known hosts."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fluxstead.core.network import IpAddress
from fluxstead.hosts.answer import Answer, find_answer
from fluxstead.hosts.build import COMMAND, SECONDS, Mode, stdin_for, token_of
from fluxstead.hosts.declared import declared
from fluxstead.hosts.trouble import Way, no_host_key, not_answered, not_reached
from fluxstead.nodes.model import SSH_PORT, Node

_AT_ONCE = 16
_LONGER = 120
"""Seconds more than the script takes at most, which then says why."""
_LEFT_OPEN = 2.0
_FAILED = 255
"""ssh's own failure, never the script's."""
_OPTIONS = (
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"),
    # A terminal would echo the script and change its answer; a command of the operator's own would run in its place.
    *("-T", "-o", "RemoteCommand=none"),
)


Told = Mapping[str, Mapping[str, object]]
"""What hosts are told of something, by their nodes' names."""


def plan(
    nodes: Sequence[Node], root: Path, tell: Callable[[str], None], k3s: Told | None = None, state: Told | None = None
) -> dict[str, Answer]:
    """What the script would do on each host, read-only and in parallel, by the node's name.

    `k3s`: what each is told of its own; `state`: how those that keep the cluster's state copy it.
    """

    def one(node: Node) -> Answer:
        answer = ask_node(node, root, Errand(k3s=(k3s or {}).get(node.name), state=(state or {}).get(node.name)))
        tell(f"{node.name}: {answer.status}")
        return answer

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip((node.name for node in nodes), pool.map(one, nodes), strict=True))


@dataclass(frozen=True)
class Errand:
    """What the script is sent for; by default, to say what would be done."""

    mode: Mode = "plan"
    k3s: Mapping[str, object] | None = None
    """What the host is told of its k3s, as `hosts.k3s.told` has it, with a token where one is needed."""
    say: Callable[[str], None] | None = None
    """Takes each line of progress."""
    state: Mapping[str, object] | None = None
    """How the host copies the cluster's state, as `hosts.declared` has it."""
    login: Mapping[str, str] | None = field(default=None, repr=False)
    """What the mode of that name leaves there."""


PLAN = Errand()


def ask_node(node: Node, root: Path, errand: Errand = PLAN) -> Answer:
    """The script's answer of one described host, which has to show the described host key; without one nobody is dialled."""
    with _way_of(node, root) as reached:
        if isinstance(reached, str):
            return Answer("failed", (reached,))
        options, way = reached
        return ask([*options, "--", way.destination], declared(node, errand.state), way, errand)


def send(node: Node, root: Path, file: Path, command: str) -> str | None:
    """Let a described host's `command` read a file; why it did not, or None where it did."""
    with _way_of(node, root) as reached:
        if isinstance(reached, str):
            return reached
        options, way = reached
        with file.open("rb") as opened:
            status, output, trouble = run([*options, "--", way.destination, command], opened)
    if status == _FAILED:
        return not_reached(trouble, way)
    return not_answered(output, trouble, way.words) if status else None


@contextmanager
def _way_of(node: Node, root: Path) -> Iterator[tuple[list[str], Way] | str]:
    """ssh's options for a described host; or why it is not dialled."""
    jump = node.ssh.jump
    way = Way(
        f"{node.ssh.user}@{node.dialled_at}",
        node.ssh.port,
        f"nodes/{node.name}.yaml",
        f"{jump.user}@{_bracketed(jump.address)}:{jump.port}" if jump else "",
    )
    key = _key_file(node, root)
    if node.ssh.host_key is None:
        yield no_host_key(way)
    elif key is not None and not _readable(key):
        where = node.source_of("ssh", "privateKeyFile")
        yield f"{where}: the key file {node.ssh.private_key_file} cannot be read; nothing was dialled"
    else:
        with tempfile.TemporaryDirectory() as scratch:
            options = _connection(key, node.ssh.host_key, way, Path(scratch) / "known_hosts")
            if jump:
                first = Way(f"{jump.user}@{jump.address}", jump.port)
                through = _connection(key, jump.host_key, first, Path(scratch) / "known_jump")
                options += ["-o", f"ProxyCommand={_proxy(through, first.destination)}"]
            yield options, way


def ask(destination: Sequence[str], data: Mapping[str, object], way: Way, errand: Errand = PLAN) -> Answer:
    """The script's answer for `data` on the host that `ssh` reaches as `destination`."""
    stdin = stdin_for(errand.mode, data, nonce=secrets.token_hex(8), k3s=errand.k3s, login=errand.login)
    say = errand.say
    shown_at_once = (lambda line: say(_without_secrets(line, errand))) if say else None
    status, output, trouble = run([*destination, COMMAND], stdin, SECONDS[errand.mode] + _LONGER, shown_at_once)
    shown, said = (_without_secrets(text, errand) for text in (output, trouble))
    why = not_reached(said, way) if status == _FAILED else not_answered(shown, said, way.words)
    return find_answer(output, token_of(stdin)) or Answer("failed", (why,))


def _without_secrets(text: str, errand: Errand) -> str:
    """What may be shown of what came: a login may echo the script, and an answer with a secret may be broken off."""
    hidden = [str((errand.k3s or {}).get("token") or ""), *(errand.login or {}).values()]
    kept = "\n".join(line for line in text.splitlines() if errand.mode in {"plan", "apply"} or '"result":' not in line)
    for secret in filter(None, hidden):
        kept = kept.replace(secret, "…")
    return kept


def way_to(destination: str, port: int | None = None) -> Way:
    """Where ssh, with the operator's configuration, would go for USER@HOST. Dials nobody."""
    _, said, _ = run(["-G", *(("-p", str(port)) if port else ()), "--", destination], "")
    settings = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    return Way(destination, int(settings.get("port", SSH_PORT)), dialled=settings.get("hostname", ""))


def run(
    arguments: Sequence[str],
    given: str | IO[bytes],
    seconds: float = SECONDS["plan"] + _LONGER,
    say: Callable[[str], None] | None = None,
) -> tuple[int, str, str]:
    """`ssh ARGUMENTS`: exit status, output and error output, of which `say` takes each line as it comes.

    255 where ssh is missing or does not end in time.
    """
    with _lines_to(say) as (stderr, said):
        try:
            done = subprocess.run(  # noqa: S603 -- no shell here, and the words are the description's own
                ["ssh", *_OPTIONS, *arguments],  # noqa: S607 -- the operator's
                input=given.encode() if isinstance(given, str) else None,
                stdin=None if isinstance(given, str) else given,
                stdout=subprocess.PIPE,
                stderr=stderr,
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError:
            return _FAILED, "", "there is no ssh on this machine"
        except subprocess.TimeoutExpired as error:
            # The answer may be there already: what a disk that hangs holds may keep the session open behind it.
            came = error.output.decode(errors="replace") if isinstance(error.output, bytes) else error.output or ""
            return _FAILED, came, f"it did not end within {seconds:g} s; a disk that hangs may be why: look at dmesg on the host"
    return done.returncode, done.stdout.decode(errors="replace"), "".join(said)


@contextmanager
def _lines_to(say: Callable[[str], None] | None) -> Iterator[tuple[int, list[str]]]:
    """Where a program writes its error output, and the lines that came; they are whole once this has ended."""
    reading, writing = os.pipe()
    lines: list[str] = []

    def read() -> None:
        with open(reading, encoding="utf-8", errors="replace") as opened:  # noqa: PTH123 -- a descriptor
            for line in opened:
                lines.append(line)
                if say:
                    say(line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield writing, lines
    finally:
        os.close(writing)
        # What ssh itself started, such as a connection that is shared, may keep the pipe open.
        reader.join(_LEFT_OPEN)


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
