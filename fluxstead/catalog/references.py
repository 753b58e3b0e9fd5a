"""What objects name, field by field: one table for the inferred order and for the checks of names.

The cold start does not read it: that proves the order, and could not miss what is missing here (`checks/objects/requirements.py`).
Sources: the API references of Kubernetes, Flux and cert-manager.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.catalog.kinds import CONTAINERS, is_namespaced, pod_in
from fluxstead.core.manifest import ObjectRef, group_of
from fluxstead.core.requirement import GroupKind, secret, storage_class
from fluxstead.core.shape import mapping

CERTIFICATES = "cert-manager.io"
_IMAGES, _NOTES, _SOURCES = (f"{part}.toolkit.fluxcd.io" for part in ("image", "notification", "source"))
_ISSUERS = {f"{CERTIFICATES}/cluster-issuer": "ClusterIssuer", f"{CERTIFICATES}/issuer": "Issuer"}
"""Annotations that ask cert-manager for the certificates of an object's TLS (cert-manager: ingress-shim)."""
PASSWORDS = "nginx.ingress.kubernetes.io/auth-secret"
"""The annotation that names who may come in, by itself or with a namespace (ingress-nginx: annotations/auth/main.go)."""
_POD = None
CLASSES = frozenset({"storageClassName", "storageClass"})
"""The keys under which claims, and the values of charts, name a StorageClass."""
NO_CLASS = frozenset({"", "-"})
"""What names no StorageClass: the empty one, and `-`, which charts turn into the empty one (Helm's usual template of a claim)."""


class Reference(NamedTuple):
    """An object names another one. `field`: the key above its name; `keys`: those read from it, where that is given."""

    ref: ObjectRef
    field: str
    keys: tuple[str, ...] = ()


class _Field(NamedTuple):
    """A field of a kind whose last key holds the name of something.

    `path`: keys from the object's top, or a pod's; `[]` is every entry of a list. `kind`: of what is named, unless one is given
    next to it. `keys`: those read from it; what `key_in` next to the name says takes precedence.
    """

    holder: GroupKind | None
    """None: every pod, wherever it is."""
    path: str
    kind: str
    group: str = ""
    keys: tuple[str, ...] = ()
    key_in: str = "key"

    def references(self, way: Sequence[str], top: Mapping[str, Any], namespace: str) -> Iterator[Reference]:
        """What is named at the end of `way`, its path, by an object of this namespace, unless it may be missing."""
        for holder in _at(top, way[:-1]):
            name = holder.get(way[-1])
            if isinstance(name, str) and name and not holder.get("optional"):
                kind, group = self._named(holder)
                place = str(holder.get("namespace") or namespace) if is_namespaced(group, kind) else ""
                yield Reference(ObjectRef(group, kind, place, name), way[-2].removesuffix("[]"), self._keys(holder))

    def _named(self, holder: Mapping[str, Any]) -> tuple[str, str]:
        kind, version = holder.get("kind"), holder.get("apiVersion")
        own = group_of(version) if isinstance(version, str) else str(holder.get("group") or self.group)
        return (kind, own) if isinstance(kind, str) else (self.kind, self.group)

    def _keys(self, holder: Mapping[str, Any]) -> tuple[str, ...]:
        said = [holder.get(self.key_in), *(one.get("key") for one in _at(holder, ["items[]"]))]
        return tuple(key for key in said if isinstance(key, str)) or self.keys


def _in_containers(path: str, kind: str) -> Iterator[_Field]:
    for holder in CONTAINERS:
        yield _Field(_POD, f"spec.{holder}[].{path}.name", kind)


