"""A cluster without an ingress controller: what needs none goes on, and what asks for a way in is told."""

from __future__ import annotations

import re

from fluxstead.core.findings import Severity
from tests.conftest import Project

SECTION = re.compile(r"  fluxstead:ingress:\n(?:    .*\n)+|      - secret: web-login\n.*\n")


def test_nothing_is_routed_and_nothing_is_missing(reference: Project) -> None:
    """No controller, no Ingress, and no root URL for Grafana."""
    text = SECTION.sub("", reference.stack_file.read_text())
    text = re.sub(r"^ +route: \{.*\n", "", text, flags=re.MULTILINE)
    text = text.replace("      route:\n        path: /grafana # our choice\n", "").replace("    ui:\n      path: /longhorn\n", "")
    reference.stack_file.write_text(text.replace("      size: 5Gi\n", "      size: 5Gi\n      route: null\n"))
    run = reference.run()
    assert not [one.text() for one in run.findings if one.severity is Severity.ERROR]
    assert run.assembled is not None
    objects = [item.ref for item in run.assembled.applied.objects]
    assert not [ref for ref in objects if ref.kind == "Ingress" or "ingress" in ref.name]
    assert not [link for plan in run.assembled.plans.values() for link in plan.links]


def test_each_described_route_is_told(reference: Project) -> None:
    """Where it is written; Longhorn's own default is simply left out."""
    reference.stack_file.write_text(
        SECTION.sub("", reference.stack_file.read_text()).replace("    ui:\n      path: /longhorn\n", "")
    )
    found = [one for one in reference.run().findings if one.severity is Severity.ERROR]
    assert {one.id for one in found} == {"tree/route-without-controller"}
    lines = reference.stack_file.read_text().splitlines()
    assert all("route" in lines[one.source.line - 1] for one in found)
    assert len(found) == 4
