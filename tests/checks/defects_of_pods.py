"""The planted defects of whether pods can run, and nodes can leave."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

from tests.checks.planted import (
    BUNDLED,
    DEPLOYMENT,
    PLACES,
    RBAC,
    SERVICE,
    WEB,
    Planted,
    autoscaler,
    budget,
    claim,
    ingress,
    kept,
    layer,
    machine,
    obj,
    storage,
)

_ONCE = "template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'example.test/a:1.0.0'}]}}"
_POD = "{containers: [{"
_KEPT_AWAY = {"key": "gpu", "effect": "NoSchedule"}
_PLANNED = machine(name="k3s2", address="192.168.86.72", role="agent", state="planned", disks=[])


def _site(more: str) -> str:
    return DEPLOYMENT.replace(_POD, f"{{{more}, containers: [{{")


_CLAIM = claim("1Gi", "''")
_MOUNTS = "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]"
_RECREATED = "spec: {strategy: {type: Recreate}, selector"
_QUOTA = obj("ResourceQuota", "web/site", "spec: {hard: {pods: 2}}")
_BASELINE = WEB.replace("name: web", "name: web, labels: {pod-security.kubernetes.io/enforce: baseline}")


def _with(more: str, deployment: str = DEPLOYMENT) -> str:
    return deployment.replace("spec: {selector", f"spec: {{{more}, selector")


_THROUGH = "metadata: {annotations: {traefik.ingress.kubernetes.io/router.middlewares: web-strp@kubernetescrd}, "
_STRIP = obj("Middleware", "web/strip", "spec: {stripPrefix: {prefixes: [/site]}}", "traefik.io/v1alpha1")
_ROUTED = ingress("web/site", "a.test").replace("metadata: {", _THROUGH)
_TO = "spec: {podSelector: {}, egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: wb}}}]}]}"
_POLICY = obj("NetworkPolicy", "web/site", _TO, "networking.k8s.io/v1")
_JOB = obj("CronJob", "web/nightly", f"spec: {{schedule: '0 25 * * *', jobTemplate: {{spec: {{{_ONCE}}}}}}}", "batch/v1")
_NIGHTLY = "spec: {cron: 0 3 * * *, task: backup, groups: [default], retain: 3, concurrency: 1}"
_RECURRING = "spec: {cron: 0 3 * *, task: snapshot, groups: [default], retain: 3, concurrency: 1}"
_TO_SERVICE = "spec: {podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.43.0.10/32}}]}]}"
_TO_ALL = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"
_ALL = "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: system:authenticated}]"
_BALANCED = SERVICE.replace("{selector", "{type: LoadBalancer, selector")


def _labelled(labels: str) -> str:
    return claim("1Gi").replace("metadata: {", f"metadata: {{labels: {{{labels}}}, ", 1)


OF_PODS: Mapping[str, Planted] = {
    "placement/missing-node": Planted(
        files=layer("web", WEB, _site("nodeSelector: {kubernetes.io/hostname: k3s9}")),
        cure=("hostname: k3s9", "hostname: k3s1"),
        says="asks for the machine k3s9, which is not described",
        nodes=[machine()],
    ),
    "placement/missing-label": Planted(
        files=layer("web", WEB, _site("nodeSelector: {disk: ssd}")),
        cure=("disk: ssd", "disk: hdd"),
        says="asks for machines with disk=ssd",
        nodes=[machine(labels={"disk": "hdd"})],
    ),
    "placement/none-left": Planted(
        files=layer("web", WEB, _site("nodeSelector: {disk: ssd}")),
        cure=("nodeSelector:", "tolerations: [{key: gpu, operator: Exists}], nodeSelector:"),
        says="asks for disk=ssd, and k3s1, which has it, keeps its pods away by gpu",
        nodes=[machine(labels={"disk": "ssd"}, taints=[_KEPT_AWAY]), machine(name="k3s2", address="192.168.86.72")],
    ),
    "placement/nowhere": Planted(
        files=layer("web", WEB, DEPLOYMENT, DEPLOYMENT.replace("name: site}", "name: other}", 1)),
        cure=(_POD, "{tolerations: [{operator: Exists}], containers: [{"),
        says="every machine keeps 2 workloads away: Deployment web/site and 1 more",
        nodes=[machine(taints=[_KEPT_AWAY])],
    ),
    "placement/nowhere-yet": Planted(
        files=layer("web", WEB, DEPLOYMENT),
        cure=(_POD, "{tolerations: [{key: gpu, operator: Exists}], containers: [{"),
        says="until k3s2 joins, every machine keeps Deployment web/site away",
        nodes=[machine(taints=[_KEPT_AWAY]), _PLANNED],
    ),
    "placement/all-tainted": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="every machine keeps pods away",
        nodes=[machine(taints=[_KEPT_AWAY])],
    ),
    "scaling/two-numbers": Planted(
        files=layer("web", WEB, _with("replicas: 1"), autoscaler("web/site")),
        cure=("{replicas: 1, ", "{"),
        says="has replicas: 1, and HorizontalPodAutoscaler web/site scales it",
    ),
    "scaling/shared-claim": Planted(
        files=layer("web", kept(WEB), _CLAIM, _with("replicas: 2, strategy: {type: Recreate}", _site(_MOUNTS))),
        cure=("replicas: 2", "replicas: 1"),
        says="has up to 2 pods, which share the ReadWriteOnce volume",
    ),
    "scaling/rolling-claim": Planted(
        files=layer("web", kept(WEB), _CLAIM, _site(_MOUNTS)),
        cure=("spec: {selector", _RECREATED),
        says="starts a new pod before the old one gives up its volume",
    ),
    "scaling/budget-blocks-drains": Planted(
        files=layer("web", WEB, _with("replicas: 2"), budget("web/site").replace("maxUnavailable: 1", "minAvailable: 2")),
        cure=("minAvailable: 2", "minAvailable: 1"),
        says="lets none of its 2 pods be evicted",
    ),
    "pods/image-name": Planted(
        files=layer("web", WEB, DEPLOYMENT.replace("example.test/site:1.0.0", "example.test/Site:1.0.0")),
        cure=("/Site:", "/site:"),
        says="runs 'example.test/Site:1.0.0'",
    ),
    "admission/pod-security": Planted(
        files=layer("web", _BASELINE, _site("hostNetwork: true")),
        cure=("hostNetwork: true", "hostNetwork: false"),
        says="is in a namespace of Pod Security baseline, and has hostNetwork: true",
    ),
    "admission/quota-too-small": Planted(
        files=layer("web", WEB, _QUOTA, _with("replicas: 3")),
        cure=("replicas: 3", "replicas: 2"),
        says="has pods: 2, and what runs there asks for 3",
    ),
    "admission/quota-demands": Planted(
        files=layer("web", WEB, _QUOTA.replace("pods: 2", "limits.memory: 1Gi"), DEPLOYMENT),
        cure=("{name: site,", "{name: site, resources: {limits: {memory: 64Mi}},"),
        says="counts limits.memory, and container site of Deployment web/site",
    ),
    "ingress/missing-middleware": Planted(
        files=layer("web", WEB, DEPLOYMENT, SERVICE, _STRIP, _ROUTED),
        cure=("web-strp", "web-strip"),
        says="goes through middleware web-strp@kubernetescrd",
        platform=BUNDLED,
    ),
    "references/peer-nowhere": Planted(
        files=layer("web", WEB, _POLICY),
        cure=("name: wb}", "name: web}"),
        says="lets out to namespace wb",
    ),
    "units/schedule": Planted(
        files=layer("web", WEB, _JOB),
        cure=("'0 25 * * *'", "'0 5 * * *'"),
        says="has the schedule '0 25 * * *': '25' is no hour",
    ),
    "units/time-zone": Planted(
        files=layer("web", WEB, _JOB.replace("'0 25 * * *'", "'@daily', timeZone: Europe/Belrin")),
        cure=("Belrin", "Berlin"),
        says="has the time zone Europe/Belrin",
    ),
    "longhorn/schedule": Planted(
        files=storage(obj("RecurringJob", "longhorn-system/daily", _RECURRING, "longhorn.io/v1beta2")),
        cure=("0 3 * *,", "0 3 * * *,"),
        says="has the cron '0 3 * *': it has 4 fields",
    ),
    "longhorn/labels-without-source": Planted(
        files=storage(obj("RecurringJob", "longhorn-system/daily", _NIGHTLY, "longhorn.io/v1beta2"))
        | layer("web", kept(WEB), _labelled("recurring-job.longhorn.io/daily: enabled, x: y"), spec="dependsOn: [{name: storage}]"),
        cure=("x: y", "recurring-job.longhorn.io/source: enabled"),
        says="has labels of jobs that count for nothing",
    ),
    "longhorn/no-such-job": Planted(
        files=storage(obj("RecurringJob", "longhorn-system/daily", _NIGHTLY, "longhorn.io/v1beta2"))
        | layer(
            "web",
            kept(WEB),
            _labelled("recurring-job.longhorn.io/source: enabled, recurring-job.longhorn.io/dayly: enabled"),
            spec="dependsOn: [{name: storage}]",
        ),
        cure=("dayly", "daily"),
        says="asks for the job `dayly`, which is nowhere in the tree",
    ),
    "network/families": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="k3s1 has IPv4, and pods IPv6",
        nodes=[machine()],
        more={"networks": {"podCidr": [ip_network("fd00:42::/56")]}, "places": PLACES},
    ),
    "network/pod-cidr-too-small": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="has room for no nodes, and 1 are described",
        nodes=[machine()],
        more={"networks": {"podCidr": [ip_network("10.42.0.0/25")]}, "places": PLACES},
    ),
    "accounts/everybody": Planted(
        files=layer("web", WEB, obj("RoleBinding", "web/view", _TO_ALL + _ALL, RBAC)),
        cure=("system:authenticated", "developers"),
        says="grants ClusterRole view to system:authenticated",
    ),
    "ownership/no-load-balancer": Planted(
        files=layer("web", WEB, DEPLOYMENT, _BALANCED),
        cure=("LoadBalancer", "ClusterIP"),
        says="is a LoadBalancer, and nothing here gives it an address",
    ),
}
OF_PODS_AGAIN = (
    (
        "network/families",
        Planted(
            files=layer("web", WEB),
            cure=("web", "site"),
            says="pods have IPv6, and Services IPv4",
            more={
                "networks": {"podCidr": [ip_network("fd00:42::/56")], "serviceCidr": [ip_network("10.43.0.0/16")]},
                "places": PLACES,
            },
        ),
    ),
    (
        "references/peer-nowhere",
        Planted(
            files=layer("web", WEB, obj("NetworkPolicy", "web/site", _TO_SERVICE, "networking.k8s.io/v1")),
            cure=("10.43.0.10/32", "10.0.0.10/32"),
            says="lets out to 10.43.0.10/32, which are addresses of Services",
            more={"networks": {"serviceCidr": [ip_network("10.43.0.0/16")]}, "places": PLACES},
        ),
    ),
)
"""Not cured by a change of the files: `placement/all-tainted`, which is about the machines."""
OF_MACHINES = frozenset({"placement/all-tainted", "network/families", "network/pod-cidr-too-small"})
