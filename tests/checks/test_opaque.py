"""Where something in the cluster may create objects that are in no file, nothing is reported as missing."""

from __future__ import annotations

import pytest

from tests.checks.planted import WEB, Planted, layer, look, obj

POD = "spec: {template: {spec: {containers: [{name: a, image: a:1, envFrom: [{configMapRef: {name: gone}}]}]}}}"
READER = obj("Deployment", "web/a", POD, "apps/v1")


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        (obj("EndpointSlice", "web/b", "addressType: IPv4\nendpoints: []", "discovery.k8s.io/v1"), True),
        (obj("Lease", "web/b", "spec: {}", "coordination.k8s.io/v1"), True),
        (obj("ExternalSecret", "web/b", "spec: {}", "external-secrets.io/v1"), False),
    ],
)
def test_what_the_api_server_serves_itself_makes_nothing(beside: str, told: bool) -> None:
    """Every group of its own, not only those of the usual manifests; an operator's objects may make anything."""
    files = layer("web", WEB, READER, beside)
    found = [one.id for one in look(Planted(files=files, cure=("", ""), says="", platform=None), files)]
    assert ("references/missing-config-map" in found) == told
