"""What an application may mount, run and show: strings that Kubernetes refuses, or that mean more than was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.description.load import load
from tests.systems.applications import HEAD, WEB, described, findings, planned, the

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


@pytest.mark.parametrize(
    ("more", "said", "fix"),
    [
        ("runAsUser: 0", "0 is root", "runAsRoot: {reason: …}"),
        ("runAsRoot: true", "expected a mapping", "{reason: …}"),
        ("devices: [/dev/ttyUSB0]", "expected a mapping", "{hostPath: …}"),
        ("devices: [{hostPath: /dev/sda}]", "'/dev/sda' is a disk", "volume: for data"),
        ("devices: [{hostPath: /dev/nvme0n1p2}]", "is a disk", "volume: for data"),
        ("devices: [{hostPath: /dev/disk/by-id/ata-X}]", "is a disk", "volume: for data"),
        ("devices: [{hostPath: /dev/sr0}]", "is a disk", "volume: for data"),
        ("devices: [{hostPath: /dev/ng0n1}]", "is a disk", "volume: for data"),
        ("devices: [{hostPath: /dev/serial/by-id/}]", "is a directory", "/dev/serial/by-id/usb-"),
        ("devices: [{hostPath: /dev/net}]", "is a directory", "/dev/dri"),
        ("devices: [{hostPath: /dev/kmsg}]", "is the kernel's own", "a device of the application's"),
        ("devices: [{hostPath: /dev/watchdog}]", "is the kernel's own", "a device of the application's"),
        ("devices: [{hostPath: /dev/null}]", "is a device of every container", "a path below /dev"),
        ("devices: [{hostPath: /dev/shm}]", "is a device of every container", "a path below /dev"),
        ("devices: [{hostPath: /dev/ttyACM0, mountPath: /dev/null}]", "is a device of every container", "a path below /dev"),
        ("devices: [{hostPath: /dev/ttyACM0, mountPath: /dev/pts/0}]", "is a device of every container", "a path below /dev"),
        ('env: {A: "a\\0b"}', "holds a NUL character", "without it"),
        ('files: {/app.ini: "a\\0b"}', "holds a NUL character", "in a volume"),
        ('args: ["a\\0b"]', "holds a NUL character", "without it"),
        ("probes: {readiness: healthz}", "is not the path of a request", "/healthz"),
        ("probes: {readiness: '/a b?c'}", "is not the path of a request", "/healthz"),
        ("metrics: {path: '/metrics?a=b'}", "is not the path of a request", "begins with '/'"),
        ("volume: {size: 0Gi, mountPath: /data}", "'0Gi' is no size", "such as 5Gi"),
        ("volume: {size: 0, mountPath: /data}", "'0' is no size", "such as 5Gi"),
        ("resources: {requests: {memory: 4000Gi}}", "is more than 1Ti", "4000Mi"),
        ("devices: [{hostPath: /var/run/docker.sock}]", "is not a device", "a path below /dev"),
        ("devices: [{hostPath: /dev/../etc/shadow}]", "is not a path", "an absolute path"),
        ("ports: [{name: Web, port: 80}]", "'Web' is not the name of a port", "a name such as"),
        ("ports: [{name: a-name-of-16-char, port: 80}]", "is not the name of a port", "a name such as"),
        ("ports: [{name: '8080', port: 80}]", "is not the name of a port", "a name such as"),
        ("ports: [8080]", "expected a mapping", "{name: …, port: …}"),
        ("files: {/etc/: x}", "is not a config file's path", "the path of one file"),
        ("files: {/etc/resolv.conf: x}", "is not a config file's path", "the path of one file"),
        ("files: {app.ini: x}", "is not a path", "an absolute path"),
        ("files: {/etc/a.yaml: {a: b}}", "expected text", "text"),
        ("nodeSelector: {gpu: true}", "expected text", "'true' in quotes"),
        ("volume: {size: 1Gi, mountPath: /d, accessMode: RWX}", "is none of: ReadWriteOnce or ReadWriteMany", "ReadWrite"),
        ("volume: {size: 1Gi, mountPath: /d, accessModes: [ReadWriteMany]}", "unknown key", "accessMode"),
        ("chart: {name: a, repository: ghcr.io/a, version: 1.0.0}", "is not the address of a chart repository", "oci://"),
        ("chart: {name: a, repository: 'https://a.b', version: ^1.0.0}", "is not an exact version", "all three parts"),
    ],
)
def test_what_people_write_who_know_it_from_elsewhere(tmp_path: Path, more: str, said: str, fix: str) -> None:
    """Each with what to write instead."""
    apps = WEB.replace(KEPT, f"{KEPT}  {more}\n").lstrip("\n")
    (tmp_path / "Pulumi.home.yaml").write_text(HEAD + "".join(f"    {line}\n" for line in apps.splitlines()))
    [found] = load(tmp_path, "home").findings
    assert said in found.what
    assert fix in found.fix


@pytest.mark.parametrize(
    "device",
    [
        "/dev/ttyACM0",
        "/dev/serial/by-id/usb-X-if00",
        "/dev/dri/renderD128",
        "/dev/video0",
        "/dev/sg0",
        "/dev/dvb/adapter0/frontend0",
    ],
)
def test_devices_that_a_container_may_have(tmp_path: Path, device: str) -> None:
    """Character devices."""
    assert not refusals(tmp_path, f"devices: [{{hostPath: {device}}}]")


@pytest.mark.parametrize("path", ["/healthz/", "/", "/health?full=1&a=/b?", "/a%20b", "/-/ready", "/v1/sys/health?standbyok=true"])
def test_a_probe_asks_as_it_is_told(tmp_path: Path, path: str) -> None:
    """A slash at the end is another path, and a query is part of what is asked."""
    apps = WEB.replace(KEPT, f"{KEPT}  probes: {{readiness: '{path}'}}\n")
    [container] = the(planned(described(tmp_path, apps)), "web-prod", "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == path


@pytest.mark.parametrize(
    ("tag", "fix"),
    [
        ("1.2.3@sha256:abc", "the whole digest behind 1.2.3"),
        ("sha256:" + "0" * 64, "before its digest: 1.2.3@sha256:000"),
        ("@sha256:" + "0" * 64, "before its digest: 1.2.3@sha256:000"),
        ("1.2.3+build", "at most 128 letters"),
    ],
)
def test_a_digest_has_a_tag_and_64_digits(tmp_path: Path, tag: str, fix: str) -> None:
    """Each with what is wrong with it."""
    [found] = findings(tmp_path, WEB.replace("tag: 1.2.3", f"tag: '{tag}'"))
    assert found.id == "applications/bad-tag"
    assert fix in found.fix


def test_a_wildcard_is_no_name(tmp_path: Path) -> None:
    """DNS has them, and so have Ingresses; what is described is one name."""
    apps = WEB + "      route: {host: '*.example.test'}\n"
    (tmp_path / "Pulumi.home.yaml").write_text(HEAD + "".join(f"    {line}\n" for line in apps.lstrip("\n").splitlines()))
    [found] = load(tmp_path, "home").findings
    assert "is a wildcard" in found.what
    assert "www.example.test" in found.fix


@pytest.mark.parametrize("device", ["/dev/dri/", "/dev/bus/usb", "/dev/snd", "/dev/input"])
def test_directories_of_devices_are_mounted_as_such(tmp_path: Path, device: str) -> None:
    """A pod whose directory is asked for as a device stays in ContainerCreating."""
    apps = WEB.replace(KEPT, f"{KEPT}  devices: [{{hostPath: {device}}}]\n")
    pod = the(planned(described(tmp_path, apps)), "web-prod", "Deployment")["spec"]["template"]["spec"]
    assert pod["volumes"][0]["hostPath"] == {"path": device.rstrip("/"), "type": "Directory"}


@pytest.mark.parametrize("image", ["GHCR.io/Example/web", "https://ghcr.io/example/web", "ghcr.io//web", "ghcr.io/we b"])
def test_an_image_that_no_runtime_reads(tmp_path: Path, image: str) -> None:
    """As a registry's reference."""
    found = findings(tmp_path, WEB.replace("ghcr.io/example/web", f"'{image}'"))
    assert [one.id for one in found] == ["applications/bad-image"]
