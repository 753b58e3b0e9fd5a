"""Which kinds the patches of a kustomization change: a check reports nothing that they could make untrue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import entries_of, mapping, merged

EVERYTHING = "*"
_KINDS = re.compile(r"\w+(?:\|\w+)*", re.ASCII)
_OF_THE_CONTENT = frozenset(
    {
        *("path", "sourceRef", "components", "images", "postBuild"),
        *("targetNamespace", "namePrefix", "nameSuffix", "commonMetadata"),
    }
)
"""Settings of a Flux Kustomization that change what it applies, besides its own patches."""

_IMAGES = {"spec": {"template": {"spec": {}}, "jobTemplate": {"spec": {"template": {"spec": {}}}}, "containers": []}}

Patch = tuple[str, Any]
"""A kind that is patched, and the patch as an object; None where it is not one, or could not be read."""


def patches_in(data: Mapping[str, Any], read: Callable[[str], Sequence[Document]]) -> Iterator[Patch]:
    """The patches of a kustomization, or of a Flux Kustomization's spec. `read` gives the documents of a patch file."""
    for entry in entries_of(data, "patches"):
        path, text = entry.get("path"), entry.get("patch")
        content = read(path) if isinstance(path, str) else documents_in(str(text), "") if text else ()
        yield from _one(entry.get("target"), [document.data for document in content])
    for entry in entries_of(data, "patchesJson6902"):
        yield from _one(entry.get("target"), [None])
    merges = data.get("patchesStrategicMerge")
    for entry in merges if isinstance(merges, list) else ():
        content = documents_in(entry, "") if "\n" in str(entry) else read(str(entry))
        yield from _one(None, [document.data for document in content])
    if data.get("images"):
        yield from ((kind, _IMAGES) for kind in WORKLOADS)
    if data.get("replicas"):
        yield from ((kind, {"spec": {"replicas": None}}) for kind in WORKLOADS)
    selecting = any({"includeSelectors", "includeTemplates", "fields"} & entry.keys() for entry in entries_of(data, "labels"))
    if data.get("commonLabels") or selecting:
        yield EVERYTHING, None


def _one(target: Any, content: Sequence[Any]) -> Iterator[Patch]:
    """By its target, which may be a pattern; without one, by what it is itself."""
    if target:
        named = target.get("kind") if isinstance(target, Mapping) else None
        kinds = named.split("|") if isinstance(named, str) and _KINDS.fullmatch(named) else [EVERYTHING]
        yield from ((kind, body if isinstance(body, Mapping) else None) for kind in kinds for body in content or [None])
        return
    for body in content or [None]:
        known = isinstance(body, Mapping) and isinstance(body.get("kind"), str)
        yield (body["kind"], body) if known else (EVERYTHING, None)


def may_set(patch: Any, way: Sequence[str]) -> bool:
    """Whether a patch may set what is at this place, or something above or below it; one that could not be read may."""
    found = patch
    for key in way:
        if not isinstance(found, Mapping):
            break
        if key not in found:
            return False
        found = found[key]
    return True


TAKEN_OVER = ("decryption", "force")


def with_patch(spec: Mapping[str, Any], patch: Any, source: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The spec of a Flux Kustomization with a patch, as far as it says what is applied; None where one cannot tell.

    `source`: that of whoever patches; many give it to all their Kustomizations in this way.
    """
    changes = patch.get("spec") if isinstance(patch, Mapping) else None
    if not isinstance(changes, Mapping):
        return None
    if changes.get("sourceRef") == source and spec.get("sourceRef", source) == source:
        changes = {key: value for key, value in changes.items() if key != "sourceRef"}
        spec = {**spec, "sourceRef": source}
    if _OF_THE_CONTENT & changes.keys():
        return None
    taken = {key: changes[key] for key in TAKEN_OVER if key in changes}
    return {**spec, **taken, "patches": [*entries_of(spec, "patches"), *entries_of(changes, "patches")]}


def with_inline_patches(spec: Mapping[str, Any], ref: ObjectRef, patches: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The spec of the object `ref` with the inline patches that are for it, as far as they set keys of the spec."""
    result = dict(spec)
    for entry in patches:
        target = mapping(entry, "target")
        for document in documents_in(str(entry.get("patch") or ""), ""):
            body = document.data
            if not _is_for(target or body, ref):
                continue
            if isinstance(body, Mapping):
                result = merged(result, mapping(body, "spec"))
            for change in body if isinstance(body, list) else ():
                path = str(change.get("path", "")) if isinstance(change, Mapping) else ""
                if path.startswith("/spec/") and path.count("/") == _DEPTH and change.get("op") in {"add", "replace"}:
                    result[path.rpartition("/")[2]] = change.get("value")
    return result


_DEPTH = 2
"""Of `/spec/key`."""


def _is_for(target: Any, ref: ObjectRef) -> bool:
    """Whether a patch is for this object: by its target, whose name may be a pattern, or by what it is itself."""
    if not isinstance(target, Mapping):
        return False
    name = target.get("name", mapping(target, "metadata").get("name", ref.name))
    try:
        named = re.fullmatch(str(name), ref.name) is not None
    except re.error:
        named = False
    return target.get("kind") == ref.kind and named
