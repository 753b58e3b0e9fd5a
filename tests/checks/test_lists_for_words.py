"""A list where a word belongs: each rule that looks the word up says what it can, and no more."""

from __future__ import annotations

import pytest

from tests.checks.planted import DEPLOYMENT, WEB, Planted, ingress, layer, look, machine, obj


@pytest.mark.parametrize(
    "objects",
    [
        (WEB.replace("name: web", "name: web, labels: {pod-security.kubernetes.io/enforce: [a]}"), DEPLOYMENT),
        (
            WEB.replace("name: web", "name: web, labels: {pod-security.kubernetes.io/enforce: restricted}"),
            DEPLOYMENT.replace("{containers:", "{securityContext: {seccompProfile: {type: [1]}}, containers:"),
        ),
        (WEB, obj("IngressClass", "odd", "spec: {controller: [a]}", "networking.k8s.io/v1"), ingress("web/site", "a.example.test")),
        (WEB, DEPLOYMENT.replace("{containers:", "{tolerations: [{key: [a], effect: [b]}], containers:")),
    ],
    ids=["enforce", "seccompProfile", "controller", "tolerations"],
)
def test_a_list_where_a_word_belongs(objects: tuple[str, ...]) -> None:
    files = layer("web", *objects)
    tainted = machine(disks=[], taints=[{"key": "gpu", "effect": "NoSchedule"}])
    found = look(Planted(files=files, cure=("", ""), says="", nodes=[tainted]), files)
    assert "tree/schema" in {one.id for one in found}
