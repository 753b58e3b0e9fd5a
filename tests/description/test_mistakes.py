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
    (STACK, "version: 1.9.2", "version: 1.9.x", "'1.9.x' is not an exact version", "all three parts"),
    (STACK, "dataLocality:", "datalocality:", "unknown key `longhorn.datalocality`", "dataLocality"),
    (STACK, "disable: [traefik", "disable: [treafik", "'treafik' is none of", "traefik"),
    (STACK, "nodeCidr: 192.168.86.0/24", "nodeCidr: 192.168.86.1/24", "'192.168.86.1/24' is not a network", "192.168.86.0/24"),
    (STACK, "replicaZoneSoftAntiAffinity: true", "replicaZoneSoftAntiAffinity: on", "`on` is a boolean", "true"),
    (K3S1, "role: server", "role: master", "'master' is none of", "server or agent"),
    (K3S1, "address: 192.168.86.71", "address: 192.168.86.711", "is not an IP address", "an address such as"),
    (K3S1, "name: sdg1", "name: SDG1", "'SDG1' is not a Kubernetes name", "sdg1"),
    (K3S1, "mountPath: /mnt/longhorn/sdh1", "mountPath: /var/lib/longhorn", "belongs to the system", "a directory of its own"),
    ("nodes/k3s2.yaml", "state: planned", "state: planned\nstate: live", "the key `state` is here a second time", "once"),
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
        assert write in finding.fix
    assert sorted(reference.root.rglob("*")) == before
    assert "nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("version: 1.10", "'1.10' is not an exact version"),
        ("version: [1, 9]", "is not an exact version"),
        ("version: '1.9'", "'1.9' is not an exact version"),
        ("version: ^1.9.0", "'^1.9.0' is not an exact version"),
        ("version: v1.9.0", "Longhorn's chart versions have no leading v"),
    ],
)
def test_a_version_that_is_none_says_so(reference: Project, written: str, found: str) -> None:
    """F4, F23: ranges and short versions moved charts, or named none that exists."""
    reference.replace(STACK, "version: 1.9.2", written)
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
    assert (finding.source.file, finding.fix) == (K3S1, "k3s-flux")


def test_a_stack_without_a_file_names_the_nearest(tmp_path: Path, reference: Project) -> None:
    """`--stack k3s-fluxx` is answered with what exists."""
    del tmp_path
    reference.stack = "k3s-fluxx"
    assert reference.run().findings[0].fix == "--stack k3s-flux"


@pytest.mark.parametrize("written", ["apps:", "fluxsted:apps:", "Fluxstead:apps:"])
def test_a_section_with_another_prefix_is_not_left_out(reference: Project, written: str) -> None:
    """Every application would vanish from the tree without a word, and Flux would prune them."""
    line = reference.replace(STACK, "fluxstead:apps:", written)
    [finding] = errors(reference.run().findings)
    assert (finding.source.line, finding.fix) == (line, "fluxstead:apps")


def test_a_section_whose_lines_were_lost_is_not_a_system_switched_off(reference: Project) -> None:
    """An empty `fluxstead:dns:` would prune what it described."""
    reference.replace(STACK, "  fluxstead:dns:\n    records:\n      k3s1.local: 192.168.86.71\n", "  fluxstead:dns:\n")
    assert any("`fluxstead:dns` is empty" in finding.what for finding in reference.run().findings)


@pytest.mark.parametrize("name", ["k3s3.yml", "k3s3.json", "rack/k3s3.yaml"])
def test_a_machine_in_a_file_that_is_not_read_is_said(reference: Project, name: str) -> None:
    """It would be left out without a word."""
    file = reference.root / "nodes" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text((reference.root / "nodes/k3s2.yaml").read_text())
    assert [finding.id for finding in errors(reference.run().findings)] == ["description/unread-node"]


@pytest.mark.parametrize(
    "path", ["/var/lib/rancher/k3s", "/usr/local", "/proc/x", "/var/lib/longhorn/sdf1", "/var/lib/kubelet", "/mnt"]
)
def test_a_disk_over_a_directory_of_the_system_is_refused(reference: Project, path: str) -> None:
    """F24: it would hide what k3s and the host keep there."""
    reference.replace(K3S1, "mountPath: /mnt/longhorn/sdf1", f"mountPath: {path}")
    [finding] = errors(reference.run().findings)
    assert "belongs to the system" in finding.what


@pytest.mark.parametrize(
    "text",
    [
        "config: &l {x: *l}\n",
        "[" * 3000,
        "[" * 30000 + "]" * 30000,
        "- " * 30000,
        "? " * 30000,
        f"config: {{fluxstead:longhorn: {'9' * 5000}}}\n",
        "config:\n  - a\n",
    ],
    ids=["itself", "brackets", "many-brackets", "dashes", "question-marks", "digits", "list"],
)
def test_a_file_made_to_break_the_reader_is_a_finding(reference: Project, text: str) -> None:
    """Never a traceback."""
    reference.stack_file.write_text(text)
    assert errors(reference.run().findings)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("namespace: monitoring", "namespace: kube-system", "would own the namespace kube-system"),
        ("    - name: example-app", "    - name: k3s", "has the name of the root of the tree"),
        ("path: /grafana", "path: /longhorn", "both answer */longhorn"),
        ("    ui:\n      path: /longhorn", "    values: {defaultSettings: {createDefaultDiskLabeledNodes: false}}", "default disk"),
    ],
)
def test_what_would_take_the_cluster_with_it_is_refused(reference: Project, old: str, new: str, said: str) -> None:
    """A namespace of k3s's, the root's own name, one path for two, the root filesystem as a disk."""
    reference.replace(STACK, old, new)
    if "k3s\n" in f"{new}\n":
        reference.replace(STACK, "- name: dev", "- name: flux")
    assert any(said in finding.what for finding in errors(reference.run().findings))


def test_a_path_that_no_disk_can_hold_is_a_finding(example: Project) -> None:
    """Asking the disk for it fails otherwise than asking for one that is not there."""
    example.replace("Pulumi.edge.yaml", "path: apps/whoami", f"path: {'x' * 300}")
    assert [finding.id for finding in errors(example.run().findings)] == ["references/missing-path"]
