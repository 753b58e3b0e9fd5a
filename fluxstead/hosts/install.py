"""Brings k3s to one machine: asks it and the cluster's servers how they stand, decides, and lets the host's script act.

Everything goes over the operator's own ssh, a token only on standard input. A second run goes on where the first one ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fluxstead.catalog.k3s_releases import release_url
from fluxstead.hosts.answer import Answer, K3sAnswer
from fluxstead.hosts.joining import Begun, NotBegun, Standing, State, WayIn, beginning
from fluxstead.hosts.k3s import looked_for, sent, url_of
from fluxstead.hosts.sending import NotThereError, receiver, to_send
from fluxstead.hosts.ssh import Errand, ask_node, send
from fluxstead.nodes.model import Node


class NotInstalledError(Exception):
    """k3s was not brought to the machine; the message says why and what to do, a line each."""


@dataclass(frozen=True)
class Installer:
    """What bringing k3s to a machine takes. `servers`: those that `up` looks after, the first one first."""

    root: Path
    servers: Sequence[Node]
    api: str
    """The address or name by which machines reach the cluster; empty, they join through the server that gives them a token."""
    server_token: Callable[[], str]
    """The token by which servers join: decrypted only where it is needed."""
    say: Callable[[str], None]
    left_alone: Sequence[Standing] = ()
    """The servers that `up` does not dial."""

    def bring(self, node: Node, told: Mapping[str, Any]) -> K3sAnswer:
        """What is there afterwards. `told`: as `hosts.k3s.told` has it. Raises NotInstalledError."""
        answers = self._looked_at(node, told)
        own = answers[node.name]
        servers = [*(standing(server.name, answers[server.name]) for server in self.servers), *self.left_alone]
        how = beginning(node, standing(node.name, own), servers)
        if isinstance(how, NotBegun):
            raise NotInstalledError(how.why)
        if how.how == "look":
            return _found(node, own)
        data = sent(told, **self._way_in(how, node, told, answers))
        data["url"] = release_url(told["source"], data["version"])
        if not data["url"]:
            data["images"] = self._send(node, data["digests"], told["source"], _there(own))
        self.say(f"{'begins the cluster' if how.how == 'first' else f'joins through {how.through}'}, with k3s {data['version']}")
        return _found(node, ask_node(node, self.root, Errand("apply", data, self.say)))

    def _looked_at(self, node: Node, told: Mapping[str, Any]) -> dict[str, Answer]:
        """The answers of the machine and of all servers, read-only and in parallel."""
        asked = {one.name: one for one in (*self.servers, node)}

        def one(each: Node) -> Answer:
            return ask_node(each, self.root, Errand("look", {**looked_for(told), "role": each.role}))

        with ThreadPoolExecutor(len(asked)) as pool:
            return dict(zip(asked, pool.map(one, asked.values()), strict=True))

    def _way_in(self, how: WayIn, node: Node, told: Mapping[str, Any], answers: Mapping[str, Answer]) -> dict[str, Any]:
        if how.how == "first":
            return {"begin": "first", "server": "", "token": self.server_token()}
        through = next(server for server in self.servers if server.name == how.through)
        minted = ask_node(through, self.root, Errand("mint"))
        if not minted.token:
            raise NotInstalledError(f"{through.name} gives no token: {'; '.join(minted.why)}")
        token = minted.token if node.role == "agent" else _of_servers(minted.token, self.server_token())
        way = {"begin": "join", "server": url_of(self.api or through.address), "token": token}
        return way | _running_release(_there(answers[through.name]), through.name, _there(answers[node.name]), told)

    def _send(self, node: Node, digests: Mapping[str, str], source: str, own: K3sAnswer) -> dict[str, str]:
        """The binary and its images, from the folder that the description names; gives the images' digests, by name."""
        digest = digests.get(own.architecture)
        if digest is None:
            raise NotInstalledError(f"no SHA-256 is described for {own.architecture}: ./run upgrade kubernetes --lock")
        try:
            files = list(to_send(self.root / source, own.architecture, digest))
        except NotThereError as error:
            raise NotInstalledError(str(error)) from None
        for one in files:
            if one.digest == own.digest:
                continue
            self.say(f"sending {one.file.name}")
            trouble = send(node, self.root, one.file, receiver(one.place, one.file.stat().st_size))
            if trouble:
                raise NotInstalledError(f"{one.file.name} was not sent: {trouble}")
        return {one.file.name: one.digest for one in files[1:]}


def standing(name: str, answer: Answer) -> Standing:
    """How a machine stands, by its answer."""
    found = answer.k3s
    if found is None:
        return Standing(name, "unknown", f"{name}: {'; '.join(answer.why)}")
    state, begun = cast("State", found.state), cast("Begun", found.begun)
    return Standing(name, state, ready=found.ready, data=found.data, begun=begun)


def _there(answer: Answer) -> K3sAnswer:
    if answer.k3s is None:
        raise NotInstalledError("; ".join(answer.why))
    return answer.k3s


def _found(node: Node, answer: Answer) -> K3sAnswer:
    found = _there(answer)
    why = answer.why if answer.refused else found.refused
    if why:
        raise NotInstalledError(
            "\n".join([f"{node.name}: {answer.status if answer.refused else 'refused'}", *(f"  {one}" for one in why)])
        )
    return found


def _of_servers(minted: str, token: str) -> str:
    """The servers' token, pinned to the cluster's CA, with whose digest every minted one begins (docs.k3s.io/cli/token)."""
    return token if token.startswith("K10") else f"{minted.partition('::')[0]}::server:{token}"


def _running_release(server: K3sAnswer, name: str, own: K3sAnswer, told: Mapping[str, Any]) -> dict[str, Any]:
    """A machine gets the release that the servers run, by the digest of the binary there, whatever is described by now."""
    if server.running == told["version"]:
        return {}
    # A binary that was put there and is not the one that runs yet is another release's.
    digest = server.digest if server.version == server.running else ""
    if not digest or server.architecture != own.architecture or not release_url(told["source"], server.running):
        raise NotInstalledError(
            f"{name} runs k3s {server.running}, {told['version']} is described, and a machine joins with what its servers run:"
            f" describe {server.running} until they are upgraded, and ./run upgrade kubernetes --lock"
        )
    return {"version": server.running, "digests": {own.architecture: digest}}
