"""The entry, `clusters/<cluster>/tree.yaml`: the operator's own, and all that Flux knows about the tree.

What is wrong in it is reported, and then the tree is checked as if it were right: an emptied entry would switch off every other
check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from fluxstead.checks.reading.applied_tree import KUSTOMIZE, AppliedTree, identity
from fluxstead.checks.reading.directory import kustomization_in
from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.checks.reading.store import Store, line_with, normal
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import mapping
from fluxstead.tree.entry import entry_path, entry_text

WRONG_ENTRY = refuses("tree/entry", "F27", "it is empty", "the files on disk")
CHECKS = (WRONG_ENTRY,)

_ANEW = "delete it, and ./run render writes it again; or restore the committed one: git checkout -- "
_PRUNES = "Flux deletes what it no longer finds here, layer by layer"


class Entry(NamedTuple):
    """The entry of a cluster to the tree in `directory`, a path from the repository's root, as a store has it."""

    store: Store
    cluster: str
    directory: str

    @property
    def path(self) -> str:
        """Where it stands, from the project's root."""
        return entry_path(self.cluster)

    def as_written(self) -> Sequence[Document]:
        """What fluxstead writes there."""
        return documents_in(entry_text(self.cluster, self.directory), self.path)

    def findings(self) -> Iterator[Finding]:
        """Why Flux would not apply the whole tree through it, exactly once. Nothing where there is no file yet."""
        if not self.store.is_file(self.path):
            return
        documents = [one for one in self.store.documents(self.path) if one.data is not None or one.problem]
        broken = next((one for one in documents if one.problem), None)
        if broken:
            yield _wrong(broken.source, f"it is not YAML: {broken.problem}", "Flux applies nothing any more", _ANEW + self.path)
        elif not documents:
            yield _wrong(Source(self.path), "it is empty", _PRUNES, _ANEW + self.path)
        elif len(documents) > 1:
            yield _wrong(
                documents[1].source,
                f"there are {len(documents)} documents in it",
                "a tree reconciled in parts loses whatever is in none of them, such as the next group it gets",
                f"one Kustomization, for ./{self.directory}; anything of yours in files next to this one",
            )
        else:
            yield from self._kustomization(documents[0])

    def _kustomization(self, document: Document) -> Iterator[Finding]:
        ref = identity(document.data)
        if ref is None or (ref.group, ref.kind) != (KUSTOMIZE, "Kustomization"):
            yield _wrong(document.source, "it is not a Flux Kustomization", _PRUNES, _ANEW + self.path)
            return
        spec = mapping(document.data, "spec")
        for key, what, why, fix in self._differences(spec, ref.namespace):
            yield _wrong(line_with(self.store, document, f"{key}:"), what, why, fix)

    def _differences(self, spec: Mapping[str, object], namespace: str) -> Iterator[tuple[str, str, str, str]]:
        """The key, what is wrong with it, why that matters, and what to write."""
        path = str(spec.get("path") or "")
        if normal(path) != self.directory or path.startswith("../"):
            part = normal(path).startswith(f"{self.directory}/")
            yield (
                "path",
                f"it reconciles {'a part of the tree' if part else 'another directory'}, {path or 'the whole repository'}",
                f"nothing reconciles the rest, and {_PRUNES}" if part else _PRUNES,
                f"path: ./{self.directory}",
            )
        source = mapping(spec, "sourceRef")
        found = (source.get("kind"), source.get("namespace") or namespace, source.get("name"))
        if found != ("GitRepository", FLUX_NAMESPACE, FLUX_NAMESPACE):
            yield (
                "sourceRef",
                f"it reads {found[0]} {found[1]}/{found[2]}",
                "every layer of the tree reads the GitRepository flux-system, and could be at another commit than its group",
                "sourceRef: {kind: GitRepository, name: flux-system}",
            )
        if spec.get("targetNamespace") not in (None, "", FLUX_NAMESPACE):
            yield (
                "targetNamespace",
                f"it moves the tree's Kustomizations into the namespace {spec['targetNamespace']}",
                "Flux deletes those in flux-system, and with them what they applied; the new ones have no source there",
                "no targetNamespace",
            )
        for key in ("namePrefix", "nameSuffix"):
            if spec.get(key):
                yield (
                    key,
                    f"it renames the tree's Kustomizations, with {key} {spec[key]}",
                    "Flux deletes those with the old names, and with them what they applied; no dependsOn finds the new ones",
                    f"no {key}",
                )
        if spec.get("kubeConfig"):
            yield "kubeConfig", "it applies the tree to another cluster", _PRUNES, "no kubeConfig"

    def around(self, tree: AppliedTree) -> Iterator[Finding]:
        """A kustomization in the entry's folder that leaves it out or changes it."""
        listing = kustomization_in(self.store, self.path.rpartition("/")[0])
        if listing is None:
            return
        if self.path not in tree.files:
            yield _wrong(
                Source(listing),
                "it does not list tree.yaml",
                f"Flux does not read the tree: {_PRUNES}",
                "- tree.yaml, under resources",
            )
        for kustomization in tree.kustomizations.values():
            if kustomization.document and kustomization.document.path == self.path:
                for _, what, why, fix in self._differences(kustomization.spec, kustomization.namespace):
                    yield _wrong(
                        Source(listing), f"with its changes to tree.yaml, {what}", why, f"{fix}, in what Flux gets after them"
                    )

    def renamed(self, tree: AppliedTree, before: Mapping[str, AppliedTree]) -> Iterator[Finding]:
        """The root of the tree under another name than in a commit."""
        now = self._root(tree)
        for commit, old in before.items():
            was = self._root(old)
            if now and was and now != was:
                yield _wrong(
                    Source(self.path),
                    f"the tree's Kustomization is {was.qualified_name} in {commit}, and now {now.qualified_name}",
                    "Flux deletes the old one, and with it every group, before the new one has taken them over (F27)",
                    f"{was.name}, in the namespace {was.namespace}",
                )
                return

    def _root(self, tree: AppliedTree) -> ObjectRef | None:
        own = (
            kustomization
            for kustomization in tree.kustomizations.values()
            if kustomization.document and kustomization.document.path == self.path
        )
        return next(
            (kustomization.ref for kustomization in own if normal(str(kustomization.spec.get("path") or "")) == self.directory),
            None,
        )


def _wrong(source: Source, what: str, why: str, fix: str) -> Finding:
    return WRONG_ENTRY(source, what=what, why=why, fix=fix)
