"""F21: the UI was unreachable by NodePort, and a complex Ingress made it worse."""

from __future__ import annotations

from fluxstead.core.findings import errors
from tests.conftest import Project
from tests.failures.refusal import refused


def test_an_ingress_without_a_service_or_a_port_is_refused() -> None:
    """The controller would answer 503."""
    refused("F21", "references/missing-service")
    refused("F21", "references/missing-port")


def test_the_ui_asks_for_a_password(reference: Project, example: Project) -> None:
    """A warning is not a protection: an open UI is refused, by whatever of the description it would be open."""
    for project, guard in ((reference, "auth-type: basic"), (example, "forwardAuth:")):
        assembled = project.run().assembled
        assert assembled is not None
        folder = "infrastructure/longhorn-routes/"
        assert any(guard in text for path, text in assembled.files.items() if path.startswith(folder))
    reference.replace("Pulumi.k3s-flux.yaml", "  fluxstead:access: # our choice\n    by: basic\n", "")
    [open_ui] = [one for one in errors(reference.run().findings) if one.id == "access/open-ui"]
    assert "delete every volume" in open_ui.why


def test_nothing_is_served_over_plain_http(reference: Project, example: Project) -> None:
    """Every link of both trees is HTTPS, and what asks otherwise is redirected by the controller, before any route is looked at."""
    for project, redirects in ((reference, 'force-ssl-redirect: "true"'), (example, "match: PathPrefix(`/`)")):
        assembled = project.run().assembled
        assert assembled is not None
        links = [link.url for plan in assembled.plans.values() for link in plan.links]
        assert len(links) >= 4
        assert all(url.startswith("https://") for url in links)
        assert redirects in "\n".join(assembled.files.values()).replace("'", '"')


def test_a_password_that_everybody_knows_is_refused(reference: Project) -> None:
    """The chart's own."""
    reference.replace("Pulumi.k3s-flux.yaml", "      adminSecret: grafana-admin # our choice\n", "")
    assert "monitoring/default-password" in {finding.id for finding in reference.run().findings}
