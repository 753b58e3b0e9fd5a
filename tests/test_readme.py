"""What the README says is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.cli.test import selection
from fluxstead.embedded import run_program
from fluxstead.tree.picture import mermaid

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text()


@pytest.mark.reference
def test_its_picture_is_the_order_of_the_reference_cluster() -> None:
    """To renew it: ./run graph --mermaid."""
    assembled = run_program(REPOSITORY, "k3s-flux").assembled
    assert assembled is not None
    shown = re.search(r"<!-- order: begin -->\n```mermaid\n(.*?)```\n<!-- order: end -->", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == mermaid(assembled.tree.order)


@pytest.mark.reference
def test_its_links_lead_somewhere() -> None:
    """In the README and on every page of docs/."""
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)", page.read_text())
        if not link.startswith("http") and not (page.parent / link).exists()
    ]
    assert len(pages) >= 5
    assert not broken


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\./run ([a-z]+)", README))))
def test_its_commands_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each answers --help."""
    if command != "test":
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert command in capsys.readouterr().out


def test_its_way_from_bare_hosts_is_as_long_as_it_says() -> None:
    said = re.search(r"Then (\d+) lines.*?```\n(.*?)```", README, re.DOTALL)
    assert said is not None
    assert len(said[2].splitlines()) == int(said[1])


def test_its_first_description_is_one(tmp_path: Path) -> None:
    """With a machine beside it; what it warns of is known, and a key that `init` makes and a login that is given with it."""
    described = re.search(r"```yaml\n(# Pulumi\.home\.yaml.*?)```", README, re.DOTALL)
    assert described is not None
    (tmp_path / "nodes").mkdir()
    (tmp_path / "Pulumi.home.yaml").write_text(described[1])
    disk = "{name: a, serial: S1, size: 100Gi, mountPath: /mnt/longhorn/a}"
    machine = f"{{cluster: home, address: 192.168.86.71, role: server, state: live, disks: [{disk}]}}"
    (tmp_path / "nodes/k3s1.yaml").write_text(machine)
    found = run_program(tmp_path, "home").findings
    assert {finding.id for finding in found} <= {"secrets/missing", "datastore/no-copy"}


@pytest.mark.parametrize("asked", [["tests/e2e"], ["-m", "flux"], ["tests/test_readme.py::test_its_links_lead_somewhere", "-x"]])
def test_options_alone_ask_for_no_test_on_real_parts(asked: list[str]) -> None:
    """`./run test -q` is `./run test`, and no virtual machine is started by it."""
    assert selection(["-q", "-k", "disk"]) == [*selection([]), "-q", "-k", "disk"]
    assert selection(asked) == asked
