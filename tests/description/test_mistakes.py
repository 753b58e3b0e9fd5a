"""All mistakes of all files in one answer (failure U7), each with its line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.core.findings import errors
from tests.conftest import Project

STACK = "Pulumi.k3s-flux.yaml"
K3S1 = "nodes/k3s1.yaml"

# file, what stands there, the mistake, what the finding says, what it says to write
TEN_MISTAKES = [
    (STACK, "version: 1.9.0", "version: 1.9.x", "'1.9.x' is not an exact version", "all three parts"),
    (STACK, "dataLocality:", "datalocality:", "unknown key `longhorn.datalocality`", "dataLocality"),
    (STACK, "disable: [traefik", "disable: [treafik", "'treafik' is none of", "traefik"),
    (STACK, "nodeCidr: 192.168.86.0/24", "nodeCidr: 192.168.86.1/24", "'192.168.86.1/24' is not a network", "192.168.86.0/24"),
    (STACK, "replicaZoneSoftAntiAffinity: true", "replicaZoneSoftAntiAffinity: on", "`on` is a truth value", "true"),
    (K3S1, "role: server", "role: master", "'master' is none of", "server or agent"),
    (K3S1, "address: 192.168.86.71", "address: 192.168.86.711", "is not an IP address", "an address such as"),
    (K3S1, "name: sdg1", "name: SDG1", "'SDG1' is not a Kubernetes name", "sdg1"),
    (K3S1, "mountPath: /mnt/longhorn/sdh1", "mountPath: /var/lib/longhorn", "belongs to the system", "a directory of its own"),
    ("nodes/k3s2.yaml", "state: planned", "state: planned\nstate: live", "the key `state` stands here a second time", "once"),
]


def test_ten_mistakes_at_once_are_ten_findings_and_nothing_is_written(
    reference: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator who corrects one mistake per run gives up before the tenth."""
    lines = [reference.replace(file, good, bad) + bad.count("\n") for file, good, bad, _, _ in TEN_MISTAKES]
    before = sorted(reference.root.rglob("*"))

    found = reference.run().findings
    assert main(["render", "--project", str(reference.root)]) == 1

    expected = sorted((file, line, what, write) for line, (file, _, _, what, write) in zip(lines, TEN_MISTAKES, strict=True))
    assert len(errors(found)) == len(expected)
    for finding, (file, line, what, write) in zip(sorted(found), expected, strict=True):
        assert (finding.source.file, finding.source.line) == (file, line)
        assert what in finding.what
        assert write in finding.write
    assert sorted(reference.root.rglob("*")) == before
    assert "nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("version: 1.10", "1.1 is a number, not a version"),
        ("version: [1, 9]", "is not an exact version"),
        ("version: '1.9'", "'1.9' is not an exact version"),
        ("version: ^1.9.0", "'^1.9.0' is not an exact version"),
        ("version: v1.9.0", "Longhorn's charts carry no leading v"),
    ],
)
def test_a_version_that_is_none_says_so(reference: Project, written: str, found: str) -> None:
    """F4, F23: ranges and short versions moved charts, or named none that exists."""
    reference.replace(STACK, "version: 1.9.0", written)
    assert any(found in finding.what for finding in reference.run().findings)


@pytest.mark.parametrize(
    "text", ["", "[]", "just words", "config: []", "config: 3", "- a\n- b\n", "\x00", "a: [1\n", "a: &x 1\nb: *y\n"]
)
def test_a_file_of_another_shape_never_gives_a_traceback(reference: Project, text: str) -> None:
    """Bad input is a finding, whatever it is."""
    reference.stack_file.write_text(text)
    assert errors(reference.run().findings)
    (reference.root / K3S1).write_text(text)
    assert errors(reference.run().findings)


def test_bytes_that_are_no_text_are_a_finding(reference: Project) -> None:
    """An editor saved Latin-1."""
    (reference.root / K3S1).write_bytes(b"cluster: k3s-fl\xfcx\n")
    assert errors(reference.run().findings)[0].id == "description/unreadable"


def test_a_machine_of_an_unknown_cluster_is_not_left_out_silently(reference: Project) -> None:
    """A misspelt cluster would drop the machine from the tree."""
    reference.replace(K3S1, "cluster: k3s-flux", "cluster: k3s-flx")
    [finding] = [finding for finding in reference.run().findings if finding.id == "description/no-cluster"]
    assert (finding.source.file, finding.write) == (K3S1, "k3s-flux")


def test_a_stack_without_a_file_names_the_nearest(tmp_path: Path, reference: Project) -> None:
    """`--stack k3s-fluxx` is answered with what exists."""
    del tmp_path
    reference.stack = "k3s-fluxx"
    assert reference.run().findings[0].write == "--stack k3s-flux"
