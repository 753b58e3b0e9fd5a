"""Whether pods can run, and nodes can leave, in trees that people wrote: what is said, and what is not."""

from __future__ import annotations

import pytest

from fluxstead.core.image import is_image, nearest_image
from tests.checks.planted import (
    DEPLOYMENT,
    WEB,
    Planted,
    autoscaler,
    budget,
    claim,
    kept,
    layer,
    look,
    machine,
    obj,
    release,
)

RESTRICTED = WEB.replace("name: web", "name: web, labels: {pod-security.kubernetes.io/enforce: restricted}")
GOOD = (
    "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{"
    "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}, "
)
MOUNTED = "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}], containers: [{"
QUOTA = obj("ResourceQuota", "web/site", "spec: {hard: {requests.memory: 256Mi}}")
HOSTED = "{nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [k3s9]}]}]}"
GPU = {"key": "gpu", "effect": "NoSchedule"}


def site(pod: str = "", workload: str = "") -> str:
    """The Deployment, with more in its pod and in itself."""
    text = DEPLOYMENT.replace("containers: [{", pod, 1) if pod else DEPLOYMENT
    return text.replace("spec: {selector", f"spec: {{{workload}, selector", 1) if workload else text


def found(*objects: str, **more: object) -> set[str]:
    """The ids of what is said of pods in a tree of these objects."""
    defect = Planted(files=layer("web", *objects), cure=("", ""), says="", **more)  # type: ignore[arg-type]
    kinds = ("placement/", "scaling/", "admission/", "pods/")
    return {one.id for one in look(defect, defect.files) if one.id.startswith(kinds)}


@pytest.mark.parametrize(
    ("replicas", "bound", "blocks"),
    [
        ("replicas: 2", "maxUnavailable: 0", True),
        ("replicas: 5", "minAvailable: 100%", True),
        ("replicas: 1", "minAvailable: 1", True),
        ("replicas: 1", "minAvailable: 50%", True),  # shares are rounded up
        ("replicas: 1", "maxUnavailable: 10%", False),
        ("replicas: 2", "minAvailable: 1", False),
        ("replicas: 0", "minAvailable: 1", False),
        ("replicas: 3", "minAvailable: 50%", False),
    ],
)
def test_a_budget_that_lets_no_pod_go(replicas: str, bound: str, blocks: bool) -> None:
    """Over all its pods, as the controller of budgets counts them."""
    said = found(WEB, site(workload=replicas), budget("web/site").replace("maxUnavailable: 1", bound))
    assert said == ({"scaling/budget-blocks-drains"} if blocks else set())


def test_a_budget_counts_what_the_autoscaler_keeps() -> None:
    """Its minimum, which is 1 where none is set."""
    blocking = budget("web/site").replace("maxUnavailable: 1", "minAvailable: 1")
    assert "scaling/budget-blocks-drains" in found(WEB, DEPLOYMENT, autoscaler("web/site"), blocking)
    two = autoscaler("web/site").replace("{maxReplicas: 2", "{minReplicas: 2, maxReplicas: 3")
    assert not found(WEB, DEPLOYMENT, two, blocking)


def test_a_number_beside_an_autoscaler_that_flux_leaves_alone() -> None:
    """Flux applies it once only; or the autoscaler has no choice either."""
    both = (WEB, site(workload="replicas: 1"))
    assert found(*both, autoscaler("web/site")) == {"scaling/two-numbers"}
    once = both[1].replace("name: site}", "name: site, annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}}", 1)
    assert not found(WEB, once, autoscaler("web/site"))
    assert not found(WEB, once.replace("IfNotPresent", "ifnotpresent"), autoscaler("web/site")), "Flux reads it in any case"
    assert not found(*both, autoscaler("web/site").replace("maxReplicas: 2", "minReplicas: 1, maxReplicas: 1"))


