"""`./run doctor` as it is typed: which machines it asks, its first lines, and how a watch ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from fluxstead.cli import doctor
from fluxstead.cli.__main__ import main
from fluxstead.hosts.answer import Answer
from tests.conftest import REPOSITORY, Project
from tests.live.test_api import kubeconfig
from tests.live.world import facts_of, healthy

OFF = Answer("failed", ("ssh did not get through: No route to host",))
Hosts = Callable[..., list[str]]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """Machines that answer like this instead of being dialled, and routes likewise; gives the names of those that were asked."""

    def answering(**answers: Answer) -> list[str]:
        asked: list[str] = []

        def plan(nodes: list[object], *_: object) -> dict[str, Answer]:
            names = [str(getattr(node, "name", "")) for node in nodes]
            asked.extend(names)
            return {name: answers.get(name, Answer("fine")) for name in names}

        monkeypatch.setattr(doctor, "plan", plan)
        monkeypatch.setattr(doctor, "answers_in", lambda *_: {})
        return asked

    return answering


def test_the_machines_alone(reference: Project, hosts: Hosts, capsys: pytest.CaptureFixture[str]) -> None:
    """All live ones; a tree that is full of mistakes keeps nobody from it."""
    asked = hosts(k3s1=OFF)
    reference.replace(reference.stack_file.name, "version: 1.9.2", "version: 0.0.1")
    assert main(["doctor", "--hosts", "--project", str(reference.root)]) == 1
    assert asked == ["k3s1"]
    said = capsys.readouterr().out
    assert "hosts 0 of 1 answer\n" in said
    assert "1. host k3s1 ssh did not get through: No route to host\n" in said
    assert "then ./run doctor --hosts k3s1\n" in said


def test_those_that_are_named(reference: Project, hosts: Hosts, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that is only planned; each once."""
    planned = (reference.root / "nodes/k3s1.yaml").read_text().replace("state: live", "state: planned")
    (reference.root / "nodes/k3s9.yaml").write_text(planned.replace("192.168.86.71", "192.168.86.79"))
    asked = hosts()
    assert main(["doctor", "--hosts", "k3s9", "k3s9", "--brief", "--project", str(reference.root)]) == 0
    assert asked == ["k3s9"]
    assert capsys.readouterr().out.splitlines() == ["k3s-flux: the machines alone", "hosts 1 of 1 answer", "nothing is wrong"]


def test_one_that_nobody_described(reference: Project, hosts: Hosts, capsys: pytest.CaptureFixture[str]) -> None:
    hosts()
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--hosts", "k3s77", "--project", str(reference.root)])
    assert ended.value.code == 2
    assert "no node is called k3s77; there are k3s1" in capsys.readouterr().err


def test_what_is_said_of_hosts_can_be_typed() -> None:
    """In messages and on pages; `./run hosts doctor` was a command once."""
    files = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "fluxstead").rglob("*.py")]
    said = {word for file in files for word in re.findall(r"\./run hosts ([a-z]+)", file.read_text())}
    assert said == {"plan", "discover"}


def test_the_whole_begins_with_how_much_of_it_is_well(
    reference: Project, hosts: Hosts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts()
    assembled = reference.run().assembled
    assert assembled is not None
    monkeypatch.setattr(doctor, "cluster_facts", lambda *_: facts_of(healthy(assembled)))
    monkeypatch.setattr(doctor, "delivered_in", lambda *_: None)
    told = ["doctor", "--kubeconfig", kubeconfig(reference.root, 1), "--project", str(reference.root)]
    assert main([*told, "--brief"]) == 0
    head, *rest = capsys.readouterr().out.splitlines()
    assert head.startswith("k3s-flux: Kubernetes v1.33.1+k3s1 at ")
    assert [line.split()[0] for line in rest] == ["hosts", "machines", "layers", "volumes", "nothing"]
    assert rest[1] == "machines 1 of 1 ready"
    assert rest[3] == "volumes 2"
    assert main([*told, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == rest[:-1]


def test_a_watch_that_is_interrupted_ends_in_words(reference: Project) -> None:
    """Where nobody sees a screen, none is cleared."""
    way_in = kubeconfig(reference.root, 1)
    command = ["doctor", "--no-hosts", "--watch", "--kubeconfig", way_in, "--project", str(reference.root)]
    with subprocess.Popen(
        [sys.executable, "-m", "fluxstead.cli", *command],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        while "wrong" not in (line := watching.stdout.readline()):
            assert line, "it ended by itself"
        watching.send_signal(signal.SIGINT)
        rest, trouble = watching.communicate(timeout=30)
    assert (watching.returncode, rest.strip()) == (0, "")
    assert trouble == "fluxstead: not watched any more\n"
    assert "\x1b" not in first
