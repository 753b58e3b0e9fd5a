"""One directory as Flux reads it: what kustomize would build from its files, with each object's own file and line.

Real kustomize builds it where it is on the PATH (`built`); its output has no file names, so the objects read here lend
them theirs. Without it, resources, components, namespaces and generated names are followed, and what patches or
transformers do is marked: a check reports nothing that they could make untrue.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fluxstead.catalog.kinds import is_namespaced
from fluxstead.checks.reading.documents import Document
from fluxstead.checks.reading.kustomize_files import FAILS, lists_itself, not_an_object, objects_in, problems_of, wrong_place
from fluxstead.checks.reading.patches import Patch, patches_in
from fluxstead.checks.reading.store import Store, is_yaml, normal, texts_of
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import group_of
from fluxstead.core.shape import at, entries_of, mapping

MISSING_FILE = refuses(
    "references/missing-file",
    "F3",
    "apps/whoami/kustomization.yaml lists `service.yaml`: apps/whoami/service.yaml is not in the repository",
)
NOT_YAML = refuses("references/not-yaml", "F3", "apps/whoami/service.yaml is not YAML: found character that cannot start any token")

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_RENAMING = frozenset(
    {
        "transformers",
        "replacements",
        "vars",
        "generators",
        "helmCharts",
        "namePrefix",
        "nameSuffix",
    }
)


@dataclass(slots=True)
class DirectoryContent:
    """What a directory holds: documents with the namespace that applies to them, and whether that is final."""

    documents: list[Document] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    has_final_names: bool = True
    patches: list[Patch] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    used: dict[str, str] = field(default_factory=dict)
    """Files that objects are made of and that are none themselves, each with what is made of it: a kind, or a patch."""
    listed: dict[str, tuple[Document, str]] = field(default_factory=dict)
    """The kustomization that lists a file, and how."""


def read_directory(store: Store, folder: str) -> DirectoryContent:
    """What Flux would apply from `folder`."""
    content = DirectoryContent()
    _folder(store, folder, content, [])
    return content


def kustomization_in(store: Store, folder: str) -> str | None:
    """The path of a folder's kustomization file."""
    for name in KUSTOMIZATIONS:
        path = f"{folder}/{name}" if folder else name
        if store.is_file(path):
            return path
    return None


def _folder(store: Store, folder: str, content: DirectoryContent, above: list[str]) -> None:
    listing = kustomization_in(store, folder)
    if listing is None:
        _every_file(store, folder, content, above)
    elif listing not in above:
        _kustomization(store, folder, listing, content, [*above, listing])


def _every_file(store: Store, folder: str, content: DirectoryContent, above: list[str]) -> None:
    """Without a kustomization, Flux applies every manifest below the folder (fluxcd/pkg kustomize, Generator)."""
    for name in store.children(folder):
        path = f"{folder}/{name}" if folder else name
        if store.is_folder(path):
            _folder(store, path, content, above)
        elif is_yaml(path):
            _file(store, path, content)


def _file(store: Store, path: str, content: DirectoryContent) -> None:
    content.files.add(path)
    for document in store.documents(path):
        if document.problem is not None:
            content.findings.append(_not_yaml(document))
            continue
        for one in objects_in(document):
            problem = not_an_object(one)
            if problem is None:
                content.documents.append(one)
            else:
                content.findings.append(problem)


def _kustomization(store: Store, folder: str, listing: str, content: DirectoryContent, above: list[str]) -> None:
    content.files.add(listing)
    documents = store.documents(listing)
    data = documents[0].data if documents and isinstance(documents[0].data, Mapping) else {}
    if documents and documents[0].problem is not None:
        content.findings.append(_not_yaml(documents[0]))
    content.findings.extend(problems_of(documents[0] if documents else None, listing, uppermost=len(above) == 1))
    start = len(content.documents)
    for entry in [*texts_of(data, "resources"), *texts_of(data, "bases")]:
        _entry(store, folder, entry, content, above)
    generated = [*_generated(data, "configMapGenerator", "ConfigMap"), *_generated(data, "secretGenerator", "Secret")]
    content.documents.extend(Document(listing, obj, documents[0].source) for obj in generated)
    for entry in texts_of(data, "components"):
        _entry(store, folder, entry, content, above, component=True)
    if data.get("namespace"):
        _move_to(str(data["namespace"]), content, start)
    if isinstance(data.get("commonAnnotations"), Mapping):
        _annotate(data["commonAnnotations"], content, start)
    content.has_final_names = content.has_final_names and not _RENAMING & data.keys() and _only_follows_names(store, folder, data)
    content.patches.extend(patches_in(data, lambda entry: store.documents(normal(posixpath.join(folder, entry)))))
    for kind, entry in [*_patch_files(data), *_sources_of_generators(data)]:
        content.used[normal(posixpath.join(folder, entry))] = kind
        _must_be_there(store, folder, entry, documents[0], content)


def _only_follows_names(store: Store, folder: str, data: Mapping[str, Any]) -> bool:
    """Whether kustomize is only told where the names of generated objects appear, such as in a HelmRelease."""
    for entry in texts_of(data, "configurations"):
        documents = store.documents(normal(posixpath.join(folder, entry)))
        if any(not isinstance(one.data, Mapping) or one.data.keys() - {"nameReference"} for one in documents):
            return False
    return True