@pytest.mark.parametrize(
    ("workload", "mode", "said"),
    [
        ("", "ReadWriteOnce", {"scaling/rolling-claim"}),
        ("", "ReadWriteOncePod", {"scaling/rolling-claim"}),
        ("replicas: 3", "ReadWriteOnce", {"scaling/shared-claim"}),
        ("", "ReadWriteMany", set()),
        ("replicas: 3", "ReadWriteMany", set()),
        ("replicas: 0", "ReadWriteOnce", set()),
        ("strategy: {type: Recreate}", "ReadWriteOnce", set()),
        ("strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", "ReadWriteOnce", set()),
        ("strategy: {rollingUpdate: {maxSurge: [1]}}", "ReadWriteOnce", {"scaling/rolling-claim"}),
    ],
)
def test_a_volume_that_is_on_one_node_at_a_time(workload: str, mode: str, said: set[str]) -> None:
    """Two pods at a time need two nodes to have it."""
    mounted = claim("1Gi", "''").replace("ReadWriteOnce", mode)
    assert found(kept(WEB), mounted, site(MOUNTED, workload)) == said


def test_on_one_machine_all_pods_share_the_volume() -> None:
    """ReadWriteOnce is about nodes."""
    assert not found(kept(WEB), claim("1Gi", "''"), site(MOUNTED), nodes=[machine(state="live")])


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (("", ""), False),
        (("runAsNonRoot: true, ", ""), True),
        (("allowPrivilegeEscalation: false, ", ""), True),
        (("drop: [ALL]", "drop: [NET_RAW]"), True),
        (("type: RuntimeDefault", "type: Unconfined"), True),
        (("containers: [{", "hostPID: true, containers: [{"), True),
        (("containers: [{", "volumes: [{name: a, nfs: {server: a, path: /}}], containers: [{"), True),
        (("containers: [{", "volumes: [{name: a, emptyDir: {}}], containers: [{"), False),
        (("capabilities: {", "capabilities: {add: [SYS_ADMIN], "), True),
    ],
)
def test_pod_security_of_the_own_namespace(change: tuple[str, str], refused: bool) -> None:
    """The restricted standard, by what it asks for."""
    assert found(RESTRICTED, site(GOOD.replace(*change))) == ({"admission/pod-security"} if refused else set())
    assert not found(WEB, site(GOOD.replace(*change))), "a namespace that enforces nothing"


@pytest.mark.parametrize("values", ["", ", values: {nodeExporter: {enabled: false}}"])
def test_a_chart_that_works_on_the_host(values: str) -> None:
    """What is known of it, with its values."""
    said = found(RESTRICTED, release("web/kps", "kube-prometheus-stack", "75.6.0", values))
    assert said == (set() if values else {"admission/pod-security"})


