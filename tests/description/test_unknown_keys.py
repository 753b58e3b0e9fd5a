"""Keys that people bring from Kubernetes and Compose are answered with what says the same here, never with what is spelt alike."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from fluxstead.core.described import Described
from fluxstead.core.findings import Finding
from fluxstead.description.load import load
from fluxstead.systems.applications.mounts import NamedVolume, Volume
from fluxstead.systems.applications.parts import ExtraPort
from fluxstead.systems.applications.settings import Application, AppRoute, Environment
from tests.systems.applications import HEAD, WEB

OWN = "path: with a directory of your own manifests"


def said(folder: Path, apps: str) -> str:
    """What to write in place of the only key that nobody knows."""
    [found] = told(folder, apps)
    assert found.id == "description/unknown-key"
    return found.fix


def told(folder: Path, apps: str) -> list[Finding]:
    """All that is said of a description."""
    (folder / "Pulumi.home.yaml").write_text(HEAD + textwrap.indent(apps.lstrip("\n"), "    "))
    return list(load(folder, "home").findings)


@pytest.mark.parametrize(
    ("key", "write"),
    [
        ("sidecars", OWN),
        ("hostNetwork", OWN),
        ("schedule", OWN),
        ("cronJob", OWN),
        ("affinity", OWN),
        ("nfs", OWN),
        ("hostPath", OWN),
        ("shm_size", OWN),
        ("securityContext", "runAsUser:"),
        ("service", "port:"),
        ("ingress", "route: {host"),
        ("containers", "image:, command:"),
        ("livenessProbe", "probes: {readiness: /"),
        ("healthcheck", "probes: {readiness: /"),
        ("environment", "env: for variables"),
        ("restart", "nothing"),
        ("mem_limit", "resources: {limits"),
        ("configMap", "files:"),
        ("replicas", "environments: with replicas:"),
        ("tag", "environments: with tag:"),
        ("env_from", "secrets: with"),
        ("depends_on", "dependsOn"),
        ("Volumes", "volumes"),
        ("initContainer", "initContainers"),
        ("resource", "resources"),
        ("imagePullSecret", "imagePullSecrets"),
    ],
)
def test_a_word_from_elsewhere_is_answered(tmp_path: Path, key: str, write: str) -> None:
    """A misspelling is still a misspelling."""
    assert write in said(tmp_path, f"{WEB}  {key}: true\n")


@pytest.mark.parametrize(
    ("lines", "write"),
    [
        ("route: {host: a.example.org, port: 80}", "port: of the application"),
        ("route: {host: a.example.org, tls: true}", OWN),
        ("volume: {size: 1Gi, mountPath: /data, nfs: nas}", OWN),
        ("volume: {size: 1Gi, path: /data}", "mountPath"),
        ("resources: {memory: 1Gi}", "requests: with memory:"),
        ("livenessProbe: {}", "probes:"),
    ],
)
def test_so_is_one_further_inside(tmp_path: Path, lines: str, write: str) -> None:
    assert write in said(tmp_path, f"{WEB}      {lines}\n")


def test_a_volume_of_the_machine_is_not_told_its_mount_path(tmp_path: Path) -> None:
    """It looks like the key that is then missing, and means the opposite."""
    found = told(tmp_path, f"{WEB}  volume: {{size: 1Gi, hostPath: /data}}\n")
    assert {one.id for one in found} == {"description/unknown-key", "description/missing"}
    assert any(OWN in one.fix for one in found)


def test_a_list_of_keys_can_be_read(tmp_path: Path) -> None:
    """It ends, and says where the rest is."""
    fix = said(tmp_path, f"{WEB}  zzz: 1\n")
    assert fix.count(",") <= 12
    assert fix.endswith("more, which the editor completes")


@pytest.mark.parametrize("part", [Application, AppRoute, Environment, ExtraPort, NamedVolume, Volume])
def test_no_word_is_a_key_already(part: type[Described]) -> None:
    """It would never be said."""
    assert part.instead
    words = [word.replace("_", "").casefold() for word in part.instead]
    assert len(set(words)) == len(words)
    assert not set(words) & {(field.alias or name).casefold() for name, field in part.model_fields.items()}


@pytest.mark.parametrize(("written", "write"), [("sh", "[sh]"), ("'8080'", "['8080']"), ("'a: b'", "['a: b']"), ("'y'", "['y']")])
def test_a_text_in_place_of_a_list_is_shown_in_one(tmp_path: Path, written: str, write: str) -> None:
    """As Compose takes it; where a list of something else is wanted, its name is all that helps."""
    [found] = told(tmp_path, f"{WEB}\n  command: {written}\n")
    assert (found.id, found.fix) == ("description/type", write)
    assert {one.fix for one in told(tmp_path, f"{WEB}\n  volumes: x\n")} == {"a list"}
