"""Which pods a NetworkPolicy's selectors match, and where that cannot be known."""

from __future__ import annotations

import pytest

from fluxstead.core.findings import Finding
from tests.checks.planted import DEPLOYMENT, SERVICE, WEB, Planted, ingress, layer, look, obj, release

_ID = "references/policy-selects-nothing"
_OTHER = obj("Namespace", "other")
_NAMED = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}"


def found(policy: str, *more: str) -> list[str]:
    """What is said of a policy beside one Deployment whose pods have app=site."""
    text = obj("NetworkPolicy", "web/site", f"spec: {{{policy}}}", "networking.k8s.io/v1")
    files = layer("web", WEB, _OTHER, DEPLOYMENT, text, *more)
    return [one.what for one in look(Planted(files=files, cure=("", ""), says=""), files) if one.id == _ID]


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("podSelector: {matchLabels: {app: sit}}", "guards pods with app=sit"),
        ("podSelector: {matchExpressions: [{key: app, operator: In, values: [sit, cite]}]}", "app In sit, cite"),
        ("podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}", "app DoesNotExist"),
        ("podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [site]}]}", "app NotIn site"),
        ("podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: sit}}}]}]", "lets in pods"),
        (f"podSelector: {{}}, egress: [{{to: [{{podSelector: {{matchLabels: {{app: site}}}}, {_NAMED}}}]}}]", "namespace other"),
    ],
)
def test_selectors_that_meet_nobody(policy: str, says: str) -> None:
    """Both the policy's own selector and its peers'; no finding where a chart may create the pods."""
    [what] = found(policy)
    assert says in what
    assert not found(policy, release("web/a", "a", "1.0.0"), release("other/a", "b", "1.0.0"))


@pytest.mark.parametrize(
    "policy",
    [
        "podSelector: {}",
        "podSelector: {matchLabels: {app: site}}",
        "podSelector: {matchExpressions: [{key: app, operator: In, values: [site]}]}",
        "podSelector: {matchExpressions: [{key: app, operator: Exists}]}",
        "podSelector: {matchLabels: {batch.kubernetes.io/job-name: a}}",
        "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {a: b}}, namespaceSelector: {}}]}]",
        "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
    ],
)
def test_selectors_that_meet_somebody_or_may(policy: str) -> None:
    """No finding where something matches or may match."""
    assert not found(policy)


def test_what_a_kustomization_of_flux_changes_is_not_judged_as_written() -> None:
    """`spec.images` sets another tag, and `spec.namePrefix` renames both ends."""
    untagged = DEPLOYMENT.replace("site:1.0.0", "site")
    assert [finding.id for finding in _all(layer("web", WEB, untagged))] == ["versions/moving-image"]
    assert not _all(layer("web", WEB, untagged, spec="images: [{name: example.test/site, newTag: 1.0.0}]"))
    renamed = (DEPLOYMENT, SERVICE, ingress("web/site", "a.test", "x-site"))
    assert [finding.id for finding in _all(layer("web", WEB, *renamed))] == ["references/missing-service"]
    assert not _all(layer("web", WEB, *renamed, spec="namePrefix: x-"))


def _all(files: dict[str, str]) -> list[Finding]:
    return look(Planted(files=files, cure=("", ""), says=""), files)
