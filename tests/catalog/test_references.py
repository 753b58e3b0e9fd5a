"""The table of what names what: where the inferred order and the checks of names disagreed, the table is right."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.catalog.references import Reference, created_secrets, references_in
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.requirement import Requirement, secret
from fluxstead.roster import SYSTEM_FACTS
from fluxstead.tree.needs import needs_of, offers_of


def obj(api_version: str, kind: str, spec: Any = None, **top: Any) -> dict[str, Any]:
    """An object of the namespace web."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it", "namespace": "web"}, "spec": spec or {}, **top}


def release(values: Any) -> dict[str, Any]:
    """A release with these values."""
    chart = {"spec": {"chart": "site", "version": "1.0.0", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}
    return obj("helm.toolkit.fluxcd.io/v2", "HelmRelease", {"chart": chart, "values": values})


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("apiregistration.k8s.io/v1", "APIService"),
        ("coordination.k8s.io/v1", "Lease"),
        ("node.k8s.io/v1", "RuntimeClass"),
        ("certificates.k8s.io/v1", "CertificateSigningRequest"),
        ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
        ("resource.k8s.io/v1", "ResourceClaim"),
        ("events.k8s.io/v1", "Event"),
    ],
)
def test_kinds_of_the_api_server_need_nobody_to_bring_them(api_version: str, kind: str) -> None:
    assert [need.kind for need in needs_of(obj(api_version, kind))] == ["Namespace"]


@pytest.mark.parametrize("nothing", ["-", ""])
def test_what_charts_call_no_class_is_none(nothing: str) -> None:
    kinds = [need.kind for need in needs_of(release({"persistence": {"storageClass": nothing}}))]
    assert "StorageClass" not in kinds
    assert "StorageClass" in [need.kind for need in needs_of(release({"persistence": {"storageClass": "fast"}}))]


@pytest.mark.parametrize(
    ("issuer", "need"),
    [
        ({"kind": "ClusterIssuer", "name": "ca"}, ObjectRef("cert-manager.io", "ClusterIssuer", "", "ca")),
        ({"kind": "Issuer", "name": "ca"}, ObjectRef("cert-manager.io", "Issuer", "web", "ca")),
        ({"name": "ca"}, ObjectRef("cert-manager.io", "Issuer", "web", "ca")),
    ],
)
def test_a_certificate_waits_for_its_issuer_and_makes_its_secret(issuer: dict[str, str], need: Requirement) -> None:
    """A pod that needs the Secret comes after it; an Ingress does not: its controller has one of its own until then."""
    certificate = obj("cert-manager.io/v1", "Certificate", {"issuerRef": issuer, "secretName": "site-tls"})
    assert need in set(needs_of(certificate))
    assert secret("web", "site-tls") in set(offers_of(certificate, SYSTEM_FACTS.charts))
    way_in = obj("networking.k8s.io/v1", "Ingress", {"tls": [{"hosts": ["a.example"], "secretName": "site-tls"}]})
    assert secret("web", "site-tls") not in set(needs_of(way_in))
    volumes = {"containers": [], "volumes": [{"name": "tls", "secret": {"secretName": "site-tls"}}]}
    assert secret("web", "site-tls") in set(needs_of(obj("v1", "Pod", volumes)))


def test_an_ingress_that_asks_for_its_certificate_brings_the_secret_itself() -> None:
    way_in = obj("networking.k8s.io/v1", "Ingress", {"tls": [{"secretName": "site-tls"}]})
    way_in["metadata"]["annotations"] = {"cert-manager.io/issuer": "ca"}
    assert list(created_secrets(way_in)) == ["site-tls"]
    assert ObjectRef("cert-manager.io", "Issuer", "web", "ca") in set(needs_of(way_in))
    assert not list(created_secrets(obj("networking.k8s.io/v1", "Ingress", {"tls": [{"secretName": "site-tls"}]})))


def test_what_is_optional_is_not_needed_and_keys_are_read_where_they_stand() -> None:
    container = {
        "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "perhaps", "optional": True}}],
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "one", "key": "a"}}}],
    }
    volumes = [{"configMap": {"name": "files", "items": [{"key": "x", "path": "x"}, {"key": "y", "path": "y"}]}}]
    template = {"template": {"spec": {"containers": [container], "volumes": volumes, "imagePullSecrets": [{"name": "pull"}]}}}
    found = list(references_in(obj("apps/v1", "Deployment", template), "web"))
    assert found == [
        Reference(ObjectRef("", "ConfigMap", "web", "files"), "configMap", ("x", "y")),
        Reference(secret("web", "all"), "secretRef"),
        Reference(secret("web", "one"), "secretKeyRef", ("a",)),
        Reference(secret("web", "pull"), "imagePullSecrets", (".dockerconfigjson",)),
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["spec", "template", "name", "tls", "x"]), inner),
    max_leaves=12,
)
KINDS = ("Pod", "Deployment", "CronJob", "Ingress", "StatefulSet", "HelmRelease", "Certificate", "HorizontalPodAutoscaler")


@given(st.sampled_from(KINDS), st.sampled_from(["", "kind", "spec", "metadata"]), ANYTHING)
def test_any_shape_is_read_without_an_error(kind: str, key: str, value: Any) -> None:
    """Malformed input: a reference without a name is skipped, not an error."""
    for one in (*references_in({"kind": kind, key: value}, "web"), *references_in({"kind": kind, "spec": {key: value}}, "web")):
        assert one.ref.name
    list(created_secrets({"kind": kind, "apiVersion": "cert-manager.io/v1", "metadata": value, "spec": value}))
