"""What an application may mount, run and show: strings that Kubernetes refuses, or that mean more than was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.description.load import load
from tests.systems.applications import HEAD, WEB, findings

KEPT = "  port: 8080\n"


def refusals(folder: Path, more: str) -> list[str]:
    """What is said while the description is read, with one more line in the application."""
    apps = WEB.replace(KEPT, f"{KEPT}  {more}\n").lstrip("\n")
    (folder / "Pulumi.home.yaml").write_text(HEAD + "".join(f"    {line}\n" for line in apps.splitlines()))
    return [one.what for one in load(folder, "home").findings]


@pytest.mark.parametrize("path", ["/etc", "/", "/usr/", "/proc/x", "/dev/shm", "data", "/a/../b", "/a:b", "//data"])
def test_where_no_volume_can_be(tmp_path: Path, path: str) -> None:
    """The image's own directories, the kernel's, and what is no path."""
    [said] = refusals(tmp_path, f"volume: {{size: 1Gi, mountPath: '{path}'}}")
    assert repr(path) in said


@pytest.mark.parametrize("path", ["/data", "/etc/app", "/var/lib/postgresql/data/", "/home"])
def test_where_a_volume_can_be(tmp_path: Path, path: str) -> None:
    """Any directory of the application's own."""
    assert not refusals(tmp_path, f"volume: {{size: 1Gi, mountPath: '{path}'}}")


def test_a_volume_at_the_writable_directory(tmp_path: Path) -> None:
    """Unless there is none."""
    apps = WEB.replace(KEPT, f"{KEPT}  volume: {{size: 1Gi, mountPath: /tmp/}}\n")
    assert [one.id for one in findings(tmp_path, apps)] == ["applications/mounted-twice"]
    assert not findings(tmp_path, apps.replace(KEPT, f"{KEPT}  readOnlyRootFilesystem: false\n"))


@pytest.mark.parametrize("group", ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"])
def test_viewers_are_people(tmp_path: Path, group: str) -> None:
    """And not everybody."""
    assert refusals(tmp_path, f"viewers: {group}") == [f"apps[0].viewers: {group!r} is everybody, and not a group of people"]
    assert not refusals(tmp_path, "viewers: oidc:developers")


@pytest.mark.parametrize("image", ["GHCR.io/Example/web", "https://ghcr.io/example/web", "ghcr.io//web", "ghcr.io/we b"])
def test_an_image_that_no_runtime_reads(tmp_path: Path, image: str) -> None:
    """As a registry's reference."""
    found = findings(tmp_path, WEB.replace("ghcr.io/example/web", f"'{image}'"))
    assert [one.id for one in found] == ["applications/bad-image"]
