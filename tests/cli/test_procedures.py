"""Commands that change a running cluster: never another one than is described, and nothing without the way in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from tests.conftest import Project
from tests.live.around import thing
from tests.live.test_many import serving

COMMANDS = (("recover", "manager", "k3s1"), ("verify",))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("more", [(), ("--plan",)])
def test_another_cluster_is_left_alone(
    command: Sequence[str], more: Sequence[str], reference: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """KUBECONFIG may be left from other work."""
    with serving(tmp_path, {"nodes": [thing("work-1"), thing("work-2")]}) as (kubeconfig, asked):
        assert main([*command, *more, "--kubeconfig", kubeconfig, "--project", str(reference.root)]) == 1
    said = capsys.readouterr().err
    assert "is another cluster: k3s1 at 192.168.86.71, k3s2 at 192.168.86.72 is described, and there is work-1" in said
    assert [one.split()[0] for one in asked] == ["/api/v1/nodes"]


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.86.71"])
def test_a_cluster_with_the_usual_names_is_known_by_its_addresses(
    address: str,
    reference: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Many a first machine is called k3s1; a kubeconfig that somebody names is theirs to answer for."""
    node = thing("k3s1", status={"addresses": [{"type": "InternalIP", "address": address}]})
    with serving(tmp_path, {"nodes": [node]}) as (kubeconfig, _):
        monkeypatch.setenv("KUBECONFIG", kubeconfig)
        status = main(["recover", "manager", "k3s1", "--plan", "--project", str(reference.root)])
    refused = "is another cluster" in capsys.readouterr().err
    assert (status, refused) == ((0, False) if address == "192.168.86.71" else (1, True))


def test_a_plan_has_no_other_form(reference: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--plan", "--format", "json", "--project", str(reference.root)]) == 2
    assert "--plan is for people" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_way_in_it_says_how_there_is_one(
    command: Sequence[str], reference: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--kubeconfig", str(tmp_path / "none"), "--project", str(reference.root)]) == 1
    assert "is no kubeconfig: ./run kubeconfig writes it" in capsys.readouterr().err


def test_a_machine_that_nobody_described_is_wrong_use(reference: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["recover", "manager", "k3s9", "--project", str(reference.root)])
    assert ended.value.code == 2
    assert "no node is called k3s9; there are k3s1, k3s2" in capsys.readouterr().err
