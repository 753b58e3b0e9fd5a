"""What only one machine can have, in this cluster and in the others of the repository."""

from __future__ import annotations

import pytest

from fluxstead.core.findings import Severity
from tests.conftest import Project

K1, K2 = "nodes/k3s1.yaml", "nodes/k3s2.yaml"
FIRST = "    device: /dev/sdf\n"
OTHER = "cluster: other\naddress: {address}\nstate: {state}\ndisks:\n  - {{name: a, serial: S9, wwn: '0x9'}}\n"


def told(project: Project) -> list[tuple[str, str]]:
    """What is said about machines: the id, and the file of the place."""
    return [(one.id, one.source.file) for one in project.run().findings if one.id.startswith("nodes/")]


@pytest.mark.parametrize("name", ["serial: S1", "wwn: '0x5000c500a1b2c3d4'"])
def test_one_disk_in_two_machines(reference: Project, name: str) -> None:
    """By its serial or its World Wide Name."""
    for file in (K1, K2):
        reference.replace(file, FIRST, f"{FIRST}    {name}\n")
    assert told(reference) == [("nodes/disk-in-two-machines", K2)]


def test_what_a_hypervisor_gives_to_every_machine_is_no_serial(reference: Project) -> None:
    """QEMU's names of its drives are alike on all of them."""
    for file in (K1, K2):
        reference.replace(file, FIRST, f"{FIRST}    serial: drive-scsi1\n")
    assert not told(reference)


def test_one_address_for_two_machines_of_ssh(reference: Project) -> None:
    """Unless the port, or the way, tells them apart."""
    reference.replace(K1, "role: server\n", "role: server\nssh: {address: 192.168.86.72}\n")
    assert told(reference) == [("nodes/dialled-twice", K2)]
    reference.replace(K1, "ssh: {address: 192.168.86.72}", "ssh: {address: 192.168.86.72, port: 2222}")
    assert not told(reference)


@pytest.mark.parametrize(
    ("address", "state", "here", "said"),
    [
        ("192.168.86.71", "live", "", [("nodes/address-in-two-clusters", Severity.WARNING)]),
        ("10.0.0.1", "live", "    serial: S9\n", [("nodes/disk-in-two-machines", Severity.ERROR)]),
        ("10.0.0.1", "live", "    wwn: '0x9'\n", [("nodes/disk-in-two-machines", Severity.ERROR)]),
        ("10.0.0.1", "leaving", "    serial: S9\n", []),  # on its way to this cluster
        ("10.0.0.1", "live", "", []),
    ],
)
def test_machines_of_another_cluster(
    reference: Project, address: str, state: str, here: str, said: list[tuple[str, Severity]]
) -> None:
    """Their files are next to this cluster's; two sites may well have one address, a disk is one."""
    (reference.root / "Pulumi.other.yaml").write_text("config: {}\n")
    (reference.root / "nodes/other.yaml").write_text(OTHER.format(address=address, state=state))
    reference.replace(K1, FIRST, FIRST + here)
    found = [one for one in reference.run().findings if one.id.startswith("nodes/")]
    assert [(one.id, one.severity) for one in found] == said
    assert all("nodes/other.yaml:" in one.what for one in found)


def test_an_address_of_the_link_alone(reference: Project) -> None:
    """Each machine has one of these, and nobody routes it."""
    reference.replace(K1, "192.168.86.71", "169.254.1.5")
    assert ("nodes/unusable-address", K1) in told(reference)


def test_dual_stack(reference: Project) -> None:
    """Both families for pods, Services and machines; with one missing k3s does not start."""
    cidrs = "    podCidr: 10.42.0.0/16,fd00:42::/56\n    serviceCidr: 10.43.0.0/16,fd00:43::/112\n"
    reference.replace(
        reference.stack_file.name, "    nodeCidr: 192.168.86.0/24\n", f"    nodeCidr: 192.168.86.0/24,fd00:86::/64\n{cidrs}"
    )
    for number, file in enumerate((K1, K2), 1):
        assert {one.id for one in reference.run().findings if one.severity is Severity.ERROR} == {"network/families"}
        reference.replace(file, "role:", f"secondAddress: fd00:86::{number}\nrole:")
    assert not [one for one in reference.run().findings if one.severity is Severity.ERROR]
