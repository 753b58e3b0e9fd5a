"""Mistakes in what fluxstead itself writes: each is noticed by a check, were it to happen in the committed tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from fluxstead.core.findings import Finding
from fluxstead.roster import judged
from tests.checks.planted import HOME, Planted, past_of
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.reference
TREE = REPOSITORY / "generated/k3s-flux"


def files(old: str = "", new: str = "") -> Mapping[str, str]:
    """The committed tree, as files of people, with something in it replaced."""
    found = {}
    for file in sorted(path for path in TREE.rglob("*.yaml")):
        found[f"generated/k3s-flux/{file.relative_to(TREE)}"] = file.read_text().replace(old, new) if old else file.read_text()
    entry = (REPOSITORY / "clusters/k3s-flux/tree.yaml").read_text()
    return {**found, "clusters/home/tree.yaml": entry}


def said(changed: Mapping[str, str]) -> set[str]:
    """The ids of what is found."""
    planted = Planted(files=changed, cure=("", ""), says="", platform=HOME)
    return {one.id for one in judged(past_of(planted, changed)) if isinstance(one, Finding)}


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("port: manager\n", "port: managr\n", "monitoring/no-such-port"),
        ("port: metrics\n", "port: metric\n", "monitoring/no-such-port"),
        ("timeout: 20m\n", "timeout: 20s\n", "releases/short-timeout"),
        ("pathType: ImplementationSpecific\n", "pathType: Prefix\n", "ingress/pattern-in-prefix"),
        ("kind: PrometheusRule\n", "kind: PrometheusRul\n", "releases/drift-exception"),
        ("- /metadata/annotations/", "- metadata/annotations/", "releases/drift-exception"),
        ("kind: CustomResourceDefinition\n", "kind: CustomResourceDefinitions\n", "releases/drift-exception"),
        ("upgrade:\n    crds: CreateReplace\n", "upgrade:\n    crds: Skip\n", "releases/crds-not-upgraded"),
        ("NilUsesHelmValues: false\n", "NilUsesHelmValues: true\n", "monitoring/not-selected"),
    ],
)
def test_a_mistake_in_the_committed_tree_is_noticed(old: str, new: str, check: str) -> None:
    """And there is none now."""
    assert any(old in text for text in files().values())
    assert check in said(files(old, new))
    assert check not in said(files())


_WRITTEN: dict[str, tuple[dict[str, Any], str]] = {
    # longhorn-manager: webhook/server/server.go, which writes its own certificate at every start.
    "CustomResourceDefinition": (
        {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": "bXkgb3du"}}}}},
        "longhorn",
    ),
    # prometheus-operator: pkg/admission/admission.go, which marks each rule that it has looked at.
    "PrometheusRule": ({"metadata": {"annotations": {"prometheus-operator-validated": "true"}}}, "kube-prometheus-stack"),
}


@pytest.mark.parametrize("kind", _WRITTEN)
def test_an_exception_from_drift_excepts_what_is_written_by_others(kind: str) -> None:
    """All of it: whatever is left would be undone at every interval, and written again."""
    live, chart = _WRITTEN[kind]
    releases = [yaml.safe_load(path.read_text()) for path in TREE.rglob("helm-release-*.yaml")]
    [release] = [one for one in releases if one["spec"]["chart"]["spec"]["chart"] == chart]
    exceptions = [one for one in release["spec"]["driftDetection"]["ignore"] if one["target"]["kind"] == kind]
    rest = json.loads(json.dumps(live))
    for path in (path for one in exceptions for path in one["paths"]):
        *way, last = path.split("/")[1:]
        holder = rest
        for key in way:
            holder = holder[key]
        del holder[last]
    assert not leaves(rest)


def leaves(data: Any) -> list[Any]:
    """What stands at the ends of nested maps."""
    return [leaf for value in data.values() for leaf in leaves(value)] if isinstance(data, dict) else [data]
