"""Advice about a scalar is made of the text that stands in the file: a number read from `1.10` has lost its zero."""

from __future__ import annotations

import re

import pytest

from fluxstead.core.findings import Finding, errors
from fluxstead.description.load import load
from tests.conftest import Project

STACK = "Pulumi.k3s-flux.yaml"
K3S1 = "nodes/k3s1.yaml"
TEXTS = (
    *("1.10", "1.30", ".5", "1.0", "0", "-0", "+5", "TRUE", "False", "~"),
    *("007", "0123", "08", "1_000", "1_0.5", "0x1F", "0o17", "0b1", "12:30"),
    *("1e3", "1E5", "123E4567", "1.5e3", "1e-3", ".5e1", ".inf", "-.INF", ".NaN"),
    *("NO", "y", "On", "2024-01-01", "2024-1-1 10:00:00"),
)
SERIAL = "    device: /dev/sdf\n"


def found(project: Project) -> list[Finding]:
    return errors(project.run().findings)


@pytest.mark.parametrize(
    "text",
    TEXTS,
)
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (K3S1, SERIAL, f"{SERIAL}    serial: {{}}\n"),
        (K3S1, "storage: longhorn", "storage: {}"),
        (STACK, "tag: 6.8.0", "tag: {}"),
        (STACK, "env: {PODINFO_LEVEL: debug}", "env: {PODINFO_LEVEL: {}}"),
    ],
    ids=["serial", "label", "tag", "variable"],
)
def test_what_quotes_cure_is_to_be_written_as_it_stands_there(
    reference: Project, file: str, old: str, new: str, *, text: str
) -> None:
    """And what is said to write is right: with it, the description is read."""
    if "serial" in new and text == "~":
        pytest.skip("nothing, which a serial may be")
    if "storage" in new and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", text):
        reference.replace(file, old, new.replace("{}", text))
        assert [finding.what for finding in found(reference)] == [f"labels.storage: '{text}' is not a label value"]
        return
    line = reference.replace(file, old, new.replace("{}", text)) + new[: new.find("{}")].count("\n")
    [finding] = found(reference)
    assert finding.source.line == line
    assert finding.fix.startswith(f"'{text}' in quotes")

    path = reference.root / file
    path.write_text(path.read_text().replace(new.replace("{}", text), new.replace("{}", f"'{text}'")))
    read = load(reference.root, reference.stack).findings
    assert not [one for one in errors(read) if one.source.file == file and one.id.startswith("description/")]


@pytest.mark.parametrize(
    ("file", "old", "new", "what", "write"),
    [
        (STACK, "version: 1.9.2", "version: 1.30", "'1.30' is not an exact version", "all three parts"),
        (STACK, "version: v1.33.1+k3s1", "version: 1.30", "'1.30' is not an exact k3s version", "v1.33.1+k3s1"),
        (K3S1, "cluster: k3s-flux", "cluster: 1.10", "'1.10' is not a Kubernetes name", "1-10"),
        (K3S1, "address: 192.168.86.71", "address: 192.10", "'192.10' is not an IP address", "192.168.86.71"),
        (STACK, "retention: 10d", "retention: 10", "'10' is not a duration that Prometheus knows", "10d"),
        (STACK, "retentionSize: 8GB", "retentionSize: 8.50", "'8.50' is not a size", "8.50GB"),
        (STACK, "interval: 5m", "interval: 5", "'5' is not a duration", "5s or 5m"),
        (STACK, "replicas: 1 #", "replicas: 1.50 #", "found the number 1.50", "a whole number"),
        (K3S1, "role: server", "role: 1.10", "the number 1.10 is none of", "server or agent"),
        (
            K3S1,
            "size: 465Gi\n    mountPath: /mnt/longhorn/sdf1",
            "size: 0.50\n    mountPath: /mnt/longhorn/sdf1",
            "'0.50' has no",
            "0.50Gi",
        ),
        (
            K3S1,
            "size: 465Gi\n    mountPath: /mnt/longhorn/sdf1",
            "size:\n    mountPath: /mnt/longhorn/sdf1",
            "there is nothing here",
            "25Gi",
        ),
    ],
)
def test_what_quotes_do_not_cure_is_judged_as_the_text(
    reference: Project, file: str, old: str, new: str, *, what: str, write: str
) -> None:
    """`'1.30' in quotes` would be refused in the next run."""
    reference.replace(file, old, new)
    [finding] = [one for one in found(reference) if one.source.file == file]
    assert what in finding.what
    assert write in finding.fix


def test_a_number_in_what_the_pulumi_cli_wrote_keeps_its_text(reference: Project) -> None:
    """`pulumi config set` without --path writes JSON in a string."""
    reference.replace(
        STACK,
        "fluxstead:dns:\n    records:\n      k3s1.local: 192.168.86.71\n",
        """fluxstead:dns: '{"records": {"a.test": 1.10}}'\n""",
    )
    [finding] = found(reference)
    assert "'1.10' is not an IP address" in finding.what


@pytest.mark.parametrize("key", ["true", "~", "null", "Off"])
def test_a_key_that_is_no_text_to_others_is_refused(reference: Project, key: str) -> None:
    """It would become another key."""
    reference.replace(K3S1, "  storage: longhorn", f"  {key}: longhorn")
    assert [finding.fix for finding in found(reference)] == [f"'{key}' in quotes"]


@pytest.mark.parametrize(
    ("file", "old", "new", "write"),
    [
        (K3S1, "size: 465Gi\n    mountPath: /mnt/longhorn/sdf1", "size: 465\n    mountPath: /mnt/longhorn/sdf1", "465Gi"),
        (K3S1, "reserved: 25Gi # our choice\n", "reserved: 50\n", "50Gi"),
        (STACK, "requests: {cpu: 50m, memory: 64Mi}", "requests: {cpu: 50, memory: 64Mi}", "50m for thousandths"),
        (STACK, "requests: {cpu: 50m, memory: 64Mi}", "requests: {cpu: 50m, memory: 64}", "64Mi"),
        (STACK, "limits: {memory: 128Mi}", "limits: {memory: 128m}", "128Mi"),
        (STACK, "size: 5Gi", "size: 5", "5Gi"),
        (STACK, "interval: 1m", "interval: 1ms", "1m"),
    ],
)
def test_a_number_without_its_unit_is_not_taken_for_bytes_or_cores(
    reference: Project, file: str, old: str, new: str, write: str
) -> None:
    """Kubernetes takes each of them as it stands."""
    reference.replace(file, old, new)
    [finding] = found(reference)
    assert finding.fix.startswith(write)


def test_a_count_of_bytes_may_be_meant(reference: Project) -> None:
    """As it comes out of `lsblk --bytes`."""
    reference.replace(
        K3S1, "size: 465Gi\n    mountPath: /mnt/longhorn/sdf1", "size: 499289948160\n    mountPath: /mnt/longhorn/sdf1"
    )
    assert not found(reference)
