"""F21: the UI was unreachable by NodePort, and a complex Ingress made it worse."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.failures.refusal import not_done, refused


def test_an_ingress_without_a_service_or_a_port_is_refused() -> None:
    """The controller would answer 503."""
    refused("F21", "references/missing-service")
    refused("F21", "references/missing-port")


@pytest.mark.gap("authentication and TLS cannot be described yet")
def test_the_ui_asks_for_a_password_over_tls() -> None:
    """A warning is not a protection."""
    not_done("authentication and TLS cannot be described yet")


def test_an_open_ui_and_a_known_password_are_never_silent(reference: Project) -> None:
    """Until authentication can be described."""
    reference.replace("Pulumi.k3s-flux.yaml", "      adminSecret: grafana-admin # our choice\n", "")
    found = {finding.id for finding in reference.run().findings}
    assert {"longhorn/open-ui", "monitoring/default-password"} <= found
