"""Custom kinds that something outside Flux installs: the description says so, and then nothing has to bring them."""

from __future__ import annotations

import re

import pytest

from fluxstead.core.findings import Finding, errors
from tests.conftest import Project

_MANIFESTS = """apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: site, namespace: web}
spec: {secretName: site-tls, dnsNames: [a.test], issuerRef: {kind: Issuer, name: own}}
"""


def found(project: Project, kinds: str) -> list[Finding]:
    """The errors of a cluster that has these kinds, with an application that needs one."""
    stack = project.stack_file.name
    without = re.sub(
        r"  fluxstead:(?:certificates|access):.*\n(?:    .*\n)+|      - secret: (?:cert-manager/|web-login).*\n.*\n",
        "",
        project.stack_file.read_text(),
    )
    project.stack_file.write_text(without.replace("    ui:\n      path: /longhorn\n", ""))
    project.replace(stack, "    - name: example-app\n", "    - {name: web, path: apps/web}\n    - name: example-app\n")
    if kinds:
        project.replace(stack, "    nodeCidr:", f"    kinds: {kinds}\n    nodeCidr:")
    folder = project.root / "apps/web"
    folder.mkdir(parents=True)
    (folder / "objects.yaml").write_text(_MANIFESTS)
    (folder / "kustomization.yaml").write_text("resources: [objects.yaml]\n")
    return errors(project.run().findings)


def test_a_kind_that_nothing_brings_is_an_error_which_names_the_way_out(reference: Project) -> None:
    [one] = [one for one in found(reference, "") if one.id == "coldstart/never"]
    assert "kinds: [Certificate.cert-manager.io]" in one.fix


def test_a_kind_that_the_description_has_is_there(reference: Project) -> None:
    assert not found(reference, "[Certificate.cert-manager.io, Issuer.cert-manager.io]")


def test_another_kind_of_the_same_group_does_not_do(reference: Project) -> None:
    assert [one.id for one in found(reference, "[Issuer.cert-manager.io]")] == ["coldstart/never"]


@pytest.mark.parametrize(
    "written", ["certificates.cert-manager.io", "cert-manager.io", "Certificate", "Certificate.", "cert-manager.io/v1"]
)
def test_what_is_no_kind_with_its_group_is_refused_at_its_line(reference: Project, written: str) -> None:
    [one] = found(reference, f"[{written}]")
    assert one.id == "description/value"
    assert "Certificate.cert-manager.io" in one.fix
    assert "kinds:" in reference.stack_file.read_text().splitlines()[one.source.line - 1]
