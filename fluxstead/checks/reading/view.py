"""The tree as Flux sees it: Kustomizations, the directories they reconcile, and the objects in them, from written files alone."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fluxstead.checks.reading.directory import GENERATED, Reading, moved, read_directory
from fluxstead.checks.reading.documents import Document
from fluxstead.checks.reading.patches import EVERYTHING, Patch, patches_in, with_patch
from fluxstead.checks.reading.store import Store, entries_of, normal
from fluxstead.checks.reading.variables import substituted
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef, group_of
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import mapping

KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
PRUNE = f"{KUSTOMIZE}/prune"
"""The annotation that, `disabled` on the live object, keeps Flux from deleting it."""
SOURCES = "source.toolkit.fluxcd.io"
_FLUX_ITSELF = "gotk-components.yaml"


@dataclass(slots=True)
class Unit:
    """One Flux Kustomization and what it applies. Without a document it is the entry: the directory that Flux starts from.

    `exact` is false where transformers that are not followed here can change names; `patches` can change the rest.
    """

    name: str
    namespace: str
    index: int
    document: Document | None
    parent: Unit | None
    spec: Mapping[str, Any]
    items: list[Item] = field(default_factory=list)
    children: list[Unit] = field(default_factory=list)
    exact: bool = True
    patches: list[Patch] = field(default_factory=list)
    patched: frozenset[str] = frozenset()
    """The kinds that patches change."""
    elsewhere: bool = False
    """Whether it reconciles a source other than this repository."""

    @property
    def key(self) -> str:
        """`namespace/name`, as dependencies name it."""
        return f"{self.namespace}/{self.name}"

    def changes(self, kind: str) -> bool:
        """Whether objects of this kind may be applied differently from how they are written."""
        return bool(self.patched) and (kind in self.patched or EVERYTHING in self.patched)

    @property
    def waits(self) -> bool:
        """Whether it is ready only with everything it applied."""
        return bool(self.spec.get("wait")) or bool(self.spec.get("healthChecks"))

    @property
    def dependencies(self) -> list[str]:
        """The keys of those it waits for."""
        found = self.spec.get("dependsOn")
        entries = found if isinstance(found, list) else []
        return [
            f"{entry.get('namespace') or self.namespace}/{entry.get('name')}" for entry in entries if isinstance(entry, Mapping)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One object of the tree, where it is written, and the Kustomization that applies it."""

    object: Mapping[str, Any]
    ref: ObjectRef
    document: Document
    unit: Unit

    @property
    def source(self) -> Source:
        """Where it was described, or its own place if people wrote it."""
        return self.document.source

    @property
    def exact(self) -> bool:
        """Whether its name is the one that will be applied."""
        return self.unit.exact and GENERATED not in self.object

    @property
    def whole(self) -> bool:
        """Whether it will be applied exactly as it is written."""
        return self.exact and not self.unit.changes(self.ref.kind)

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec; empty where it has none."""
        return mapping(self.object, "spec")

    def __str__(self) -> str:
        return f"{self.ref} ({self.document.path})"


@dataclass(slots=True)
class View:
    """Everything that one cluster's Flux applies. `place`: where the store's root is in the repository that Flux reads."""

    store: Store
    place: str = ""
    entries: list[Unit] = field(default_factory=list)
    units: dict[str, Unit] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    by_kind: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    by_ref: dict[ObjectRef, list[Item]] = field(default_factory=lambda: defaultdict(list))
    files: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def folder_of(self, spec: Mapping[str, Any]) -> str:
        """The directory that a Kustomization reconciles, from the store's root."""
        path = normal(str(spec.get("path") or ""))
        return normal(posixpath.relpath(path or ".", self.place)) if self.place else path

    @property
    def partial(self) -> bool:
        """Whether Flux may apply more than these files: from another source, or from templates that an operator fills in."""
        return any(unit.elsewhere for unit in self.units.values()) or "ResourceSet" in self.by_kind

    def of(self, *kinds: str) -> Iterator[Item]:
        """The objects of these kinds, whatever their group."""
        for kind in kinds:
            yield from self.by_kind.get(kind, ())

    def one(self, ref: ObjectRef) -> Item | None:
        """The object of this identity."""
        found = self.by_ref.get(ref)
        return found[0] if found else None


def view_of(store: Store, entries: Iterable[str], place: str = "") -> View:
    """Read everything that Flux reaches from these directories, whose paths are the store's."""
    view = View(store, place)
    for entry in entries:
        unit = Unit(entry or ".", FLUX_NAMESPACE, 0, None, None, {"path": posixpath.join(place, entry)})
        view.entries.append(unit)
        _read(view, unit, {})
    return view


def _read(view: View, unit: Unit, seen: dict[str, Reading]) -> None:
    """Its directory, then the Kustomizations in it. `seen`: directories read before, by path."""
    unit.index = len(view.units)
    view.units[unit.key if unit.document else f"entry {unit.name}"] = unit
    path = view.folder_of(unit.spec)
    if unit.elsewhere or not view.store.is_folder(path):
        return
    components = unit.spec.get("components")
    folders = [path, *(normal(f"{path}/{name}") for name in components if isinstance(name, str))] if components else [path]
    unit.patches.extend(patches_in(unit.spec, lambda _: ()))
    unit.exact = unit.exact and not (unit.spec.get("namePrefix") or unit.spec.get("nameSuffix"))
    for folder in folders if view.store.is_folder(path) else ():
        reading = seen.get(folder) or _directory(view, folder, seen)
        unit.exact = unit.exact and reading.exact
        unit.patches.extend(reading.patches)
        for document in reading.documents:
            _take(view, unit, document)
    inside = [item for item in unit.items if item.ref.kind == "Kustomization" and item.ref.group == KUSTOMIZE]
    for own in (item for item in inside if _is_itself(unit, item)):
        unit.patches.extend(patches_in(own.spec, lambda _: ()))
    unit.patched = frozenset(kind for kind, _ in unit.patches)
    for child in inside:
        _child(view, unit, child, seen)


