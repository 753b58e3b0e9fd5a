"""Planted defects: for each check over the tree, the smallest tree that has what it looks for, and what cures it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fluxstead.checks.context import CheckContext
from fluxstead.checks.past import Past
from fluxstead.checks.reading.applied_tree import AppliedTree, read_applied_tree
from fluxstead.checks.reading.committed import Committed
from fluxstead.checks.reading.store import TextStore
from fluxstead.core.findings import Finding, Source
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.roster import SYSTEM_FACTS, judged

HOME = Platform(
    cluster="home",
    flux=Version("2.6.1"),
    kubernetes=Version("v1.33.1+k3s1"),
    disabled=frozenset({"traefik", "servicelb", "local-storage"}),
)
BUNDLED = Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"))
"""With everything that k3s brings."""
KEEP = "{kustomize.toolkit.fluxcd.io/prune: disabled}"


def layer(name: str, *objects: str, spec: str = "") -> dict[str, str]:
    """A Flux Kustomization and the one file that it reconciles."""
    return {
        f"clusters/home/{name}.yaml": (
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
            f"metadata: {{name: {name}, namespace: flux-system}}\n"
            f"spec:\n  interval: 10m\n  path: ./{name}\n  prune: true\n  wait: true\n"
            "  sourceRef: {kind: GitRepository, name: flux-system}\n" + (f"  {spec}\n" if spec else "")
        ),
        f"{name}/objects.yaml": "---\n".join(objects),
    }


def obj(kind: str, name: str, rest: str = "", api: str = "v1") -> str:
    """One object; `name` may be `namespace/name`, `rest` is YAML at the top level."""
    namespace, _, own = name.rpartition("/")
    place = f"namespace: {namespace}, " if namespace else ""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{{place}name: {own}}}\n{rest}\n"


def kept(text: str) -> str:
    """The same object, which Flux does not prune."""
    return text.replace("metadata: {", f"metadata: {{annotations: {KEEP}, ", 1)


def release(name: str, chart: str, version: str, rest: str = "") -> str:
    """A HelmRelease, and the repository of its chart."""
    namespace = name.partition("/")[0]
    source = f"sourceRef: {{kind: HelmRepository, name: {chart}}}"
    spec = f"{{chart: {{spec: {{chart: {chart}, version: {version}, {source}}}}}, interval: 10m{rest}}}"
    repository = obj("HelmRepository", f"{namespace}/{chart}", "spec: {interval: 12h, url: https://charts.example.test}", SOURCE)
    return obj("HelmRelease", name, f"spec: {spec}", "helm.toolkit.fluxcd.io/v2") + "---\n" + repository


SOURCE = "source.toolkit.fluxcd.io/v1"
WEB = obj("Namespace", "web")
CONFIG = obj("ConfigMap", "web/settings", "data: {color: blue}")
TEMPLATE = "template: {metadata: {labels: {app: site}}, spec: {containers: [{name: site, image: 'example.test/site:1.0.0'}]}}"
DEPLOYMENT = obj("Deployment", "web/site", f"spec: {{selector: {{matchLabels: {{app: site}}}}, {TEMPLATE}}}", "apps/v1")
SERVICE = obj("Service", "web/site", "spec: {selector: {app: site}, ports: [{port: 80}]}")
STORAGE = "storage.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
ACCOUNT = obj("ServiceAccount", "web/site")


def binding(kind: str, role: str, account: str, name: str = "web/site") -> str:
    """What grants a Role or a ClusterRole to a ServiceAccount of the namespace web."""
    reference = f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {role}}}"
    binds = "RoleBinding" if "/" in name else "ClusterRoleBinding"
    return obj(binds, name, f"{reference}\nsubjects: [{{kind: ServiceAccount, name: {account}, namespace: web}}]", RBAC)


def ingress(name: str, host: str, service: str = "site", port: int = 80) -> str:
    """An Ingress of one path."""
    backend = f"{{service: {{name: {service}, port: {{number: {port}}}}}}}"
    rule = f"{{host: {host}, http: {{paths: [{{path: /, pathType: Prefix, backend: {backend}}}]}}}}"
    return obj("Ingress", name, f"spec: {{rules: [{rule}]}}", "networking.k8s.io/v1")


def autoscaler(name: str, target: str = "site") -> str:
    """What scales a Deployment."""
    reference = f"{{apiVersion: apps/v1, kind: Deployment, name: {target}}}"
    return obj("HorizontalPodAutoscaler", name, f"spec: {{maxReplicas: 2, scaleTargetRef: {reference}}}", "autoscaling/v2")


def budget(name: str, selector: str = "{matchLabels: {app: site}}") -> str:
    """How many pods may be gone."""
    return obj("PodDisruptionBudget", name, f"spec: {{maxUnavailable: 1, selector: {selector}}}", "policy/v1")


def disk_node(disks: str, name: str = "longhorn-system/k3s1", scheduling: str = "true") -> str:
    """Longhorn's Node object."""
    spec = f"spec: {{name: {name.rpartition('/')[2]}, allowScheduling: {scheduling}, disks: {{{disks}}}}}"
    return kept(obj("Node", name, spec, "longhorn.io/v1beta2"))


