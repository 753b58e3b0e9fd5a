"""Where each cluster's Flux begins in a repository that people wrote, and what the Kustomization that begins there says."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fluxstead.checks.reading.applied_tree import KUSTOMIZE, SOURCES, identity
from fluxstead.checks.reading.patches import with_inline_patches
from fluxstead.checks.reading.store import Store, below, is_yaml, normal
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import entries_of, mapping

_MARKS = ("gotk-sync.yaml", "kind: FluxInstance", "flux-instance", "flux-operator")
_SWITCHED_OFF = frozenset({"archive", "archived", "attic", "deprecated", "disabled", "old", "retired", "unused"})


class Beginning(NamedTuple):
    """A folder of the store that a cluster's Flux begins with.

    `artifact`: the folder that is the root of what Flux gets; not the repository's root where a workflow pushes only a
    subfolder (`flux push artifact --path`). `spec`: what is known of the Kustomization that reconciles the folder.
    """

    folder: str
    artifact: str
    spec: Mapping[str, Any]
    ignored: str = ""
    """What its source leaves out, besides what `.sourceignore` says."""


@dataclass(slots=True)
class _Files:
    """What the repository's files say about Flux itself, read once."""

    synced: list[Beginning] = field(default_factory=list)
    """From what `flux bootstrap` wrote, and from instances of the Flux operator."""
    kustomizations: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    """Each Kustomization's path, the folder of its file, and its spec."""
    sources: dict[tuple[str, str], str] = field(default_factory=dict)
    """By the folder of each source's file and the source's name, what it ignores."""


def beginnings_in(store: Store) -> list[Beginning]:
    """Where Flux begins; what no cluster reconciles is left out where that can be seen."""
    files = _read(store)
    highest = [one for one in _highest(files) if store.is_folder(one.folder)]
    itself = [one for one in highest if one.spec]
    synced = [one for one in files.synced if store.is_folder(one.folder)]
    if synced:
        wider = [one for one in itself if any(_covers(one.folder, other.folder) for other in synced)]
        return [_ignoring(one, files) for one in _widest([*wider, *synced])]
    return [_ignoring(one, files) for one in _widest(_in_use(_of_clusters(highest), files))]


def _ignoring(one: Beginning, files: _Files) -> Beginning:
    name = str(mapping(one.spec, "sourceRef").get("name") or FLUX_NAMESPACE)
    found = (text for (folder, source), text in files.sources.items() if source == name and text and _covers(one.folder, folder))
    return one if one.ignored else one._replace(ignored=next(found, ""))


def _widest(found: Iterable[Beginning]) -> list[Beginning]:
    """One for each folder, and none for a folder that another one covers: it is reached from there."""
    by_folder: dict[str, Beginning] = {}
    for one in found:
        by_folder.setdefault(one.folder, one)
    itself = [folder for folder, one in by_folder.items() if one.spec]
    inside = {folder for folder in by_folder for other in itself if other != folder and _covers(other, folder)}
    return [by_folder[folder] for folder in sorted(by_folder.keys() - inside)]


def _covers(folder: str, other: str) -> bool:
    return folder in {"", other} or other.startswith(f"{folder}/")


def _of_clusters(found: list[Beginning]) -> list[Beginning]:
    """Those below `clusters`, where Flux's own layout has them; what is elsewhere is a part that is switched off."""
    depths = {one.folder: one.folder.split("/").index("clusters") for one in found if "clusters" in one.folder.split("/")}
    return [one for one in found if one.folder in depths and depths[one.folder] == min(depths.values())] or found


def _in_use(found: list[Beginning], files: _Files) -> list[Beginning]:
    """Those that say where Flux gets them from; without such a source nothing begins, and the folder was put aside.

    Only where no folder has one, as when the source was made by hand, its name has to do.
    """
    sourced = [one for one in found if _has_source(one, files)]
    named = [one for one in found if not any(part.startswith("_") or part in _SWITCHED_OFF for part in one.folder.split("/"))]
    return sourced or named or found


def _has_source(one: Beginning, files: _Files) -> bool:
    named = {str(mapping(spec, "sourceRef").get("name")) for _, folder, spec in files.kustomizations if _covers(one.folder, folder)}
    return any(name in named and _covers(one.folder, folder) for folder, name in files.sources)


def _read(store: Store) -> _Files:
    files = _Files()
    for path in below(store, ""):
        if not is_yaml(path):
            continue
        text = store.text(path)
        of_operator = any(mark in path or mark in text for mark in _MARKS)
        if not of_operator and "toolkit.fluxcd.io" not in text:
            continue
        for document in store.documents(path):
            if isinstance(document.data, Mapping):
                _take(files, path, document.data)
                if of_operator:
                    files.synced.extend(_synced(store, path, document.data))
    return files


def _take(files: _Files, path: str, data: Mapping[str, Any]) -> None:
    ref, folder = identity(data), path.rpartition("/")[0]
    if ref is None:
        return
    if ref.group == SOURCES:
        files.sources[folder, ref.name] = str(mapping(data, "spec").get("ignore") or "")
    elif ref.group == KUSTOMIZE and ref.kind == "Kustomization":
        spec = mapping(data, "spec")
        files.kustomizations.append((normal(str(spec.get("path") or "")), folder, spec))


def _highest(files: _Files) -> Iterator[Beginning]:
    """The folders of Kustomizations that are not in a directory which another one reconciles.

    One that reconciles its own folder was applied by hand once; from then on Flux begins with the directory that it names.
    """
    found = {target: (folder, spec) for target, folder, spec in files.kustomizations}
    for target, (folder, spec) in found.items():
        if any(_covers(other, folder) for other in found if other not in {target, ""}):
            continue
        if target and _covers(target, folder):
            yield Beginning(target, "", spec)
        else:
            yield Beginning(folder, "", {})


def _synced(store: Store, path: str, data: Mapping[str, Any]) -> Iterator[Beginning]:
    spec = mapping(data, "spec")
    if path.endswith("gotk-sync.yaml") and data.get("kind") == "Kustomization":
        yield Beginning(normal(str(spec.get("path") or "")), "", spec)
    # The instance itself, a release of its chart, or a file of that chart's values.
    for instance in (spec, mapping(mapping(spec, "values"), "instance"), mapping(data, "instance"), data):
        sync = mapping(instance, "sync")
        if isinstance(sync.get("path"), str):
            yield _of_instance(store, path, instance, sync)


def _of_instance(store: Store, path: str, instance: Mapping[str, Any], sync: Mapping[str, Any]) -> Beginning:
    folder, artifact = normal(str(sync["path"])), ""
    if sync.get("kind") == "OCIRepository" and not store.is_folder(folder):
        parts = path.split("/")[:-1]
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
        artifact = next((one for one in above if store.is_folder(posixpath.join(one, folder))), "")
    ref = ObjectRef(KUSTOMIZE, "Kustomization", FLUX_NAMESPACE, str(sync.get("name") or FLUX_NAMESPACE))
    patches = entries_of(mapping(instance, "kustomize"), "patches")
    source = with_inline_patches({}, ref._replace(group=SOURCES, kind=str(sync.get("kind"))), patches)
    spec = with_inline_patches({"path": str(sync["path"])}, ref, patches)
    return Beginning(posixpath.join(artifact, folder), artifact, spec, str(source.get("ignore") or ""))
