"""Applications that talk to one another, or that want the same device."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.systems.applications import refused

TWO = """
- name: web
  image: ghcr.io/example/web
  allow: {egress: [{namespace: %s, ports: [5432]}]}
  environments: [{name: prod, tag: 1.0.0}]
- name: db
  image: postgres
  ports: [{name: db, port: 5432}]
  allow: {ingress: [%s]}
  environments: [{name: prod, tag: '17.5'}]
"""
HUBS = """
- name: one
  image: ghcr.io/example/hub
  devices: [{hostPath: %s}]
  nodeSelector: {kubernetes.io/hostname: a}
  environments: [{name: prod, tag: 1.0.0}]
- name: two
  image: ghcr.io/example/hub
  devices: [{hostPath: %s}]
  nodeSelector: {kubernetes.io/hostname: %s}
  environments: [{name: prod, tag: 1.0.0%s}]
"""
STICK = "/dev/serial/by-id/usb-X-if00"


@pytest.mark.parametrize(
    ("calls", "admits", "said"),
    [
        ("db-prod", "{namespace: web-prod}", []),
        ("db-prod", "{cidr: 10.42.0.0/16}", []),
        ("db-prod", "{namespace: other}", ["one-sided"]),
        ("db-prod", "", ["one-sided"]),
        ("databases", "", []),  # somebody else's
    ],
)
def test_both_ends_allow_a_connection(tmp_path: Path, calls: str, admits: str, said: list[str]) -> None:
    """A dropped connection is a timeout, and says nothing."""
    assert sorted(id_ for id_, _ in refused(tmp_path, TWO % (calls, admits))) == [f"applications/{one}" for one in said]


@pytest.mark.parametrize(
    ("devices", "machine", "more", "told"),
    [
        ((STICK, STICK), "a", "", True),
        ((STICK, STICK), "a", ", state: offline", False),
        ((STICK, STICK), "b", "", False),
        ((STICK, f"{STICK}-port0"), "a", "", False),
        (("/dev/dri/renderD128", "/dev/dri/renderD128"), "a", "", False),
    ],
)
def test_one_program_at_a_device(tmp_path: Path, devices: tuple[str, str], machine: str, more: str, told: bool) -> None:
    """But for those that several open."""
    found = [id_ for id_, _ in refused(tmp_path, HUBS % (*devices, machine, more))]
    assert ("applications/device-of-many" in found) is told
