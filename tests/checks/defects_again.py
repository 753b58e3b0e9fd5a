"""A second planted defect, where one rule is written in two places or looks at two things."""

from __future__ import annotations

from tests.checks.defects import DEFECTS
from tests.checks.defects_of_moves import plan, stack
from tests.checks.defects_of_pods import OF_PODS_AGAIN
from tests.checks.planted import (
    BUNDLED,
    DEPLOYMENT,
    KEEP,
    LONGHORN,
    SERVICE,
    WEB,
    Planted,
    kept,
    layer,
    machine,
    obj,
    release,
    storage,
)

_TARGETED = ", targetNamespace: web, releaseName: site"
_HOST = DEPLOYMENT.replace("{containers: [{", "{hostNetwork: true, containers: [{ports: [{containerPort: 10250}], ")

_ALERTS = "alertmanager: {alertmanagerSpec: {storage: {volumeClaimTemplate: {spec: {storageClassName: %s}}}}}"


def _route(name: str) -> str:
    """One of Traefik's own."""
    rule = "match: 'Host(`a.test`) && PathPrefix(`/x`)', kind: Rule, services: [{name: site, port: 80}]"
    return obj("IngressRoute", name, f"spec: {{routes: [{{{rule}}}]}}", "traefik.io/v1alpha1")


def _postgres(version: str) -> str:
    """What CloudNativePG runs."""
    spec = f"spec: {{instances: 1, imageName: 'ghcr.io/cloudnative-pg/postgresql:{version}', storage: {{size: 1Gi}}}}"
    return kept(obj("Cluster", "web/db", spec, "postgresql.cnpg.io/v1"))


_VOLUME = obj("Volume", "longhorn-system/data", "spec: {size: '1073741824'}", "longhorn.io/v1beta2")
"""Longhorn's own: with it goes what it holds."""

ALSO: tuple[tuple[str, Planted], ...] = (
    (
        "ownership/two-releases",
        Planted(
            files=layer("web", WEB, release("web/site", "site", "1.0.0"), release("default/a", "site", "1.0.0", _TARGETED)),
            cure=("releaseName: site", "releaseName: a"),
            says="installs the Helm release web/site",
        ),
    ),
    (
        "ownership/same-route",
        Planted(
            files=layer("web", WEB, DEPLOYMENT, SERVICE, *(_route(name) for name in ("web/a", "web/b"))),
            cure=("name: b}", "name: b, annotations: {kubernetes.io/ingress.class: inner}}"),
            says="both answer a.test/x",
            platform=BUNDLED,
        ),
    ),
    (
        "storage/prunable",
        Planted(
            files=storage(_VOLUME),
            cure=("name: data}", f"name: data, annotations: {KEEP}}}"),
            says="Volume.longhorn.io longhorn-system/data",
        ),
    ),
    (
        "moves/left",
        Planted(
            before=storage(WEB, _VOLUME),
            files=storage(WEB),
            cure=("name: web}\n\n", f"name: web}}\n---\n{kept(_VOLUME)}"),
            says="Volume.longhorn.io longhorn-system/data in HEAD",
        ),
    ),
    (
        "moves/data-version",
        Planted(
            before=layer("web", kept(WEB), _postgres("16.4")),
            files=layer("web", kept(WEB), _postgres("17.2")),
            cure=("17.2", "16.6"),
            says="runs PostgreSQL 16, and now 17, on the same claims",
            platform=None,
        ),
    ),
    (
        "longhorn/not-yet-tolerated",
        Planted(
            before=LONGHORN,
            files=LONGHORN,
            nodes=[machine(taints=[{"key": "a", "effect": "NoExecute"}])],
            cure=("chart: longhorn,", "chart: other,"),
            says="k3s1 gets the taint a:NoExecute, which Longhorn in HEAD does not tolerate",
        ),
    ),
    (
        "ownership/port-twice",
        Planted(files=layer("web", WEB, _HOST), cure=("10250", "10300"), says="which the kubelet has"),
    ),
    (
        "references/missing-file",
        Planted(
            files={
                **layer("web", WEB),
                "web/kustomization.yaml": "resources: [objects.yaml]\n"
                "configMapGenerator: [{name: a, files: [a.txt=objects.yml]}]\n",
            },
            cure=("=objects.yml", "=objects.yaml"),
            says="web/objects.yml is not in the repository",
        ),
    ),
    (
        "references/dangling-dependency",
        Planted(
            files=layer("web", WEB, release("web/site", "site", "1.0.0", ", dependsOn: [{name: sit}]")),
            cure=(", dependsOn: [{name: sit}]", ""),
            says="HelmRelease web/site depends on web/sit, which does not exist",
        ),
    ),
    (
        "secrets/in-values",
        Planted(
            files=layer("web", WEB, release("web/site", "site", "1.0.0", ", values: {env: [{name: DB_PASSWORD, value: hunter2}]}")),
            cure=("DB_PASSWORD", "DB_PASSWORD_FILE"),
            says="sets env.DB_PASSWORD",
        ),
    ),
    (
        "moves/second-release",
        Planted(
            before=layer("web", kept(WEB), kept(release("web/stack", "kube-prometheus-stack", "75.6.0"))),
            files=layer("web", kept(WEB), kept(release("web/kps", "kube-prometheus-stack", "75.6.0"))),
            cure=("name: kps", "name: stack"),
            says="HelmRelease web/stack in HEAD becomes HelmRelease web/kps",
        ),
    ),
    (
        "moves/kubernetes-version",
        Planted(
            before=plan("v1.34.1+k3s1"),
            files=plan("v1.33.1+k3s1"),
            cure=("v1.33.1", "v1.34.1"),
            says="Kubernetes v1.34.1+k3s1 in HEAD becomes v1.33.1+k3s1",
        ),
    ),
    (
        "moves/chart-claim",
        Planted(
            before=stack("grafana: {persistence: {enabled: true, storageClassName: fast}}"),
            files=stack("grafana: {persistence: {enabled: true, storageClassName: slow}}"),
            cure=("ClassName: slow", "ClassName: fast"),
            says="takes class fast at `grafana.persistence.storageClassName`, and now slow",
        ),
    ),
    (
        "moves/claim-kept",
        Planted(
            before=stack(_ALERTS % "fast"),
            files=stack(_ALERTS % "slow"),
            cure=("ClassName: slow", "ClassName: fast"),
            says="and now slow",
        ),
    ),
    (
        "dns/hosts-twice",
        Planted(
            files=layer(
                "dns", obj("ConfigMap", "kube-system/coredns-custom", "data: {a.server: 'a.test {\n\n hosts x\n\n hosts y\n\n}'}")
            ),
            cure=("hosts y", "log"),
            says="has `hosts` twice in one server block",
        ),
    ),
    (
        "moves/longhorn-version",
        Planted(
            before={path: text.replace("1.9.0", "1.9.1") for path, text in LONGHORN.items()},
            files=LONGHORN,
            cure=("1.9.0", "1.9.1"),
            says="Longhorn 1.9.1 in HEAD becomes 1.9.0",
        ),
    ),
)
PLANTED = (*DEFECTS.items(), *ALSO, *OF_PODS_AGAIN)
