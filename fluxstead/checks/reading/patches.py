"""Which kinds the patches of a kustomization change: a check reports nothing that they could make untrue."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.checks.reading.store import entries_of

EVERYTHING = "*"
_KINDS = re.compile(r"\w+(?:\|\w+)*", re.ASCII)
_OF_THE_CONTENT = frozenset(
    {
        *("path", "sourceRef", "components", "images", "postBuild"),
        *("targetNamespace", "namePrefix", "nameSuffix", "commonMetadata"),
    }
)
"""Settings of a Flux Kustomization that change what it applies, besides its own patches."""

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
    if data.get("images") or data.get("replicas"):
        yield from ((kind, None) for kind in WORKLOADS)
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


def touches(patch: Any, keys: Collection[str]) -> bool:
    """Whether a patch may change one of these keys of a spec."""
    changes = patch.get("spec", {}) if isinstance(patch, Mapping) else None
    return not isinstance(changes, Mapping) or not changes.keys().isdisjoint(keys)


_TAKEN_OVER = ("decryption", "force")


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
    taken = {key: changes[key] for key in _TAKEN_OVER if key in changes}
    return {**spec, **taken, "patches": [*entries_of(spec, "patches"), *entries_of(changes, "patches")]}
