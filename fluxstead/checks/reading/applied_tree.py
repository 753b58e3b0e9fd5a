"""The tree as Flux sees it: Kustomizations, the directories they reconcile, and the objects in them, from written files alone."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fluxstead.checks.reading.directory import GENERATED, DirectoryContent, moved, read_directory
from fluxstead.checks.reading.documents import Document
from fluxstead.checks.reading.patches import EVERYTHING, TAKEN_OVER, Patch, may_set, patches_in, with_patch
from fluxstead.checks.reading.store import Store, normal
from fluxstead.checks.reading.variables import substituted
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef, group_of
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import entries_of, mapping

KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
PRUNE = f"{KUSTOMIZE}/prune"
"""The annotation that, `disabled` on the live object, keeps Flux from deleting it."""
SOURCES = "source.toolkit.fluxcd.io"
HELM = "helm.toolkit.fluxcd.io"
_FLUX_ITSELF = "gotk-components.yaml"


@dataclass(slots=True)
class FluxKustomization:
    """One Flux Kustomization and what it applies. Without a document it is the entry: the directory that Flux starts from.

    `has_final_names` is false where transformers that are not followed here can change names; `patches` can change the rest.
    """

    name: str
    namespace: str
    index: int
    document: Document | None
    parent: FluxKustomization | None
    spec: Mapping[str, Any]
    objects: list[AppliedObject] = field(default_factory=list)
    children: list[FluxKustomization] = field(default_factory=list)
    has_final_names: bool = True
    patches: list[Patch] = field(default_factory=list)
    patched: frozenset[str] = frozenset()
    """The kinds that patches change."""
    elsewhere: bool = False
    """Whether it reconciles a source other than this repository."""

    @property
    def ref(self) -> ObjectRef:
        """Its identity; an entry, which is no object, has that of the Kustomization that Flux would have for it."""
        return ObjectRef(KUSTOMIZE, "Kustomization", self.namespace, self.name)

    def is_below(self, other: FluxKustomization) -> bool:
        """Whether it only exists once the other one has been applied."""
        parent = self.parent
        while parent is not None and parent is not other:
            parent = parent.parent
        return parent is other

    def changes(self, kind: str) -> bool:
        """Whether objects of this kind may be applied differently from how they are written."""
        return bool(self.patched) and (kind in self.patched or EVERYTHING in self.patched)

    @property
    def waits(self) -> bool:
        """Whether it is ready only with everything it applied."""
        return bool(self.spec.get("wait")) or bool(self.spec.get("healthChecks"))

    @property
    def dependencies(self) -> list[ObjectRef]:
        """Those it waits for."""
        return _depends_on(self.spec, self.ref)


@dataclass(frozen=True, slots=True, eq=False)
class AppliedObject:
    """One object of the tree, where it is written, and the Kustomization that applies it."""

    object: Mapping[str, Any]
    ref: ObjectRef
    document: Document
    kustomization: FluxKustomization

    @property
    def source(self) -> Source:
        """Where it was described, or its own place if people wrote it."""
        return self.document.source

    @property
    def has_final_name(self) -> bool:
        """Whether its name is the one that will be applied."""
        return self.kustomization.has_final_names and GENERATED not in self.object

    @property
    def is_final(self) -> bool:
        """Whether it will be applied exactly as it is written."""
        return self.has_final_name and not self.kustomization.changes(self.ref.kind)

    def keeps(self, *way: str) -> bool:
        """Whether it will be applied with what is written at this place, as far as patches show what they change."""
        own = {self.ref.kind, EVERYTHING}
        return self.has_final_name and not any(kind in own and may_set(patch, way) for kind, patch in self.kustomization.patches)

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec; empty where it has none."""
        return mapping(self.object, "spec")

    def __str__(self) -> str:
        return f"{self.ref} ({self.document.path})"


@dataclass(slots=True)
class AppliedTree:
    """Everything that one cluster's Flux applies. `place`: where the store's root is in the repository that Flux reads.

    `artifact`: where the root of what Flux reads is in the store, if that is only a part of it; `spec`: what is known of the
    Kustomization that reconciles the entry, which may be in no file.
    """

    store: Store
    place: str = ""
    artifact: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    entries: list[FluxKustomization] = field(default_factory=list)
    kustomizations: dict[ObjectRef | str, FluxKustomization] = field(default_factory=dict)
    """By identity; an entry, by its directory."""
    objects: list[AppliedObject] = field(default_factory=list)
    by_kind: dict[str, list[AppliedObject]] = field(default_factory=lambda: defaultdict(list))
    by_ref: dict[ObjectRef, list[AppliedObject]] = field(default_factory=lambda: defaultdict(list))
    files: set[str] = field(default_factory=set)
    used: dict[str, str] = field(default_factory=dict)
    """Files that objects are made of and that are none themselves, each with what is made of it."""
    listed: dict[str, tuple[Document, str]] = field(default_factory=dict)
    """For each file that a kustomization lists, which one does, and how."""
    findings: list[Finding] = field(default_factory=list)

    def folder_of(self, spec: Mapping[str, Any]) -> str:
        """The directory that a Kustomization reconciles, from the store's root."""
        path = normal(posixpath.join(self.artifact, normal(str(spec.get("path") or ""))))
        return normal(posixpath.relpath(path or ".", self.place)) if self.place else path

    @property
    def partial(self) -> bool:
        """Whether Flux may apply more than these files: from another source, or from templates that an operator fills in."""
        return any(kustomization.elsewhere for kustomization in self.kustomizations.values()) or "ResourceSet" in self.by_kind

    def of(self, *kinds: str) -> Iterator[AppliedObject]:
        """The objects of these kinds, whatever their group."""
        for kind in kinds:
            yield from self.by_kind.get(kind, ())

    def one(self, ref: ObjectRef) -> AppliedObject | None:
        """The object of this identity."""
        found = self.by_ref.get(ref)
        return found[0] if found else None