_PULL = (".dockerconfigjson",)
_HELM = GroupKind("helm.toolkit.fluxcd.io", "HelmRelease")
_KUSTOMIZE = GroupKind("kustomize.toolkit.fluxcd.io", "Kustomization")
_FIELDS = (
    _Field(_POD, "spec.volumes[].configMap.name", "ConfigMap"),
    _Field(_POD, "spec.volumes[].secret.secretName", "Secret"),
    _Field(_POD, "spec.volumes[].projected.sources[].configMap.name", "ConfigMap"),
    _Field(_POD, "spec.volumes[].projected.sources[].secret.name", "Secret"),
    _Field(_POD, "spec.volumes[].persistentVolumeClaim.claimName", "PersistentVolumeClaim"),
    *_in_containers("envFrom[].configMapRef", "ConfigMap"),
    *_in_containers("envFrom[].secretRef", "Secret"),
    *_in_containers("env[].valueFrom.configMapKeyRef", "ConfigMap"),
    *_in_containers("env[].valueFrom.secretKeyRef", "Secret"),
    _Field(_POD, "spec.imagePullSecrets[].name", "Secret", keys=_PULL),
    _Field(_POD, "spec.serviceAccountName", "ServiceAccount"),
    _Field(_POD, "spec.serviceAccount", "ServiceAccount"),
    _Field(_POD, "spec.priorityClassName", "PriorityClass", "scheduling.k8s.io"),
    _Field(GroupKind("", "ServiceAccount"), "imagePullSecrets[].name", "Secret", keys=_PULL),
    _Field(GroupKind("networking.k8s.io", "Ingress"), "spec.ingressClassName", "IngressClass", "networking.k8s.io"),
    _Field(GroupKind("networking.k8s.io", "Ingress"), "spec.tls[].secretName", "Secret", keys=("tls.crt", "tls.key")),
    # Of any one key (Traefik: pkg/provider/kubernetes/crd/kubernetes.go, getAuthCredentials).
    _Field(GroupKind("traefik.io", "Middleware"), "spec.basicAuth.secret", "Secret"),
    _Field(GroupKind("traefik.io", "Middleware"), "spec.digestAuth.secret", "Secret"),
    _Field(GroupKind("", "PersistentVolumeClaim"), "spec.storageClassName", "StorageClass", "storage.k8s.io"),
    _Field(
        GroupKind("apps", "StatefulSet"),
        "spec.volumeClaimTemplates[].spec.storageClassName",
        "StorageClass",
        "storage.k8s.io",
    ),
    _Field(GroupKind(CERTIFICATES, "Certificate"), "spec.issuerRef.name", "Issuer", CERTIFICATES),
    _Field(_HELM, "spec.serviceAccountName", "ServiceAccount"),
    _Field(_HELM, "spec.valuesFrom[].name", "ConfigMap", keys=("values.yaml",), key_in="valuesKey"),
    _Field(_KUSTOMIZE, "spec.serviceAccountName", "ServiceAccount"),
    _Field(_KUSTOMIZE, "spec.postBuild.substituteFrom[].name", "ConfigMap"),
    _Field(GroupKind("autoscaling", "HorizontalPodAutoscaler"), "spec.scaleTargetRef.name", "Deployment", "apps"),
    _Field(GroupKind(_NOTES, "Alert"), "spec.providerRef.name", "Provider", _NOTES),
    _Field(
        GroupKind(_IMAGES, "ImagePolicy"),
        "spec.imageRepositoryRef.name",
        "ImageRepository",
        _IMAGES,
    ),
    _Field(
        GroupKind(_IMAGES, "ImageUpdateAutomation"),
        "spec.sourceRef.name",
        "GitRepository",
        _SOURCES,
    ),
)


def _by_holder() -> dict[GroupKind | None, list[tuple[_Field, list[str]]]]:
    found: dict[GroupKind | None, list[tuple[_Field, list[str]]]] = defaultdict(list)
    for one in _FIELDS:
        found[one.holder].append((one, one.path.split(".")))
    return found


_BY_HOLDER = _by_holder()


def references_in(obj: Mapping[str, Any], namespace: str) -> Iterator[Reference]:
    """What an object of this namespace names, in the order of the table: fields, pods, annotations, classes in a chart's values."""
    kind, group = str(obj.get("kind")), group_of(str(obj.get("apiVersion", "")))
    for one, way in _BY_HOLDER.get(GroupKind(group, kind), ()):
        yield from one.references(way, obj, namespace)
    pod = pod_in(obj)
    if pod is not None:
        for one, way in _BY_HOLDER[_POD]:
            yield from one.references(way, pod, namespace)
    annotations = mapping(mapping(obj, "metadata"), "annotations")
    passwords = annotations.get(PASSWORDS)
    if kind == "Ingress" and isinstance(passwords, str) and passwords:
        place, _, name = passwords.rpartition("/")
        yield Reference(secret(place or namespace, name), PASSWORDS, ("auth",))
    for annotation, issuer in _ISSUERS.items():
        named = annotations.get(annotation)
        if isinstance(named, str) and named:
            place = namespace if is_namespaced(CERTIFICATES, issuer) else ""
            yield Reference(ObjectRef(CERTIFICATES, issuer, place, named), annotation)
    if kind == "HelmRelease":
        yield from _classes_in(mapping(obj, "spec").get("values"))


def created_secrets(obj: Mapping[str, Any]) -> Iterator[str]:
    """The Secrets in its own namespace that are created for an object: for a Certificate, and for an Ingress that asks for one."""
    spec = mapping(obj, "spec")
    if obj.get("kind") == "Certificate" and group_of(str(obj.get("apiVersion", ""))) == CERTIFICATES:
        names = [spec.get("secretName")]
    elif not _ISSUERS.keys().isdisjoint(mapping(mapping(obj, "metadata"), "annotations")):
        names = [entry.get("secretName") for entry in _at(spec, ["tls[]"])]
    else:
        names = []
    yield from (name for name in names if isinstance(name, str))


def _classes_in(values: Any) -> Iterator[Reference]:
    """Wherever a chart's values put them."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            if key not in CLASSES or not isinstance(value, str):
                yield from _classes_in(value)
            elif value not in NO_CLASS:
                yield Reference(storage_class(value), key)
    elif isinstance(values, list):
        for value in values:
            yield from _classes_in(value)


def _at(top: Mapping[str, Any], way: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The mappings at the end of a path of keys, `[]` for each entry of a list."""
    for done, key in enumerate(way, 1):
        if key.endswith("[]"):
            entries = top.get(key[:-2])
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, Mapping):
                    yield from _at(entry, way[done:])
            return
        found = top.get(key)
        if not isinstance(found, Mapping):
            return
        top = found
    yield top
