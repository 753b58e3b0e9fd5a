"""Rows about the tree: `check` refuses each, but somebody may edit generated/ by hand and push. What Flux says of it is its own."""

from __future__ import annotations

from tests.e2e.cluster.api import Json, condition, is_ready
from tests.e2e.cluster.charts import UNRENDERED
from tests.e2e.cluster.report import RELEASE
from tests.e2e.doctor.stage import CHART, LONGHORN, REPOSITORY, TREE, Act, Row, Rows, Stage

_DNS, _NODE, _APP = "infrastructure/dns", "infrastructure/longhorn-node-k3s1/node-k3s1.yaml", "apps/example-app-dev-workload"
_LONGHORN, _MONITORING = "infrastructure/longhorn", "monitoring/kube-prometheus-stack"
_SCRAPES, _MAP = "monitoring/monitoring-scrapes", f"{_DNS}/config-map-coredns-custom.yaml"
_STACK_CHART = "monitoring-monitoring-kube-prometheus-stack"
_CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: uploads, namespace: example-app-dev}
spec: {accessModes: [ReadWriteOnce], storageClassName: longhorn-ssd, resources: {requests: {storage: 1Gi}}}
"""
_OLD_API = """apiVersion: helm.toolkit.fluxcd.io/v2beta1
kind: HelmRelease
metadata: {name: old, namespace: kube-system}
spec: {}
"""
_NOWHERE = """apiVersion: v1
kind: ConfigMap
metadata: {name: early, namespace: nowhere}
"""
_NODES = "longhorn-node-k3s1"
_UUID = "diskUUID: 6d9a2f5e-0f7e-4a1c-9d5b-6f0f5f0c1a11"


def _a_second_longhorn(stage: Stage) -> None:
    text = stage.read(f"{_LONGHORN}/helm-release-longhorn.yaml")
    renamed = text.replace("  name: longhorn\n  namespace:", "  name: again\n  namespace:", 1)
    stage.add(_LONGHORN, "again.yaml", renamed.replace("releaseName: longhorn", "releaseName: again", 1))


def _one_longhorn(stage: Stage) -> None:
    """What the doctor says to type, once the file is out of the tree, where its release stays for its annotation."""
    api = stage.cluster.api
    api.patch(*RELEASE, "again", {"spec": {"suspend": True}}, namespace=LONGHORN)
    api.delete(*RELEASE, "again", LONGHORN)
    for one in api.list("v1", "Secret", LONGHORN):
        if one["metadata"].get("labels", {}).get("name") == "again":
            api.delete("v1", "Secret", one["metadata"]["name"], LONGHORN)
    stage.cluster.reconcile(*RELEASE, "longhorn", LONGHORN)
    asked = stage.cluster.release("longhorn", LONGHORN) or {}
    request = asked["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"]

    def handled() -> bool:
        """It puts back whatever it finds otherwise, so another row waits for that."""
        status = (stage.cluster.release("longhorn", LONGHORN) or {})["status"]
        return bool(status.get("lastHandledReconcileAt") == request and is_ready(stage.cluster.release("longhorn", LONGHORN)))

    stage.cluster.eventually("the release that stays has everything", handled)


def _without_a_disk(stage: Stage) -> None:
    text = stage.read(_NODE)
    stage.edit(_NODE, text[text.index("    sdh1:\n") :], "")


def _of_another_type(stage: Stage) -> None:
    stage.edit(f"{_MONITORING}/helm-repository-prometheus-community.yaml", "spec:\n", "spec:\n  type: oci\n")


def _fetch(of_type: str) -> Act:
    """Flux looks at the source again with the chart, and at the chart with the release, each at its interval: here at once."""

    def fetch(stage: Stage) -> None:
        def arrived() -> bool:
            source: Json = stage.cluster.api.get(*REPOSITORY, "prometheus-community", "monitoring") or {}
            return bool(source["spec"].get("type", "default") == of_type)

        stage.cluster.eventually(f"the source of type {of_type}", arrived)
        stage.cluster.reconcile(*CHART, _STACK_CHART, "monitoring")
        seen = {"default": "True", "oci": "False"}[of_type]

        def looked() -> bool:
            chart = stage.cluster.api.get(*CHART, _STACK_CHART, "monitoring")
            return condition(chart).get("status") == seen

        stage.cluster.eventually(f"the chart of a source of type {of_type}", looked)
        stage.cluster.reconcile(*RELEASE, "monitoring-kube-prometheus-stack", "monitoring")

    return fetch


def _substituted(stage: Stage) -> None:
    stage.edit("infrastructure/longhorn-routes.yaml", "  prune: true\n", "  prune: true\n  postBuild:\n    substitute: {A: b}\n")
    file = "infrastructure/longhorn-routes/ingress-longhorn.yaml"
    stage.edit(file, "  annotations:\n", "  annotations:\n    note: ${HOSTNAME}\n")


def _broken(layer: str, bring: Act, words: str, follows: str = "") -> Row:
    """A layer that is not ready, in words of its own."""
    return Row(bring, f"layer {layer}", words, follows, layer=layer, breaks=layer)


def _unbuilt(layer: str, bring: Act, file: str, words: str) -> Row:
    """A layer whose files are no kustomization, which follows from the edit."""
    return Row(bring, f"tree {TREE}", f"{TREE}/{file}", f"layer {layer} is not ready: {words}", layer=layer, breaks=layer)


OF_TREES: Rows = {
    "F1 a claim before there is its storage": Row(
        lambda stage: stage.add(_APP, "claim.yaml", _CLAIM),
        "claim example-app-dev/uploads",
        "there is no StorageClass longhorn-ssd",
        "layer example-app-dev",
        layer="example-app-dev",
        breaks="example-app-dev",
    ),
    "F2 a dependency that nobody has": _broken(
        "monitoring-scrapes",
        lambda stage: stage.edit(f"{_SCRAPES}.yaml", "- name: kube-prometheus-stack", "- name: infrastructure-all"),
        "neither is there nor is described: infrastructure-all",
    ),
    "F3 a file that is not there": _unbuilt(
        "dns",
        lambda stage: stage.edit(f"{_DNS}/kustomization.yaml", "resources:\n", "resources:\n- missing.yaml\n"),
        f"{_DNS}/kustomization.yaml",
        "missing.yaml: no such file or directory",
    ),
    "F4 a chart that was never published": Row(
        lambda stage: stage.edit("infrastructure/cert-manager/helm-release-cert-manager.yaml", "1.21.1", "1.21.99"),
        "release cert-manager/cert-manager",
        "no 'cert-manager' chart with version matching",
        "layer cert-manager",
        layer="cert-manager",
        breaks="cert-manager",
    ),
    "F5 two releases of one chart": Row(
        _a_second_longhorn,
        f"release {LONGHORN}/again",
        f"which a cluster can have only once, as {LONGHORN}/longhorn does",
        right=_one_longhorn,
        layer="longhorn",
        of=("longhorn's workloads",),
    ),
    "F6 an API that is gone": _broken(
        "dns",
        lambda stage: stage.add(_DNS, "old.yaml", _OLD_API),
        'no matches for kind "HelmRelease" in version "helm.toolkit.fluxcd.io/v2beta1"',
    ),
    "F8 an object of two layers": Row(
        lambda stage: stage.add(_SCRAPES, "dns.yaml", stage.read(_MAP)),
        "layers dns and monitoring-scrapes",
        "both apply ConfigMap kube-system/coredns-custom",
        layer="monitoring-scrapes",
        of=("layer dns",),
    ),
    "F14 a disk's UUID in Git": _broken(
        _NODES,
        lambda stage: stage.edit(_NODE, "path: /mnt/longhorn/sdg1\n", f"path: /mnt/longhorn/sdg1\n      {_UUID}\n"),
        ".spec.disks.sdg1.diskUUID: field not declared in schema",
    ),
    "F17 a release that fails at each attempt": Row(
        lambda stage: stage.edit(f"{_LONGHORN}/helm-release-longhorn.yaml", "version: 1.9.2", "version: 1.9.3"),
        f"release {LONGHORN}/longhorn",
        UNRENDERED,
        "layer longhorn",
        layer="longhorn",
        breaks="longhorn",
        of=("longhorn's workloads",),
    ),
    "F20 a source of the wrong type": Row(
        _of_another_type,
        "release monitoring/monitoring-kube-prometheus-stack",
        "invalid OCI registry URL",
        right=_fetch("default"),
        layer="kube-prometheus-stack",
        breaks="kube-prometheus-stack",
        pushed=_fetch("oci"),
    ),
    "F27 a layer that left the tree": Row(
        lambda stage: stage.edit("infrastructure/kustomization.yaml", "- dns.yaml\n", ""),
        f"tree {TREE}",
        "infrastructure/kustomization.yaml",
        "layer dns is described, and not in the cluster",
        layer="dns",
        breaks="dns",
    ),
    "F28 a disk that is taken out of the Node": _broken(
        _NODES,
        _without_a_disk,
        "Please disable the disk /mnt/longhorn/sdh1 and remove all replicas first",
    )._replace(of=("disks of the Node",)),
    "U5 an object before its namespace": _broken(
        "dns", lambda stage: stage.add(_DNS, "early.yaml", _NOWHERE), 'namespaces "nowhere" not found'
    ),
    "U6 a variable that nobody escaped": _unbuilt(
        "longhorn-routes", _substituted, "infrastructure/longhorn-routes.yaml", 'variable not set (strict mode): "HOSTNAME"'
    ),
    "U8 a stale file": Row(
        lambda stage: stage.add(_DNS, "stale.yaml", stage.read(_MAP).replace("coredns-", "old-")),
        f"tree {TREE}",
        f"{TREE}/{_DNS}/stale.yaml",
        layer="dns",
    ),
}
