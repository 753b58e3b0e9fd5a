"""What makes another Helm release of a HelmRelease, what does not, and which claims of charts cannot change."""

from __future__ import annotations

import pytest

from tests.checks.planted import SOURCE, WEB, Planted, kept, layer, look, obj, release


def _said(before: str, after: str, spec: str = "") -> list[str]:
    files = layer("web", WEB, after, spec=spec)
    planted = Planted(files=files, before=layer("web", WEB, before, spec=spec), cure=("", ""), says="", platform=None)
    found = look(planted, files)
    return [f"{one.id} {one.source.line}: {one.what}" for one in found if one.id.startswith("moves/")]


def _site(rest: str = "", chart: str = "site") -> str:
    return kept(release("web/site", chart, "1.0.0", rest))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", ", releaseName: web", "is the Helm release web/site, and now web/web"),
        ("", ", targetNamespace: default", "is the Helm release web/site, and now default/default-site"),
        ("", ", targetNamespace: web", "is the Helm release web/site, and now web/web-site"),
        ("", ", targetNamespace: default, releaseName: site", "is the Helm release web/site, and now default/site"),
        ("", ", storageNamespace: default", "keeps Helm's history in namespace web, and now in default"),
    ],
)
def test_another_release_for_helm(before: str, after: str, said: str) -> None:
    """Flux composes the name as soon as there is a target namespace, also where it is its own."""
    [found] = _said(_site(before), _site(after))
    assert found.startswith("moves/release-anew")
    assert said in found


def test_another_chart() -> None:
    [found] = _said(_site(), _site(chart="sites"))
    assert "installs the chart site, and now sites" in found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ", releaseName: site"),
        ("", ", storageNamespace: web"),
        ("", ", releaseName: '${NAME}'"),
        ("", ", releaseName: web, suspend: true"),
        (", targetNamespace: default", ", targetNamespace: default, releaseName: default-site"),
    ],
)
def test_the_same_release_in_other_words(before: str, after: str) -> None:
    assert _said(_site(before), _site(after)) == []


def test_a_patch_may_say_otherwise() -> None:
    patch = "patches: [{target: {kind: HelmRelease}, patch: '{spec: {releaseName: site}}'}]"
    other = patch.replace("releaseName: site", "interval: 1h")
    assert _said(_site(), _site(", releaseName: web"), patch) == []
    assert len(_said(_site(), _site(", releaseName: web"), other)) == 1


_STORAGE = "prometheus: {prometheusSpec: {storageSpec: {volumeClaimTemplate: {spec: {resources: {requests: {storage: %s}}}}}}}"
_CLASS = "alertmanager: {alertmanagerSpec: {storage: {volumeClaimTemplate: {spec: {storageClassName: %s}}}}}"
_GRAFANA = "grafana: {persistence: {enabled: true, %s}}"


def _stack(values: str, chart: str = "kube-prometheus-stack") -> str:
    return kept(release("web/stack", chart, "75.6.0", f", values: {{{values}}}"))


@pytest.mark.parametrize(
    ("before", "after", "check"),
    [
        (_STORAGE % "5Gi", _STORAGE % "2Gi", "moves/chart-claim"),
        (_STORAGE % "5Gi", _STORAGE % "6Gi", "moves/claim-kept"),
        (_CLASS % "a", _CLASS % "b", "moves/claim-kept"),
        (_GRAFANA % "size: 5Gi", _GRAFANA % "size: 2Gi", "moves/chart-claim"),
        (_GRAFANA % "size: 5Gi, type: sts", _GRAFANA % "size: 6Gi, type: sts", "moves/chart-claim"),
        (_GRAFANA % "storageClassName: a", _GRAFANA % "storageClassName: b", "moves/chart-claim"),
    ],
)
def test_claims_in_values(before: str, after: str, check: str) -> None:
    [found] = _said(_stack(before), _stack(after))
    assert found.startswith(check)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_GRAFANA % "size: 2Gi", _GRAFANA % "size: 5Gi"),
        (_GRAFANA % "size: 1Gi", _GRAFANA % "size: 1024Mi"),
        (_GRAFANA % "size: 5Gi, existingClaim: a", _GRAFANA % "size: 2Gi, existingClaim: a"),
        (_GRAFANA % "size: 5Gi", "grafana: {persistence: {enabled: false, size: 2Gi}}"),
        (_STORAGE % "5Gi", _STORAGE % "'${SIZE}'"),
    ],
)
def test_claims_that_grow_or_are_not_made(before: str, after: str) -> None:
    assert _said(_stack(before), _stack(after)) == []


def test_the_template_of_a_set_never_changes() -> None:
    before, after = (_stack(f"singleBinary: {{persistence: {{size: {size}}}}}", "loki") for size in ("5Gi", "6Gi"))
    [found] = _said(before, after)
    assert "asks for 5Gi at `singleBinary.persistence.size`, and now for 6Gi" in found


def test_a_version_that_stands_in_the_charts_source() -> None:
    """The HelmRelease itself is the same."""
    reference = ", chartRef: {kind: OCIRepository, name: longhorn}"
    helm = kept(obj("HelmRelease", "web/longhorn", f"spec: {{interval: 10m{reference}}}", "helm.toolkit.fluxcd.io/v2"))
    before, after = (
        helm
        + "---\n"
        + obj("OCIRepository", "web/longhorn", f"spec: {{url: oci://ghcr.io/mirror/longhorn, ref: {{tag: {tag}}}}}", SOURCE)
        for tag in ("1.6.2", "1.9.0")
    )
    [found] = _said(before, after)
    assert "Longhorn 1.6.2 in HEAD becomes 1.9.0, more than one minor release at once" in found


def test_a_chart_that_its_source_changes_is_told_there() -> None:
    reference = "chartRef: {kind: OCIRepository, name: site}"
    helm = kept(obj("HelmRelease", "web/site", f"spec: {{interval: 10m, {reference}}}", "helm.toolkit.fluxcd.io/v2"))
    before, after = (
        f"{helm}---\n{obj('OCIRepository', 'web/site', f'spec: {{url: oci://ghcr.io/mirror/{name}}}', SOURCE)}" for name in "ab"
    )
    [found] = _said(before, after)
    text = layer("web", WEB, after)["web/objects.yaml"].splitlines()
    line = next(number for number, each in enumerate(text, 1) if "url:" in each)
    assert found == f"moves/release-anew {line}: HelmRelease web/site in HEAD installs the chart a, and now b"