@pytest.mark.parametrize(
    ("containers", "more", "said"),
    [
        ("{name: a, image: a, resources: {requests: {memory: 128Mi}}}", (), set()),
        ("{name: a, image: a, resources: {limits: {memory: 128Mi}}}", (), set()),
        ("{name: a, image: a, resources: {requests: {memory: 129Mi}}}", (), {"admission/quota-too-small"}),
        ("{name: a, image: a}", (), {"admission/quota-demands"}),
        (
            "{name: a, image: a}",
            (obj("LimitRange", "web/site", "spec: {limits: [{type: Container, default: {memory: 64Mi}}]}"),),
            set(),
        ),
        (
            "{name: a, image: a}",
            (obj("LimitRange", "web/site", "spec: {limits: [{type: Container, default: {memory: 1Gi}}]}"),),
            {"admission/quota-too-small"},
        ),
    ],
)
def test_a_quota_below_what_runs_there(containers: str, more: tuple[str, ...], said: set[str]) -> None:
    """Two pods of what is asked for, with what a LimitRange gives to those that ask for nothing."""
    workload = site(workload="replicas: 2").replace("{name: site, image: 'example.test/site:1.0.0'}", containers)
    assert found(WEB, QUOTA, workload, *more) == said


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        ("nodeSelector: {kubernetes.io/hostname: k3s9}", {"placement/missing-node"}),
        ("nodeName: k3s9", {"placement/missing-node"}),
        ("nodeSelector: {kubernetes.io/hostname: k3s1}", set()),
        ("nodeSelector: {disk: ssd}", {"placement/missing-label"}),
        ("nodeSelector: {disk: hdd}", set()),
        ("nodeSelector: {kubernetes.io/arch: arm64}", set()),  # the machine's own
        (
            f"affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {HOSTED}}}}}",
            {"placement/missing-node"},
        ),
    ],
)
def test_machines_that_are_not_described(pod: str, said: set[str]) -> None:
    """Names are the description's; labels, somebody may have given."""
    workload = site(f"{pod}, containers: [{{")
    assert found(WEB, workload, nodes=[machine(labels={"disk": "hdd"})]) == said
    assert not found(WEB, workload, nodes=[]), "a tree without a description"


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        ("nodeSelector: {disk: ssd}", True),
        ("nodeSelector: {disk: ssd}, tolerations: [{key: gpu, operator: Exists}]", False),
        ("nodeSelector: {disk: ssd, zone: attic}", True),  # each is there, and no machine has both
        ("nodeSelector: {zone: attic}", False),
        ("nodeSelector: {kubernetes.io/hostname: k3s1}", True),
        ("nodeSelector: {disk: [ssd]}", False),  # no text: the schema tells
    ],
)
def test_machines_that_keep_away_whom_chooses_them(pod: str, said: bool) -> None:
    """The other machine would take the pod, and does not have the label."""
    nodes = [
        machine(labels={"disk": "ssd"}, taints=[GPU]),
        machine(name="k3s2", address="192.168.86.72", labels={"zone": "attic"}),
    ]
    told = found(WEB, site(f"{pod}, containers: [{{"), nodes=nodes) & {"placement/none-left"}
    assert bool(told) is said


@pytest.mark.parametrize(
    ("toleration", "said"),
    [
        ("{operator: Exists}", {"placement/all-tainted"}),
        ("{key: gpu, operator: Exists, effect: NoSchedule}", {"placement/all-tainted"}),
        ("{key: gpu, operator: Equal, value: a}", {"placement/nowhere"}),
        ("{key: cpu, operator: Exists}", {"placement/nowhere"}),
        ("{key: gpu, operator: Exists, effect: NoExecute}", {"placement/nowhere"}),
    ],
)
def test_taints_that_every_machine_has(toleration: str, said: set[str]) -> None:
    """As the scheduler compares them."""
    workload = site(f"tolerations: [{toleration}], containers: [{{")
    assert found(WEB, workload, nodes=[machine(taints=[GPU])]) == said
    assert not found(WEB, workload, nodes=[machine(taints=[GPU]), machine(name="k3s2", address="192.168.86.72")])


@pytest.mark.parametrize(
    "image",
    ["nginx", "nginx:1.27", "ghcr.io/a/b_c-d.e:1", "localhost:5000/a", "[::1]:5000/a", f"a@sha256:{'0' * 64}", "Registry/a"],
)
def test_names_of_images(image: str) -> None:
    """What a runtime reads, a registry's port and a digest included; only a registry may be in capitals."""
    assert is_image(image)


@pytest.mark.parametrize(
    ("image", "meant"),
    [
        ("ghcr.io/Owner/Name:1.0", "ghcr.io/owner/name:1.0"),
        ("https://ghcr.io/a/b", "ghcr.io/a/b"),
        ("NGINX", "nginx"),
        ("nginx ", "nginx"),
        ("a//b", "a name such as"),
        ("a:b:c", "a name such as"),
        ("a@sha256:12", "a name such as"),
    ],
)
def test_names_of_no_image(image: str, meant: str) -> None:
    """With what was meant."""
    assert not is_image(image)
    assert nearest_image(image).startswith(meant)
