"""What kustomize refuses in its own file and in those that it reads (kustomize: api/types, api/resource; fluxcd/pkg: kustomize)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.reading.documents import Document
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import at, mapping

BAD_KUSTOMIZATION = refuses("references/bad-kustomization", "F3", "apps/web/kustomization.yaml lists its own folder: `.`")
NO_OBJECT = refuses("references/no-object", "F3", "apps/web/values.yaml holds no Kubernetes object: it has no kind")

_LISTS = ("resources", "components", "bases")
_LOCAL = "config.kubernetes.io/local-config"
_COMPONENT = "Component"
FAILS = "kustomize fails on it, and nothing in the whole layer is applied (F3)"


def problems_of(listing: Document | None, path: str, *, uppermost: bool) -> Iterator[Finding]:
    """Why kustomize cannot read a kustomization. To the uppermost one Flux adds its own settings, so it may be empty."""
    data = listing.data if listing else None
    if data is None and listing is not None and listing.problem is not None:
        return
    place = listing or Document(path, None, Source(path))
    if data is not None and not isinstance(data, Mapping):
        yield bad(place, "is a list" if isinstance(data, list) else "is no kustomization", "a mapping, with `resources:`")
    elif not uppermost and not {key for key, value in (data or {}).items() if value is not None} - {"apiVersion", "kind"}:
        yield bad(place, "is empty", "resources, or a list above that leaves this folder out")
    for key in _LISTS:
        value = data.get(key) if isinstance(data, Mapping) else None
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            yield bad(place, f"has something else than a list of paths under `{key}`", f"{key}: [FILE OR FOLDER, …]")


def wrong_place(listing: Document, entry: str, kind: object, *, component: bool) -> Iterator[Finding]:
    """A Component among the resources, or anything else among the components."""
    if (kind == _COMPONENT) == component:
        return
    where, other = ("components", "resources") if component else ("resources", "components")
    what = "which is no Component" if component else "which is a Component"
    yield bad(listing, f"lists `{entry}`, {what}, under `{where}`", f"- {entry}, under {other}")


def lists_itself(listing: Document, entry: str) -> Finding:
    """A folder that is, or leads to, one above it."""
    what = f"lists its own folder: `{entry}`" if entry.strip("./") == "" else f"leads back to itself, by `{entry}`"
    return bad(listing, what, "the files of the folder, one by one")


def bad(listing: Document, what: str, fix: str) -> Finding:
    """A finding about a kustomization."""
    return BAD_KUSTOMIZATION(listing.source, what=f"{listing.path} {what}", why=FAILS, fix=fix)


def objects_in(document: Document) -> Iterator[Document]:
    """The document, or what its list holds, as kustomize takes lists apart, one in another too."""
    data = document.data
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if isinstance(kind, str) and kind.endswith("List") and isinstance(data.get("items"), list):
        for item in data["items"]:
            yield from objects_in(document._replace(data=item))
    elif data is not None and data != {}:
        yield document


def not_an_object(document: Document) -> Finding | None:
    """Why kustomize takes a document for no object; what is marked as local it drops unseen."""
    data = document.data
    missing = _missing(data)
    if missing is None or at(data, ("metadata", "annotations", _LOCAL)):
        return None
    return NO_OBJECT(
        document.source,
        what=f"{document.path} holds no Kubernetes object: {missing}",
        why="kustomize refuses the file, and nothing in the whole layer is applied (F3)",
        fix="a manifest; or a kustomization.yaml in its folder that does not list this file under resources",
    )


def _missing(data: Any) -> str | None:
    if not isinstance(data, Mapping):
        return "it is a list" if isinstance(data, list) else "it is a single value"
    if not isinstance(data.get("kind"), str) or not data["kind"]:
        return "it has no kind"
    name = mapping(data, "metadata").get("name")
    return None if isinstance(name, str) and name else "it has no metadata.name"
