"""U10: pruning removed volumes with their release."""

from __future__ import annotations

from tests.checks.planted import CONFIG, DEPLOYMENT, TEMPLATE, WEB, Planted, claim, kept, layer, look, obj, release
from tests.failures.refusal import refused


def test_what_holds_data_and_can_be_pruned_is_refused() -> None:
    """A renamed file would be enough."""
    refused("U10", "storage/prunable")


def test_a_namespace_that_holds_a_claim_is_a_finding_like_the_claim() -> None:
    """With it goes everything in it, whatever the claim itself says."""
    for made in (
        claim("1Gi"),
        kept(obj("StatefulSet", "web/db", f"spec: {{volumeClaimTemplates: [{{}}], {TEMPLATE}}}", "apps/v1")),
        release("web/db", "postgresql", "16.0.0", ", values: {primary: {persistence: {enabled: true}}}"),
        release("flux-system/db", "postgresql", "16.0.0", ", targetNamespace: web, values: {storageClass: longhorn}"),
        obj("Cluster", "web/db", "spec: {storage: {storageClass: longhorn, size: 1Gi}}", "postgresql.cnpg.io/v1"),
    ):
        assert prunable(WEB, made) == ["Namespace web"]
        assert not prunable(kept(WEB), made)
        assert not prunable(WEB, made, spec="prune: false")


def test_a_namespace_without_volumes_may_go() -> None:
    """Volumes that end with their pods hold nothing."""
    ephemeral = "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: longhorn}}}}], containers"
    without = "{primary: {persistence: {enabled: false}}}"
    for made in (DEPLOYMENT.replace("containers", ephemeral), release("web/db", "site", "1.0.0", f", values: {without}"), CONFIG):
        assert not prunable(WEB, made)


def prunable(*objects: str, spec: str = "") -> list[str]:
    """What is found of these objects in one Kustomization."""
    files = layer("web", *objects)
    if spec:
        files["clusters/home/web.yaml"] = files["clusters/home/web.yaml"].replace("prune: true", spec)
    found = look(Planted(files=files, cure=("", ""), says=""), files)
    return [finding.what.partition(" (")[0] for finding in found if finding.id == "storage/prunable"]
