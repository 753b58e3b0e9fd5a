"""A token that joins nothing, told to the script that prepares hosts: it ends in words that name no secret, and not in a wait."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fluxstead.hosts.build import COMMAND, Mode, stdin_for
from tests.e2e.hosts.support import node

from .fixtures import Site
from .packing import stand_in_binary
from .releases import Releases, serving_releases
from .spawned import SpawnedMachine

pytestmark = pytest.mark.machine

VERSION = "v1.33.1+k3s1"
CONFIG = {"cluster-cidr": "10.52.0.0/16", "service-cidr": "10.53.0.0/16", "disable": ["traefik"]}


@pytest.fixture
def releases(site: Site) -> Iterator[Releases]:
    """The stand-in, as k3s is published."""
    folder = site.home / "releases"
    stand_in_binary(VERSION, folder)
    with serving_releases(folder, site.network, site.base) as served:
        yield served


def test_a_token_that_joins_nothing_ends_in_words_and_the_right_one_then_ends_it(site: Site, releases: Releases) -> None:
    first, second = site.machines(2)
    server = _told(releases, "server", begin="first", server="", token=secrets.token_hex(16))
    for machine in (first, second):
        _prepared(machine, server)
    _run(first, "apply", server)
    good = _run(first, "mint", server)["token"]
    digest = re.match(r"K10(\w+)::", good)
    assert digest
    agent = _told(releases, "agent", begin="join", server=f"https://{first.address}:6443", seconds=20)
    forged = f"K10{digest[1]}::abcdef.{'0' * 16}"
    of_another = f"K10{'0' * 64}::{good.partition('::')[2]}"
    for token, words in ((forged, "does not take the token"), (of_another, "for another cluster")):
        why = _fails(second, {**agent, "token": token})
        assert words in why
        assert token.partition("::")[2] not in why
    assert _run(second, "apply", {**agent, "token": good})["k3s"]["ready"]


def _told(releases: Releases, role: str, seconds: int = 180, **more: object) -> dict[str, object]:
    return {
        "version": VERSION,
        "role": role,
        "datastore": "sqlite",
        "digests": {"amd64": releases.digest(VERSION)},
        "url": f"{releases.url}/{VERSION.replace('+', '%2B')}/",
        "config": CONFIG if role == "server" else {},
        "registries": {},
        "seconds": seconds,
        **more,
    }


def _prepared(machine: SpawnedMachine, told: Mapping[str, object]) -> None:
    """The host's own part, which comes before, and the plan of both."""
    planned = _run(machine, "plan", {**told, "begin": "look", "token": "", "server": ""})
    assert planned["k3s"]["state"] == "absent"
    _run(machine, "apply", None)


def _run(machine: SpawnedMachine, mode: Mode, told: Mapping[str, object] | None) -> dict[str, Any]:
    result = _answer(machine, mode, told)
    assert result["status"] == "fine", result
    return result


def _fails(machine: SpawnedMachine, told: Mapping[str, object]) -> str:
    result = _answer(machine, "apply", told)
    assert result["status"] in ("failed", "refused"), result
    return "; ".join(result["why"])


def _answer(machine: SpawnedMachine, mode: Mode, told: Mapping[str, object] | None) -> dict[str, Any]:
    described = node(node=machine.name, address=machine.address)
    done = machine.try_to(COMMAND, stdin_for(mode, described, nonce=secrets.token_hex(4), k3s=told))
    lines = [line for line in done.stdout.splitlines() if '"result"' in line]
    assert lines, (done.stdout[-2000:], done.stderr[-2000:])
    result: dict[str, Any] = json.loads(lines[-1])["result"]
    return result
