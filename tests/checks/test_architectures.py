"""Images that were not built for the machines that may run them."""

from __future__ import annotations

import pytest

from fluxstead.nodes.model import Node
from tests.checks.planted import LONGHORN, Planted, layer, look, machine, obj, release

ARM64 = machine(architecture="arm64", disks=[])
AMD64 = machine(name="k3s2", address="192.168.86.72", architecture="amd64", disks=[])
UNKNOWN = machine(name="k3s3", address="192.168.86.73", disks=[])


def told(files: dict[str, str], *nodes: Node) -> list[tuple[str, str]]:
    """The findings about images."""
    found = look(Planted(files=files, cure=("", ""), says="", nodes=nodes), files)
    return [(finding.severity.name.lower(), finding.what) for finding in found if finding.id.startswith("images/")]


def ingress(values: str) -> dict[str, str]:
    """ingress-nginx with these values."""
    return layer(
        "ingress",
        obj("Namespace", "ingress-nginx"),
        release("ingress-nginx/nginx", "ingress-nginx", "4.12.3", f", values: {{defaultBackend: {values}}}"),
    )


@pytest.mark.parametrize(
    ("values", "nodes", "severity"),
    [
        ("{enabled: true}", (ARM64,), "error"),
        ("{enabled: true}", (ARM64, AMD64), "warning"),
        # Of a machine that may be any, nothing is certain.
        ("{enabled: true}", (ARM64, UNKNOWN), "warning"),
        ("{enabled: true}", (AMD64,), None),
        ("{enabled: true}", (UNKNOWN,), None),
        ("{enabled: false}", (ARM64,), None),
        ("{}", (ARM64,), None),
        ("{enabled: true, nodeSelector: {kubernetes.io/arch: amd64}}", (ARM64, AMD64), None),
        ("{enabled: true, nodeSelector: {kubernetes.io/arch: amd64}}", (ARM64,), "error"),
        ("{enabled: true, image: {image: defaultbackend-arm64}}", (ARM64,), None),
        ("{enabled: true, image: {tag: '1.5'}}", (ARM64,), "error"),
        ("{enabled: true, image: [a], nodeSelector: a}", (ARM64,), "error"),
    ],
)
def test_the_default_backend_is_for_amd64(values: str, nodes: tuple[Node, ...], severity: str | None) -> None:
    """Its pod ends with `exec format error`, and the release never becomes ready."""
    assert [one for one, _ in told(ingress(values), *nodes)] == ([severity] if severity else [])


def test_longhorn_has_nothing_for_processors_of_32_bits() -> None:
    """Its managers run on every machine."""
    [(severity, what)] = told(LONGHORN, machine(architecture="arm", disks=[]), AMD64)
    assert severity == "warning"
    assert "k3s1 is arm" in what
    assert not told(LONGHORN, ARM64, AMD64)
