"""U9: everything Ready while workloads had drifted."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_what_scales_or_selects_nothing_is_told() -> None:
    """Flux calls both Ready."""
    refused("U9", "references/no-target")
    refused("U9", "references/selects-nothing")


def test_every_generated_release_watches_for_drift(reference: Project) -> None:
    """By construction."""
    assembled = reference.run().assembled
    assert assembled is not None
    releases = [file.object["spec"] for file in assembled.tree if file.object["kind"] == "HelmRelease"]
    assert releases
    assert all(spec["driftDetection"]["mode"] == "enabled" for spec in releases)
