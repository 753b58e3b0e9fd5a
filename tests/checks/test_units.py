"""Numbers whose unit was forgotten, in manifests and charts' values."""

from __future__ import annotations

import pytest

from tests.checks.planted import DEPLOYMENT, WEB, Planted, claim, kept, layer, look, obj, release


def found(*objects: str, spec: str = "") -> list[str]:
    files = layer("web", kept(WEB), *objects, spec=spec)
    told = look(Planted(files=files, cure=("", ""), says="", platform=None), files)
    return [f"{finding.id} {finding.fix}" for finding in told if finding.id.startswith("units/")]


@pytest.mark.parametrize(
    ("text", "write"),
    [("5", "storage: 5Gi"), ("'5'", "storage: 5Gi"), ("500m", "storage: 500Gi"), ("5368709120", None), ("5Gi", None), ("1M", None)],
)
def test_a_claim(text: str, write: str | None) -> None:
    """As a claim, in a set's template, and in a chart's values."""
    template = f"{{spec: {{resources: {{requests: {{storage: {text}}}}}}}}}"
    made = (
        claim(text),
        kept(obj("StatefulSet", "web/db", f"spec: {{volumeClaimTemplates: [{template}]}}", "apps/v1")),
        kept(release("web/db", "site", "1.0.0", f", values: {{prometheus: {{storageSpec: {{volumeClaimTemplate: {template}}}}}}}")),
    )
    for one in made:
        assert found(one) == ([f"units/bytes {write}"] if write else [])


@pytest.mark.parametrize(
    ("resources", "write"),
    [
        ("{limits: {memory: 64}}", "units/bytes memory: 64Mi"),
        ("{requests: {ephemeral-storage: 2}}", "units/bytes ephemeral-storage: 2Gi"),
        ("{requests: {cpu: '100'}}", "units/cores cpu: 100m, for thousandths of a core"),
        ("{requests: {cpu: 2, memory: 64Mi}, limits: {memory: 0, nvidia.com/gpu: 1}}", None),
        ("{requests: {cpu: ${CPU}, memory: 64Mb}}", None),
    ],
)
def test_what_a_pod_gets(resources: str, write: str | None) -> None:
    """What Kubernetes reads otherwise, or refuses by itself, is not told here."""
    written = resources.replace("${CPU}", "'${CPU}'")
    assert found(DEPLOYMENT.replace("{name: site,", f"{{name: site, resources: {written},")) == ([write] if write else [])


@pytest.mark.parametrize(("text", "write"), [("5", "5s or 5m"), ("1ms", "1m"), ("1d", "24h"), ("10m", None), ("'${EVERY}'", None)])
def test_how_often_flux_looks(text: str, write: str | None) -> None:
    """Of a release, and of what reconciles it."""
    made = kept(release("web/site", "site", "1.0.0").replace("interval: 10m", f"interval: {text}", 1))
    told = [f"units/duration interval: {write}"] if write else []
    assert [one.partition(",")[0] for one in found(made)] == told
    assert [one.partition(",")[0] for one in found(spec=f"retryInterval: {text}")] == [
        one.replace("interval", "retryInterval") for one in told
    ]
