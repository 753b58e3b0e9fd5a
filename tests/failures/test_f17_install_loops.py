"""F17: a HelmRelease stuck in an install loop, with remedies that would delete storage."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_remedy_that_takes_longhorn_away_is_refused() -> None:
    """An uninstall deletes its custom resources."""
    refused("F17", "storage/remediation")


def test_no_generated_release_has_a_remedy(reference: Project, example: Project) -> None:
    """By construction: one attempt with Flux 2.6, RetryOnFailure since 2.7."""
    for project, allowed in ((reference, {"remediation": {"retries": 0, "remediateLastFailure": False}}), (example, {})):
        assembled = project.run().assembled
        assert assembled is not None
        releases = [file.object["spec"] for file in assembled.tree if file.object["kind"] == "HelmRelease"]
        assert releases
        for spec in releases:
            assert {key: value for key, value in spec["install"].items() if key == "remediation"} == allowed
            assert spec["install"]["crds"] == spec["upgrade"]["crds"] == "CreateReplace"