def _is_itself(unit: Unit, item: Item) -> bool:
    """Whether this is what `flux bootstrap` writes: the Kustomization of the very directory that holds it."""
    return unit.document is None and normal(str(item.spec.get("path") or "")) == normal(str(unit.spec["path"]))


def reconciles_itself(unit: Unit) -> Mapping[str, Any]:
    """For the directory that Flux starts from: the spec of the Kustomization in it that reconciles it; empty where none does."""
    own = (item.spec for item in unit.items if item.ref.kind == "Kustomization" and item.ref.group == KUSTOMIZE)
    return next((spec for spec in own if normal(str(spec.get("path") or "")) == normal(str(unit.spec["path"]))), {})


def _directory(view: View, folder: str, seen: dict[str, Reading]) -> Reading:
    reading = seen[folder] = read_directory(view.store, folder) if view.store.is_folder(folder) else Reading()
    view.findings.extend(reading.findings)
    view.files |= reading.files
    return reading


def _take(view: View, unit: Unit, document: Document) -> None:
    applied = _as_applied(document, unit)
    ref = identity(applied.data)
    if ref is None or document.path.endswith(_FLUX_ITSELF):
        return
    item = Item(applied.data, ref, applied, unit)
    unit.items.append(item)
    view.items.append(item)
    view.by_kind[ref.kind].append(item)
    view.by_ref[ref].append(item)


def _as_applied(document: Document, unit: Unit) -> Document:
    """With what the Kustomization itself changes: variables and the namespace."""
    if document.generated:
        return document
    values = mapping(mapping(unit.spec, "postBuild"), "substitute")
    metadata = mapping(document.data, "metadata") if isinstance(document.data, Mapping) else {}
    control = "kustomize.toolkit.fluxcd.io/substitute"
    refused = "disabled" in (mapping(metadata, "annotations").get(control), mapping(metadata, "labels").get(control))
    if "postBuild" in unit.spec and not refused:
        document = replace(document, data=substituted(document.data, values))
    target = unit.spec.get("targetNamespace")
    return moved(document, str(target)) if target else document


def _child(view: View, parent: Unit, item: Item, seen: dict[str, Reading]) -> None:
    key = f"{item.ref.namespace}/{item.ref.name}"
    if key in view.units:
        return
    source = mapping(item.spec, "sourceRef")
    if source.get("kind") == "ExternalArtifact":
        item = _from_artifact(view, item, str(source.get("name")))
        source = mapping(item.spec, "sourceRef")
    path = view.folder_of(item.spec)
    if _is_itself(parent, item):
        view.units[key] = parent
        return
    # Another source has a root as well, and what is in ours says nothing of that.
    own = source.get("kind", "GitRepository") in ("GitRepository", "OCIRepository") and path and view.store.is_folder(path)
    child = Unit(
        item.ref.name,
        item.ref.namespace,
        0,
        item.document,
        parent,
        item.spec,
        exact=parent.exact and "${" not in path,
        elsewhere=not own and source.get("name") != FLUX_NAMESPACE,
    )
    for kind, patch in parent.patches:
        if kind in {"Kustomization", EVERYTHING}:
            changed = with_patch(child.spec, patch)
            child.spec = child.spec if changed is None else changed
            child.patches += [(EVERYTHING, None)] if changed is None else []
    parent.children.append(child)
    _read(view, child, seen)


def _from_artifact(view: View, item: Item, name: str) -> Item:
    """A Kustomization for a part of this repository that an ArtifactGenerator copies, with the path it is copied from."""
    path = f"{normal(str(item.spec.get('path') or ''))}/"
    for generator in view.of("ArtifactGenerator"):
        own = {f"@{one.get('alias')}/" for one in entries_of(generator.spec, "sources") if one.get("name") == FLUX_NAMESPACE}
        for artifact in entries_of(generator.spec, "artifacts"):
            for copy in entries_of(artifact, "copy") if artifact.get("name") == name else ():
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


def annotations_of(item: Item) -> dict[str, Any]:
    """The object's annotations as it has them in the cluster: its Kustomization may add some to all its objects."""
    own = mapping(mapping(item.object, "metadata"), "annotations")
    return {**own, **mapping(mapping(item.unit.spec, "commonMetadata"), "annotations")}


def annotation(item: Item, name: str) -> str | None:
    """One of them; None where it is missing, or not text."""
    found = annotations_of(item).get(name)
    return found if isinstance(found, str) else None


def release_key(item: Item) -> str:
    """A HelmRelease as others depend on it."""
    return f"{item.ref.namespace}/{item.ref.name}"


def releases_before(item: Item) -> list[str]:
    """The keys of the HelmReleases that this one waits for."""
    return [f"{one.get('namespace') or item.ref.namespace}/{one.get('name')}" for one in entries_of(item.spec, "dependsOn")]
