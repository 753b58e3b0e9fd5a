"""Machines and disks in the real Pulumi engine. The plugin and the machine behind it are stand-ins, so no machine is needed."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluxstead.hosts.report import replace_hint
from tests.e2e.engine import Engine

STACK = "k3s-flux"
UP = ("up", "--yes", "--skip-preview")
DISKS = {"k3s1/sdf1", "k3s1/sdg1", "k3s1/sdh1"}


@pytest.fixture
def engine(tmp_path: Path, need: Callable[..., object]) -> Engine:
    """The reference cluster after a first `up`, with a server that answers."""
    need("pulumi", "pulumi-language-python")
    engine = Engine(tmp_path, ".", STACK)
    engine.answer()
    engine.dial("k3s1", 22)
    assert engine.run("stack", "init", STACK).returncode == 0
    up = engine.run(*UP)
    assert up.returncode == 0, up.stdout + up.stderr
    assert engine.dialled == 1
    return engine


def test_a_changed_key_shows_at_its_disk_also_after_the_host_refused_it(engine: Engine) -> None:
    """What is read before `up`, and again when a host said no."""
    node = engine.project / "nodes/k3s1.yaml"
    node.write_text(node.read_text().replace("device: /dev/sdg\n", "device: /dev/sdg\n    serial: WD-2\n"))
    for _ in range(2):
        shown = engine.run("preview", "--diff").stdout.partition("Resources:")[0]
        marked = [" ".join(line.split()) for line in shown.splitlines() if line.strip().startswith(("+", "-", "~"))]
        assert "~ fluxstead:nodes:Disk: (update)" in marked
        assert '+ serial : "WD-2"' in marked
        assert "::k3s1/sdg1]" in shown
        assert "::k3s1/sdf1]" not in shown
        assert engine.run(*UP, REFUSE="1").returncode != 0
    assert engine.run(*UP).returncode == 0
    assert engine.run("preview", "--expect-no-changes").returncode == 0


def test_the_hint_of_the_plan_runs_the_script_again(engine: Engine) -> None:
    """By the command's URN, which is written out there."""
    hint = shlex.split(replace_hint(STACK, ["k3s1"]).rpartition("pulumi up ")[2])
    again = engine.run(*UP, *hint)
    assert again.returncode == 0, again.stdout
    assert engine.dialled == 2
    assert engine.run("preview", "--expect-no-changes").returncode == 0


def test_a_state_of_the_time_when_nodes_were_hosts_is_kept(engine: Engine) -> None:
    """The machine is not dialled again, nothing is replaced or deleted, a second `up` rests, and the filesystems are told."""
    deployment = json.loads(engine.run("stack", "export").stdout)
    former = engine.state.parent / "former.json"
    former.write_text(json.dumps(as_before(deployment)))
    assert engine.run("stack", "import", "--file", str(former)).returncode == 0
    assert not [one for one in resources(engine) if one["type"].startswith("fluxstead:nodes:")]

    steps = json.loads(engine.run("preview", "--json").stdout)["steps"]
    changes = Counter((kind_of(step["urn"]), step["op"]) for step in steps if step["op"] != "same")
    assert changes == {("fluxstead:nodes:Node", "update"): 1, ("fluxstead:nodes:Disk", "create"): len(DISKS)}

    up = engine.run(*UP)
    assert up.returncode == 0, up.stdout + up.stderr
    assert engine.dialled == 1
    assert not [one for one in resources(engine) if "fluxstead:hosts" in json.dumps(one["urn"])]
    assert engine.run("preview", "--expect-no-changes").returncode == 0
    told = json.loads(engine.run("stack", "output", "disks", "--json").stdout)
    disks = {name_of(one["urn"]): one["outputs"] for one in resources(engine) if one["type"] == "fluxstead:nodes:Disk"}
    assert disks.keys() == DISKS
    assert disks == {f"k3s1/{disk}": {"filesystemUuid": uuid, "done": "prepare"} for disk, uuid in told["k3s1"].items()}


def as_before(deployment: dict[str, Any]) -> dict[str, Any]:
    """The state as it was: `Host` in place of `Node`, no disk below it, and all that is declared in one input."""
    kept = [one for one in deployment["deployment"]["resources"] if one["type"] != "fluxstead:nodes:Disk"]
    for one in kept:
        if one["type"] == "fluxstead:nodes:Node":
            one["inputs"] = {"declared": one["inputs"]}
            one["outputs"] |= {"done": dict.fromkeys(one["outputs"]["filesystemUuids"], "prepare")}
    text = json.dumps({**deployment, "deployment": {**deployment["deployment"], "resources": kept}})
    former: dict[str, Any] = json.loads(text.replace("fluxstead:nodes:Node", "fluxstead:hosts:Host"))
    return former


def resources(engine: Engine) -> list[dict[str, Any]]:
    """What the engine keeps."""
    found: list[dict[str, Any]] = json.loads(engine.run("stack", "export").stdout)["deployment"]["resources"]
    return found


def name_of(urn: str) -> str:
    """The last part of a URN."""
    return urn.rpartition("::")[2]


def kind_of(urn: str) -> str:
    """The type in a URN, without those of its parents."""
    return urn.split("::")[2].rpartition("$")[2]