def _entry(store: Store, folder: str, entry: str, content: DirectoryContent, above: list[str], *, component: bool = False) -> None:
    if "://" in entry or entry.startswith(("git@", "github.com/")) or "?ref=" in entry:
        content.has_final_names = False
        return
    path, listing = normal(posixpath.join(folder, entry)), store.documents(above[-1])[0]
    if store.is_folder(path):
        inside = kustomization_in(store, path)
        if inside is None:
            content.findings.append(missing(listing, entry, f"{path} has no kustomization.yaml"))
        elif inside in above:
            content.findings.append(lists_itself(listing, entry))
        else:
            kind = next((at(one.data, ("kind",)) for one in store.documents(inside)[:1]), None)
            content.findings.extend(wrong_place(listing, entry, kind, component=component))
        _folder(store, path, content, above)
    elif store.is_file(path):
        content.listed.setdefault(path, (listing, entry))
        _file(store, path, content)
    else:
        content.findings.append(missing(listing, entry, f"{path} {store.left_out(path) or 'is not in the repository'}"))


def _must_be_there(store: Store, folder: str, entry: str, listing: Document, content: DirectoryContent) -> None:
    path = normal(posixpath.join(folder, entry))
    if "://" in entry:
        return
    if store.is_file(path):
        content.listed.setdefault(path, (listing, entry))
    else:
        content.findings.append(missing(listing, entry, f"{path} {store.left_out(path) or 'is not in the repository'}"))


PATCH = "patch"


def _patch_files(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for patch in (*entries_of(data, "patches"), *entries_of(data, "patchesJson6902")):
        if isinstance(patch.get("path"), str):
            yield PATCH, patch["path"]
    yield from ((PATCH, entry) for entry in texts_of(data, "patchesStrategicMerge") if "\n" not in entry)


def _sources_of_generators(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that ConfigMaps and Secrets are generated from."""
    for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for generator in entries_of(data, key):
            yield from ((kind, path) for _, path in files_of(generator))
            yield from ((f"{kind}'s keys", path) for path in envs_of(generator))


def files_of(generator: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys that a generator makes of files, each with the file."""
    for entry in texts_of(generator, "files"):
        key, _, path = entry.rpartition("=")
        yield key or path.rpartition("/")[2], path


def envs_of(generator: Mapping[str, Any]) -> list[str]:
    """The files of variables that a generator reads."""
    return [*texts_of(generator, "envs"), *([generator["env"]] if isinstance(generator.get("env"), str) else [])]


def _generated(data: Mapping[str, Any], key: str, kind: str) -> Iterator[dict[str, Any]]:
    for entry in entries_of(data, key):
        if isinstance(entry.get("name"), str):
            metadata = {"name": entry["name"], **({"namespace": entry["namespace"]} if entry.get("namespace") else {})}
            yield {"apiVersion": "v1", "kind": kind, "metadata": metadata, GENERATED: entry}


GENERATED = "$generated"
"""Marks an object that kustomize generates from other files; its name gets a suffix, as do references to it."""


def _move_to(namespace: str, content: DirectoryContent, start: int) -> None:
    """kustomize's namespace transformer: every namespaced object from `start` on, and a Namespace's own name."""
    for index in range(start, len(content.documents)):
        document = moved(content.documents[index], namespace)
        if isinstance(document.data, Mapping) and document.data.get("kind") == "Namespace":
            metadata = {**mapping(document.data, "metadata"), "name": namespace}
            document = document._replace(data={**document.data, "metadata": metadata})
        content.documents[index] = document


def _annotate(annotations: Mapping[str, Any], content: DirectoryContent, start: int) -> None:
    """kustomize's commonAnnotations; Flux's own, such as the one that stops substitution, are often set that way."""
    for index in range(start, len(content.documents)):
        document = content.documents[index]
        metadata = document.data.get("metadata") if isinstance(document.data, Mapping) else None
        if isinstance(metadata, Mapping):
            known = metadata.get("annotations")
            merged = {**(known if isinstance(known, Mapping) else {}), **annotations}
            data = {**document.data, "metadata": {**metadata, "annotations": merged}}
            content.documents[index] = document._replace(data=data)


def moved(document: Document, namespace: str) -> Document:
    """The document in another namespace, if its kind is namespaced."""
    data = document.data
    if not isinstance(data, Mapping) or not is_namespaced(group_of(str(data.get("apiVersion", ""))), str(data.get("kind", ""))):
        return document
    metadata = data.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("namespace") == namespace:
        return document
    return document._replace(data={**data, "metadata": {**metadata, "namespace": namespace}})


def missing(listing: Document, entry: str, what: str, fix: str = "the file, or a list without it") -> Finding:
    """A finding about a listed file or folder that Flux does not get."""
    return MISSING_FILE(
        listing.source,
        what=f"{listing.path} lists `{entry}`: {what}",
        why=FAILS,
        fix=fix,
    )


def _not_yaml(document: Document) -> Finding:
    return NOT_YAML(
        document.source,
        what=f"{document.path} is not YAML: {document.problem}",
        why=FAILS,
        fix="a manifest that parses",
    )
