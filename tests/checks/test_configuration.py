"""References from pods and charts to ConfigMaps and Secrets: every way to make one, and everything that may create the object."""

from __future__ import annotations

import pytest

from fluxstead.core.findings import Finding
from tests.checks.planted import CONFIG, LONGHORN, WEB, Planted, ingress, layer, look, obj, release

_SECRET = obj("Secret", "web/x", "stringData: {color: 'ENC[AES256_GCM,data:x]'}")


def found(*objects: str, spec: str = "") -> list[Finding]:
    """Findings about configuration in a tree of these objects."""
    return _found(layer("web", WEB, *objects, spec=spec))


def _found(files: dict[str, str]) -> list[Finding]:
    wanted = {"references/missing-config-map", "references/missing-secret", "references/missing-values"}
    return [one for one in look(Planted(files=files, cure=("", ""), says=""), files) if one.id in wanted]


def workload(pod: str, kind: str = "Deployment") -> str:
    """A workload whose pod has this, beside its container."""
    template = f"template: {{spec: {{{pod}}}}}"
    if kind == "CronJob":
        return obj(kind, "web/site", f"spec: {{jobTemplate: {{spec: {{{template}}}}}}}", "batch/v1")
    return obj(kind, "web/site", f"spec: {{{template}}}", "batch/v1" if kind == "Job" else "apps/v1")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
@pytest.mark.parametrize(
    ("pod", "ids"),
    [
        ("volumes: [{name: a, configMap: {name: x OPTIONAL}}]", ["references/missing-config-map"]),
        ("volumes: [{name: a, secret: {secretName: x OPTIONAL}}]", ["references/missing-secret"]),
        ("volumes: [{name: a, projected: {sources: [{configMap: {name: x OPTIONAL}}]}}]", ["references/missing-config-map"]),
        ("volumes: [{name: a, projected: {sources: [{secret: {name: x OPTIONAL}}]}}]", ["references/missing-secret"]),
        ("containers: [{name: a, envFrom: [{configMapRef: {name: x OPTIONAL}}]}]", ["references/missing-config-map"]),
        ("initContainers: [{name: a, envFrom: [{secretRef: {name: x OPTIONAL}}]}]", ["references/missing-secret"]),
        (
            "containers: [{name: a, env: [{name: A, valueFrom: {configMapKeyRef: {name: x, key: k OPTIONAL}}}]}]",
            ["references/missing-config-map"],
        ),
        (
            "containers: [{name: a, env: [{name: A, valueFrom: {secretKeyRef: {name: x, key: k OPTIONAL}}}]}]",
            ["references/missing-secret"],
        ),
    ],
)
def test_every_way_to_name_one(kind: str, pod: str, ids: list[str]) -> None:
    """Optional references and existing objects give no finding."""
    required = workload(pod.replace(" OPTIONAL", ""), kind)
    assert [one.id for one in found(required)] == ids
    assert not found(workload(pod.replace(" OPTIONAL", ", optional: true"), kind))
    assert not found(required, CONFIG.replace("name: settings", "name: x"), _SECRET)


def test_a_secret_is_told_with_its_namespace_and_every_key() -> None:
    """So that it can be made from the message alone."""
    one, two = ("{name: A, valueFrom: {secretKeyRef: {name: x, key: KEY}}}".replace("KEY", key) for key in ("user", "password"))
    [finding] = found(workload(f"containers: [{{name: a, env: [{one}, {two}]}}]"))
    assert "needs Secret web/x" in finding.what
    assert "Secret x in namespace web with the keys password and user" in finding.fix
    [finding] = found(workload("imagePullSecrets: [{name: registry}]"))
    assert "with the key .dockerconfigjson" in finding.fix


