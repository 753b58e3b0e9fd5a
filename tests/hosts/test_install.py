"""What is sent to machines so that they become a cluster; the machines are made up, and act at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fluxstead.catalog.k3s_releases import RELEASES
from fluxstead.hosts import install
from fluxstead.hosts.answer import Answer, K3sAnswer
from fluxstead.hosts.install import Installer, NotInstalledError
from fluxstead.hosts.k3s import Release, told
from fluxstead.hosts.script.k3s_model import read_told
from fluxstead.hosts.ssh import Errand
from fluxstead.nodes.model import Node

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
TOKEN, CA = "a-token-of-servers", "c" * 64
MINTED = f"K10{CA}::abcdef.0123456789abcdef"
VERSION, DIGEST = "v1.33.1+k3s1", "d" * 64
ABSENT = K3sAnswer(
    state="absent",
    version="",
    digest="",
    architecture="amd64",
    running="",
    role="",
    datastore="",
    node_name="",
    ready=False,
    data=False,
    begun="",
    tasks=(),
    differs=(),
    refused=(),
)
RUNNING = replace(ABSENT, state="running", version=VERSION, digest=DIGEST, running=VERSION, role="server", ready=True, data=True)


@dataclass
class World:
    """Machines by name, and what each was told to do."""

    machines: dict[str, K3sAnswer]
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def ask(self, node: Node, _root: Path, errand: Errand) -> Answer:
        if errand.mode == "mint":
            return Answer("fine", token=MINTED)
        if errand.mode == "apply":
            self.done[node.name] = dict(errand.k3s or {})
            self.machines[node.name] = replace(RUNNING, running=str(self.done[node.name]["version"]))
        return Answer("fine", k3s=self.machines[node.name])

    def bring(
        self, name: str, *, role: str = "server", servers: tuple[str, ...] = ("k3s1",), source: str = RELEASES, api: str = ""
    ) -> K3sAnswer:
        installer = Installer(Path(), [node(one) for one in servers], api, lambda: TOKEN, self.said.append)
        release = Release(VERSION, {"amd64": DIGEST}, source)
        return installer.bring(node(name, role), told(node(name, role), release, "etcd", {"disable": ["traefik"]}, {}))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World({"k3s1": ABSENT, "k3s2": ABSENT})
    monkeypatch.setattr(install, "ask_node", made.ask)
    return made


def node(name: str, role: str = "server") -> Node:
    address = f"192.0.2.{name[-1]}"
    return Node.model_validate(
        {"name": name, "cluster": "c", "address": address, "role": role, "state": "live", "ssh": {"hostKey": KEY}}
    )


def test_the_first_server_begins_with_the_described_token(world: World) -> None:
    world.bring("k3s1")
    assert {key: world.done["k3s1"][key] for key in ("begin", "server", "token", "version")} == {
        "begin": "first",
        "server": "",
        "token": TOKEN,
        "version": VERSION,
    }
    assert world.done["k3s1"]["url"] == f"{RELEASES}/v1.33.1%2Bk3s1/"


def test_an_agent_joins_with_a_token_of_its_own(world: World) -> None:
    """That of the servers would make it one of them, and is on no agent."""
    world.machines["k3s1"] = RUNNING
    world.bring("k3s2", role="agent")
    assert (world.done["k3s2"]["token"], world.done["k3s2"]["server"]) == (MINTED, "https://192.0.2.1:6443")
    assert "k3s1" not in world.done


@pytest.mark.parametrize(
    ("described", "told_of"),
    [
        ("api.home.arpa", "https://api.home.arpa:6443"),
        ("192.0.2.9", "https://192.0.2.9:6443"),
        ("2001:db8::9", "https://[2001:db8::9]:6443"),
    ],
)
def test_a_machine_joins_at_the_described_address_of_the_api(world: World, described: str, told_of: str) -> None:
    """As the script on the host takes it."""
    world.machines["k3s1"] = RUNNING
    world.bring("k3s2", role="agent", api=described)
    assert read_told(world.done["k3s2"], "apply").server == told_of


def test_a_server_joins_with_the_servers_token_pinned_to_the_clusters_ca(world: World) -> None:
    """The short form sends it to whoever answers at that address."""
    world.machines["k3s1"] = RUNNING
    world.bring("k3s2", servers=("k3s1", "k3s2"))
    assert world.done["k3s2"]["token"] == f"K10{CA}::server:{TOKEN}"


def test_what_runs_is_told_nothing(world: World) -> None:
    world.machines["k3s1"] = replace(RUNNING, running="v1.30.0+k3s1", differs=("v1.30.0+k3s1 runs",))
    assert world.bring("k3s1").differs == ("v1.30.0+k3s1 runs",)
    assert world.done == {}


def test_what_runs_and_is_another_than_described_is_refused(world: World) -> None:
    """Networks and a name cannot change later."""
    world.machines["k3s1"] = replace(RUNNING, refused=("this host is node k3s9",))
    with pytest.raises(NotInstalledError, match="k3s1: refused\n  this host is node k3s9"):
        world.bring("k3s1")
    assert world.done == {}


def test_a_machine_joins_with_the_release_that_the_servers_run(world: World) -> None:
    """Described is already what an upgrade would bring; the digest is that of the servers' own binary."""
    world.machines["k3s1"] = replace(RUNNING, running="v1.32.5+k3s1", version="v1.32.5+k3s1", digest="e" * 64)
    world.bring("k3s2", role="agent")
    found = world.done["k3s2"]
    assert (found["version"], found["digests"], found["url"]) == (
        "v1.32.5+k3s1",
        {"amd64": "e" * 64},
        f"{RELEASES}/v1.32.5%2Bk3s1/",
    )


def test_a_machine_of_another_architecture_cannot_join_servers_that_run_another_release(world: World) -> None:
    """Nothing says what its binary has to be."""
    world.machines |= {"k3s1": replace(RUNNING, running="v1.32.5+k3s1"), "k3s2": replace(ABSENT, architecture="arm64")}
    with pytest.raises(NotInstalledError, match=r"describe v1.32.5\+k3s1 until they are upgraded"):
        world.bring("k3s2", role="agent")
    assert world.done == {}


def test_no_machine_joins_by_the_digest_of_a_binary_that_does_not_run_yet(world: World) -> None:
    """It was put in place on the server, which was not restarted: its digest is not that of what runs."""
    world.machines["k3s1"] = replace(RUNNING, running="v1.32.5+k3s1", version="v1.32.6+k3s1")
    with pytest.raises(NotInstalledError, match=r"describe v1.32.5\+k3s1 until they are upgraded"):
        world.bring("k3s2", role="agent")
    assert world.done == {}


def test_nothing_that_is_said_is_a_token(world: World) -> None:
    world.bring("k3s1")
    world.bring("k3s2", role="agent")
    assert len(world.said) == 2
    assert not any(secret in line for line in world.said for secret in (TOKEN, MINTED))


def test_a_folder_is_looked_up_before_anything_is_done(world: World, tmp_path: Path) -> None:
    with pytest.raises(NotInstalledError, match=r"k3s cannot be read .* kubernetes.binariesFrom"):
        world.bring("k3s1", source=str(tmp_path))
    assert world.done == {}