def disk(name: str, path: str, tags: str = "hdd", rest: str = "allowScheduling: true, evictionRequested: false") -> str:
    """One disk of it."""
    return f"{name}: {{path: {path}, diskType: filesystem, tags: [{tags}], {rest}}}"


def machine(**fields: Any) -> Node:
    """A machine with one disk of 100Gi, of which 20Gi are reserved."""
    plain = {
        "name": "k3s1",
        "cluster": "home",
        "address": "192.168.86.71",
        "role": "server",
        "state": "live",
        "disks": [{"name": "a", "serial": "S1", "size": "100Gi", "mountPath": "/mnt/a", "reserved": "20Gi", "tags": ["hdd"]}],
    }
    return Node.model_validate({**plain, **fields})


LONGHORN = layer(
    "longhorn",
    kept(obj("Namespace", "longhorn-system")),
    kept(
        release(
            "longhorn-system/longhorn",
            "longhorn",
            "1.9.0",
            ", values: {persistence: {defaultClass: true, defaultClassReplicaCount: 1}}",
        )
    ),
)


def storage(*objects: str) -> dict[str, str]:
    """Longhorn, and the layer of its disks and classes."""
    return {**LONGHORN, **layer("storage", *objects, spec="dependsOn: [{name: longhorn}]")}


def storage_class(name: str, tag: str, replicas: int = 1) -> str:
    """A class of Longhorn's."""
    parameters = f"parameters: {{numberOfReplicas: '{replicas}', diskSelector: {tag}}}"
    return obj("StorageClass", name, f"provisioner: driver.longhorn.io\n{parameters}", STORAGE)


def claim(size: str, storage_class: str = "longhorn") -> str:
    """A volume that Flux does not prune."""
    spec = f"accessModes: [ReadWriteOnce], storageClassName: {storage_class}, resources: {{requests: {{storage: {size}}}}}"
    return kept(obj("PersistentVolumeClaim", "web/data", f"spec: {{{spec}}}"))


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A tree with a defect. `cure` replaces text in one of its files, and the defect is gone; `says` stands in the finding."""

    files: Mapping[str, str]
    cure: tuple[str, str]
    says: str
    platform: Platform | None = HOME
    before: Mapping[str, str] | None = None
    nodes: Sequence[Node] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    committed: Mapping[str, Any] = field(default_factory=dict)

    def cured(self) -> Mapping[str, str]:
        """The files without the defect."""
        old, new = self.cure
        assert any(old in text for text in self.files.values()), old
        return {path: text.replace(old, new) for path, text in self.files.items()}


def past_of(planted: Planted, files: Mapping[str, str]) -> Past:
    """What the rules look at for these files, with everything else as the defect has it."""
    before: dict[str, AppliedTree] = {"HEAD": _view(planted.before)} if planted.before is not None else {}
    more = {"products": {"longhorn": Version("1.9.0")}, **planted.more}
    context = CheckContext(tree=_view(files), facts=SYSTEM_FACTS, platform=planted.platform, nodes=planted.nodes, **more)
    context.earlier = before
    return Past(context, Committed(before, **planted.committed))


def look(planted: Planted, files: Mapping[str, str]) -> list[Finding]:
    """What the checks find in these files."""
    return sorted(one for one in judged(past_of(planted, files)) if isinstance(one, Finding))


def _view(files: Mapping[str, str]) -> AppliedTree:
    return read_applied_tree(TextStore(files), ["clusters/home"])


PLACES = {key: Source("Pulumi.home.yaml", 3) for key in ("flux", "version", "nodeCidr", "podCidr", "serviceCidr", "datastore")}