@pytest.mark.parametrize(
    "maker",
    [
        obj("Certificate", "web/site", "spec: {secretName: x}", "cert-manager.io/v1"),
        obj("ExternalSecret", "web/x", "spec: {}", "external-secrets.io/v1"),
        obj("SealedSecret", "web/x", "spec: {}", "bitnami.com/v1alpha1"),
        release("web/site", "site", "1.0.0"),
        obj("Role", "web/r", "rules: [{apiGroups: [''], resources: [secrets], verbs: [create]}]", "rbac.authorization.k8s.io/v1")
        + "---\n"
        + obj("RoleBinding", "web/r", "roleRef: {kind: Role, name: r}\nsubjects: [{name: a}]", "rbac.authorization.k8s.io/v1"),
        _SECRET.replace("namespace: web,", "namespace: default, annotations: {reflector.v1.k8s.emberstack.com/a: 'true'},"),
    ],
)
def test_others_may_make_a_secret(maker: str) -> None:
    """A warning that is not true is noise."""
    pod = workload("containers: [{name: a, envFrom: [{secretRef: {name: x}}]}]")
    assert found(pod)
    assert not found(pod, maker)


def test_generators_make_them() -> None:
    """kustomize renames both ends."""
    pod = workload("containers: [{name: a, envFrom: [{configMapRef: {name: x}}]}]")
    files = {**layer("web", WEB, pod), "web/kustomization.yaml": "resources: [objects.yaml]\nnamespace: web\n"}
    assert _found(files)
    files["web/kustomization.yaml"] += "configMapGenerator: [{name: x, literals: [a=b]}]\n"
    assert not _found(files)


def test_what_charts_are_told_to_take() -> None:
    """Grafana's login and Longhorn's access to its backups."""
    admin = ", values: {grafana: {admin: {existingSecret: login}}}"
    [finding] = found(release("web/kps", "kube-prometheus-stack", "75.6.0", admin))
    assert "Secret login in namespace web with the keys admin-password and admin-user" in finding.fix
    store = "defaultBackupStore: {backupTarget: 's3://b@r/', backupTargetCredentialSecret: backup}"
    files = {path: text.replace("values: {", f"values: {{{store}, ") for path, text in LONGHORN.items()}
    [finding] = _found(files)
    assert "backup in namespace longhorn-system with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in finding.fix


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_what_flux_fills_in(kind: str) -> None:
    """A release's values and a Kustomization's variables, from the namespace of each."""
    ids = ["references/missing-secret" if kind == "Secret" else "references/missing-values"]
    values = ", valuesFrom: [{kind: KIND, name: x OPTIONAL}]".replace("KIND", kind)
    variables = "postBuild: {substituteFrom: [{kind: KIND, name: x OPTIONAL}]}".replace("KIND", kind)
    object_ = _SECRET if kind == "Secret" else CONFIG.replace("name: settings", "name: x")
    required = release("web/site", "site", "1.0.0", values.replace(" OPTIONAL", ""))
    assert [one.id for one in found(required)] == ids
    assert not found(required, object_)
    assert not found(release("web/site", "site", "1.0.0", values.replace(" OPTIONAL", ", optional: true")))
    assert [one.id for one in found(spec=variables.replace(" OPTIONAL", ""))] == ids
    assert not found(object_.replace("namespace: web", "namespace: flux-system"), spec=variables.replace(" OPTIONAL", ""))
    assert not found(spec=variables.replace(" OPTIONAL", ", optional: true"))
    assert not found(required, obj("ExternalSecret", "web/any", "spec: {target: {name: x}}", "external-secrets.io/v1"))


def test_certificates_that_nobody_is_asked_to_make() -> None:
    """cert-manager and others take an annotation for it."""
    secure = ingress("web/site", "a.test").replace("spec: {", "spec: {tls: [{hosts: [a.test], secretName: x}], ")
    [finding] = found(secure)
    assert "Secret x in namespace web with the keys tls.crt and tls.key" in finding.fix
    assert not found(secure, _SECRET)
    assert not found(secure, obj("Certificate", "web/site", "spec: {secretName: x}", "cert-manager.io/v1"))
    for key in (
        "cert-manager.io/cluster-issuer",
        "kubernetes.io/tls-acme",
        "traefik.ingress.kubernetes.io/router.tls.certresolver",
    ):
        assert not found(secure.replace("metadata: {", f"metadata: {{annotations: {{{key}: a}}, "))


def test_logins_of_service_accounts() -> None:
    """As those of pods."""
    [finding] = found(obj("ServiceAccount", "web/site", "imagePullSecrets: [{name: x}]"))
    assert "with the key .dockerconfigjson" in finding.fix
    assert not found(obj("ServiceAccount", "web/site", "imagePullSecrets: [{name: x}]"), _SECRET)
