"""Volumes and priorities of pods, two of a kind on one workload, and what Flux's own objects name."""

from __future__ import annotations

import pytest

from fluxstead.core.platform import Platform
from tests.checks.planted import (
    BUNDLED,
    DEPLOYMENT,
    HOME,
    LONGHORN,
    WEB,
    Planted,
    autoscaler,
    budget,
    claim,
    layer,
    look,
    obj,
    release,
)

_NOTIFIES = "notification.toolkit.fluxcd.io/v1beta3"
_AUTOMATES = "image.toolkit.fluxcd.io/v1"


def found(id_: str, *objects: str, platform: Platform | None = HOME) -> list[str]:
    """What one check says of a tree of these objects."""
    return _found(id_, layer("web", WEB, *objects), platform)


def _found(id_: str, files: dict[str, str], platform: Platform | None = HOME) -> list[str]:
    return [one.what for one in look(Planted(files=files, cure=("", ""), says="", platform=platform), files) if one.id == id_]


def pod(spec: str, kind: str = "Deployment") -> str:
    """The Deployment's pods with more in their spec."""
    return DEPLOYMENT.replace("{containers", f"{{{spec}, containers").replace("kind: Deployment", f"kind: {kind}")


def mounted(name: str) -> str:
    return pod(f"volumes: [{{name: a, persistentVolumeClaim: {{claimName: '{name}'}}}}]")


def test_claims_that_pods_mount() -> None:
    """A claim may be in the tree, come from a StatefulSet, or be created by an operator."""
    id_ = "references/missing-claim"
    assert found(id_, mounted("data"))
    assert not found(id_, mounted("data"), claim("1Gi"))
    assert not found(id_, mounted("${APP}"))
    assert not found(id_, mounted("data"), release("web/a", "a", "1.0.0"))
    assert not found(id_, mounted("data"), obj("ReplicationDestination", "web/a", "spec: {}", "volsync.backube/v1alpha1"))
    database = obj("StatefulSet", "web/db", "spec: {volumeClaimTemplates: [{metadata: {name: data}}]}", "apps/v1")
    assert not found(id_, mounted("data-db-0"), database)
    assert found(id_, mounted("data-other-0"), database)
    assert found(id_, mounted("data-db"), database)


def test_priorities_of_pods() -> None:
    """Kubernetes' own, the tree's, and those of charts, as far as the table knows what they bring."""
    id_ = "references/missing-priority-class"
    assert found(id_, pod("priorityClassName: high"))
    assert not found(id_, pod("priorityClassName: high"), obj("PriorityClass", "high", "value: 10", "scheduling.k8s.io/v1"))
    assert not found(id_, pod("priorityClassName: system-node-critical"))
    assert not found(id_, pod("priorityClassName: high"), release("web/a", "unheard-of", "1.0.0"))
    assert _found(id_, {**LONGHORN, **layer("web", WEB, pod("priorityClassName: high"))})
    assert not _found(id_, {**LONGHORN, **layer("web", WEB, pod("priorityClassName: longhorn-critical"))})


def test_autoscalers_of_one_workload() -> None:
    """KEDA makes one of each of its own."""
    id_ = "ownership/two-autoscalers"
    keda = obj("ScaledObject", "web/b", "spec: {scaleTargetRef: {name: site}}", "keda.sh/v1alpha1")
    assert found(id_, DEPLOYMENT, autoscaler("web/a"), keda)
    assert not found(id_, DEPLOYMENT, autoscaler("web/a"), autoscaler("web/b", "other"))
    assert not found(id_, DEPLOYMENT, autoscaler("web/a"), autoscaler("other/b"))
    assert not found(id_, DEPLOYMENT, autoscaler("web/a", "'${APP}'"), autoscaler("web/b", "'${APP}'"))


@pytest.mark.parametrize(
    ("selector", "number"),
    [
        ("{}", 1),
        ("{matchLabels: {app: site}}", 1),
        ("{matchExpressions: [{key: app, operator: In, values: [site]}]}", 1),
        ("{matchExpressions: [{key: app, operator: NotIn, values: [site]}]}", 0),
        ("{matchLabels: {app: other}}", 0),
        ("null", 0),
    ],
)
def test_budgets_that_meet(selector: str, number: int) -> None:
    """An empty selector matches every pod of the namespace, a missing one none; reported once for any number of pods."""
    second = DEPLOYMENT.replace("metadata: {namespace: web, name: site}", "metadata: {namespace: web, name: more}")
    assert len(found("ownership/two-budgets", DEPLOYMENT, second, budget("web/a"), budget("web/b", selector))) == number
    assert not found("ownership/two-budgets", DEPLOYMENT, budget("web/a"), budget("other/b", selector))


def checked(check: str, *objects: str, spec: str = "") -> list[str]:
    """What is said of one health check."""
    files = layer("web", WEB, *objects, spec=f"healthChecks: [{{{check}}}]{spec}")
    return _found("references/missing-health-check", {path: text.replace("  wait: true\n", "") for path, text in files.items()})


def test_health_checks_of_what_nobody_makes() -> None:
    """Flux's own kinds come from files only; others may come with a chart or an operator."""
    check = "apiVersion: apps/v1, kind: Deployment, name: site, namespace: web"
    assert checked(check)
    assert not checked(check, DEPLOYMENT)
    assert not checked(check, DEPLOYMENT.replace("namespace: web, ", ""))
    assert not checked(check, release("web/a", "a", "1.0.0"))
    assert not checked(check.replace("namespace: web", "namespace: kube-system"))
    assert not checked(check.replace("name: site", "name: '${APP}'"))
    assert not checked(check, spec="\n  kubeConfig: {secretRef: {name: other}}")
    assert not _found("references/missing-health-check", layer("web", WEB, spec=f"healthChecks: [{{{check}}}]"))
    released = "apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: site, namespace: web"
    assert checked(released, release("web/a", "a", "1.0.0"))
    assert not checked(released, release("web/site", "a", "1.0.0"))
    crd = "apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, name: a.example.test"
    assert checked(crd)
    assert not checked(crd, release("web/a", "a", "1.0.0"))


def test_what_flux_writes_to_and_reads_from() -> None:
    """The repository that bootstrapping makes has no file; without a description its name is not known either."""
    id_ = "references/missing-flux-object"
    scanned = obj("ImagePolicy", "web/a", "spec: {imageRepositoryRef: {name: a}}", _AUTOMATES)
    assert found(id_, scanned)
    assert not found(id_, scanned, obj("ImageRepository", "web/a", "spec: {image: a}", _AUTOMATES))
    shared = scanned.replace("{name: a}}", "{name: a, namespace: flux-system}}")
    assert not found(id_, shared, obj("ImageRepository", "flux-system/a", "spec: {image: a}", _AUTOMATES))
    writes = obj("ImageUpdateAutomation", "flux-system/a", "spec: {sourceRef: {kind: GitRepository, name: a}}", _AUTOMATES)
    assert found(id_, writes)
    assert not found(id_, writes, platform=None)
    assert not found(id_, writes.replace("GitRepository, name: a", "GitRepository, name: flux-system"), platform=BUNDLED)
    assert not found(id_, obj("Alert", "web/a", "spec: {providerRef: {name: '${WHO}'}}", _NOTIFIES))