def read_applied_tree(
    store: Store, entries: Iterable[str], place: str = "", artifact: str = "", spec: Mapping[str, Any] | None = None
) -> AppliedTree:
    """Read everything that Flux reaches from these directories, whose paths are the store's."""
    tree = AppliedTree(store, place, artifact, spec or {})
    for entry in entries:
        path = posixpath.relpath(entry or ".", artifact) if artifact else posixpath.join(place, entry)
        kustomization = FluxKustomization(entry or ".", FLUX_NAMESPACE, 0, None, None, {**tree.spec, "path": path})
        tree.entries.append(kustomization)
        _read(tree, kustomization, {})
    return tree


def _read(tree: AppliedTree, kustomization: FluxKustomization, seen: dict[str, DirectoryContent]) -> None:
    """Its directory, then the Kustomizations in it. `seen`: directories read before, by path."""
    kustomization.index = len(tree.kustomizations)
    tree.kustomizations[kustomization.ref if kustomization.document else kustomization.name] = kustomization
    path = tree.folder_of(kustomization.spec)
    if kustomization.elsewhere or not tree.store.is_folder(path):
        return
    components = kustomization.spec.get("components")
    folders = [path, *(normal(f"{path}/{name}") for name in components if isinstance(name, str))] if components else [path]
    kustomization.patches.extend(patches_in(kustomization.spec, lambda _: ()))
    kustomization.has_final_names = kustomization.has_final_names and not (
        kustomization.spec.get("namePrefix") or kustomization.spec.get("nameSuffix")
    )
    for folder in folders if tree.store.is_folder(path) else ():
        content = seen.get(folder) or _directory(tree, folder, seen)
        kustomization.has_final_names = kustomization.has_final_names and content.has_final_names
        kustomization.patches.extend(content.patches)
        for document in content.documents:
            _take(tree, kustomization, document)
    inside = [item for item in kustomization.objects if item.ref.kind == "Kustomization" and item.ref.group == KUSTOMIZE]
    for own in (item for item in inside if _is_itself(kustomization, item)):
        kustomization.patches.extend(patches_in(own.spec, lambda _: ()))
        kustomization.spec = {**kustomization.spec, **{key: own.spec[key] for key in TAKEN_OVER if key in own.spec}}
    kustomization.patched = frozenset(kind for kind, _ in kustomization.patches)
    for child in inside:
        _child(tree, kustomization, child, seen)


def _is_itself(kustomization: FluxKustomization, item: AppliedObject) -> bool:
    """Whether this is what `flux bootstrap` writes: the Kustomization of the very directory that holds it."""
    return kustomization.document is None and normal(str(item.spec.get("path") or "")) == normal(str(kustomization.spec["path"]))


def reconciles_itself(kustomization: FluxKustomization) -> Mapping[str, Any]:
    """For the directory that Flux starts from: the spec of the Kustomization in it that reconciles it; empty where none does."""
    own = (item.spec for item in kustomization.objects if item.ref.kind == "Kustomization" and item.ref.group == KUSTOMIZE)
    return next((spec for spec in own if normal(str(spec.get("path") or "")) == normal(str(kustomization.spec["path"]))), {})


def _directory(tree: AppliedTree, folder: str, seen: dict[str, DirectoryContent]) -> DirectoryContent:
    content = seen[folder] = read_directory(tree.store, folder) if tree.store.is_folder(folder) else DirectoryContent()
    tree.findings.extend(content.findings)
    tree.files |= content.files
    tree.used |= content.used
    tree.listed |= content.listed
    return content


def _take(tree: AppliedTree, kustomization: FluxKustomization, document: Document) -> None:
    applied = _as_applied(document, kustomization)
    ref = identity(applied.data)
    if ref is None or document.path.endswith(_FLUX_ITSELF):
        return
    item = AppliedObject(applied.data, ref, applied, kustomization)
    kustomization.objects.append(item)
    tree.objects.append(item)
    tree.by_kind[ref.kind].append(item)
    tree.by_ref[ref].append(item)


