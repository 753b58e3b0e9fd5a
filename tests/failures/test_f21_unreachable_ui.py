"""F21: the UI was unreachable by NodePort, and a complex Ingress made it worse."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.failures.refusal import not_done, refused


def test_an_ingress_without_a_service_or_a_port_is_refused() -> None:
    """The controller would answer 503."""
    refused("F21", "references/missing-service")
    refused("F21", "references/missing-port")


@pytest.mark.gap("authentication cannot be described yet")
def test_the_ui_asks_for_a_password() -> None:
    """A warning is not a protection."""
    not_done("authentication cannot be described yet")


def test_nothing_is_served_over_plain_http(reference: Project, example: Project) -> None:
    """Every link of both trees is HTTPS, and what asks otherwise is redirected by the controller, before any route is looked at."""
    for project, redirects in ((reference, 'force-ssl-redirect: "true"'), (example, "match: PathPrefix(`/`)")):
        assembled = project.run().assembled
        assert assembled is not None
        links = [link.url for plan in assembled.plans.values() for link in plan.links]
        assert len(links) >= 4
        assert all(url.startswith("https://") for url in links)
        assert redirects in "\n".join(assembled.files.values()).replace("'", '"')


def test_an_open_ui_and_a_known_password_are_never_silent(reference: Project) -> None:
    """Until authentication can be described."""
    reference.replace("Pulumi.k3s-flux.yaml", "      adminSecret: grafana-admin # our choice\n", "")
    found = {finding.id for finding in reference.run().findings}
    assert {"longhorn/open-ui", "monitoring/default-password"} <= found