def _as_applied(document: Document, kustomization: FluxKustomization) -> Document:
    """With what the Kustomization itself changes: variables and the namespace."""
    if document.generated:
        return document
    values = mapping(mapping(kustomization.spec, "postBuild"), "substitute")
    metadata = mapping(document.data, "metadata") if isinstance(document.data, Mapping) else {}
    control = "kustomize.toolkit.fluxcd.io/substitute"
    refused = "disabled" in (mapping(metadata, "annotations").get(control), mapping(metadata, "labels").get(control))
    if "postBuild" in kustomization.spec and not refused:
        document = document._replace(data=substituted(document.data, values))
    target = kustomization.spec.get("targetNamespace")
    return moved(document, str(target)) if target else document


def _child(tree: AppliedTree, parent: FluxKustomization, item: AppliedObject, seen: dict[str, DirectoryContent]) -> None:
    if item.ref in tree.kustomizations:
        return
    source = mapping(item.spec, "sourceRef")
    if source.get("kind") == "ExternalArtifact":
        item = _from_artifact(tree, item, str(source.get("name")))
        source = mapping(item.spec, "sourceRef")
    path = tree.folder_of(item.spec)
    if _is_itself(parent, item):
        tree.kustomizations[item.ref] = parent
        return
    # Another source has a root of its own, and what is in ours says nothing about it.
    own = source.get("kind", "GitRepository") in ("GitRepository", "OCIRepository") and path and tree.store.is_folder(path)
    child = FluxKustomization(
        item.ref.name,
        item.ref.namespace,
        0,
        item.document,
        parent,
        item.spec,
        has_final_names=parent.has_final_names and "${" not in path,
        elsewhere=not own and source.get("name") != FLUX_NAMESPACE,
    )
    for kind, patch in parent.patches:
        if kind in {"Kustomization", EVERYTHING}:
            changed = with_patch(child.spec, patch, mapping(parent.spec, "sourceRef"))
            child.spec = child.spec if changed is None else changed
            if changed is None:
                child.patches.append((EVERYTHING, None))
    parent.children.append(child)
    _read(tree, child, seen)


def _from_artifact(tree: AppliedTree, item: AppliedObject, name: str) -> AppliedObject:
    """A Kustomization for a part of this repository that an ArtifactGenerator copies, with the path it is copied from."""
    path = f"{normal(str(item.spec.get('path') or ''))}/"
    for generator in tree.of("ArtifactGenerator"):
        own = {f"@{one.get('alias')}/" for one in entries_of(generator.spec, "sources") if one.get("name") == FLUX_NAMESPACE}
        for artifact in entries_of(generator.spec, "artifacts"):
            if artifact.get("name") != name:
                continue
            for copy in entries_of(artifact, "copy"):
                start, target = str(copy.get("from", "")), str(copy.get("to", "")).removeprefix("@artifact/")
                alias = start[: start.find("/") + 1]
                if alias in own and start.endswith("/**") and path.startswith(target):
                    found = start.removeprefix(alias).removesuffix("**") + path.removeprefix(target)
                    spec = {**item.spec, "path": found, "sourceRef": {"kind": "GitRepository", "name": FLUX_NAMESPACE}}
                    return replace(item, object={**item.object, "spec": spec})
    return item


def identity(data: Any) -> ObjectRef | None:
    """The identity of an object; None for what is not one, such as a kustomization or Helm values."""
    if not isinstance(data, Mapping):
        return None
    kind, version, metadata = data.get("kind"), data.get("apiVersion"), data.get("metadata")
    if not isinstance(kind, str) or not isinstance(version, str) or not isinstance(metadata, Mapping):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or version.startswith("kustomize.config.k8s.io/"):
        return None
    return ObjectRef(group_of(version), kind, namespace if isinstance(namespace, str) else "", name)


def labels_of(item: AppliedObject) -> dict[str, Any]:
    """The object's labels as it has them in the cluster: its Kustomization may add some to all its objects."""
    own = mapping(mapping(item.object, "metadata"), "labels")
    return {**own, **mapping(mapping(item.kustomization.spec, "commonMetadata"), "labels")}


def annotations_of(item: AppliedObject) -> dict[str, Any]:
    """The object's annotations, likewise."""
    own = mapping(mapping(item.object, "metadata"), "annotations")
    return {**own, **mapping(mapping(item.kustomization.spec, "commonMetadata"), "annotations")}


def annotation(item: AppliedObject, name: str) -> str | None:
    """One of them; None where it is missing, or not text."""
    found = annotations_of(item).get(name)
    return found if isinstance(found, str) else None


def releases_before(item: AppliedObject) -> list[ObjectRef]:
    """The HelmReleases that this one waits for."""
    return _depends_on(item.spec, item.ref)


def _depends_on(spec: Mapping[str, Any], own: ObjectRef) -> list[ObjectRef]:
    """What `dependsOn` names: objects of the same kind, in the same namespace unless it says another."""
    return [
        own._replace(namespace=str(one.get("namespace") or own.namespace), name=str(one.get("name")))
        for one in entries_of(spec, "dependsOn")
    ]
