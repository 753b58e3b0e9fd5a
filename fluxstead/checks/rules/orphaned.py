"""What a commit takes out of the tree and Flux leaves in the cluster: what of it has data, and what to type (failure F27)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.claims import volumes_by_namespace
from fluxstead.checks.past import Past
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.pruning import would_be_pruned
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import entries_of

ORPHANED = warns(
    "moves/orphaned",
    "F27",
    "HelmRelease web/site in HEAD leaves the tree, and stays in the cluster without an owner",
    "the tree and the commits before it",
)

ORPHANS = frozenset({"Namespace", "CustomResourceDefinition", "HelmRelease"})
"""What goes on running, or makes others run, when nobody owns it."""
_QUIET = frozenset(
    {"ConfigMap", "LimitRange", "NetworkPolicy", "ResourceQuota", "Role", "RoleBinding", "Secret", "Service", "ServiceAccount"}
)
"""What runs nothing, if it stays in a namespace."""
_WITH_IT = {
    # Those among its templates; what a StatefulSet claimed stays until its namespace goes.
    "HelmRelease": " (which deletes the claims that its chart made, if any, and their data)",
    "CustomResourceDefinition": " (which deletes every object of its kind)",
}
_KEEPS_RUNNING = "keeps running, and no commit changes, upgrades or repairs it any more"


@dataclass(frozen=True)
class Departure:
    """What leaves between two trees. `name`: what the first is called; `arrived`: whether the second is committed already."""

    name: str
    context: CheckContext
    before: AppliedTree
    now: AppliedTree
    arrived: bool = False

    def findings(self, stay: Sequence[AppliedObject]) -> Iterator[Finding]:
        """One for each with data or something that runs, a release together with its namespace; one for all other namespaces."""
        namespaces = {old.ref.name for old in stay if old.ref.kind == "Namespace"}
        releases: dict[str, list[AppliedObject]] = {}
        alone: list[AppliedObject] = []
        quiet: list[AppliedObject] = []
        for old in stay:
            if old.ref.kind == "HelmRelease" and old.ref.namespace in namespaces and not self._own_way(old):
                releases.setdefault(old.ref.namespace, []).append(old)
            elif old.ref.kind == "Namespace" and old.ref.name not in self._busy and not self._data_in(old):
                quiet.append(old)
            else:
                alone.append(old)
        for old in alone:
            yield self._one([*releases.get(old.ref.name, []), old] if old.ref.kind == "Namespace" else [old])
        if quiet:
            yield self._quiet(quiet)

    def _one(self, together: Sequence[AppliedObject]) -> Finding:
        data = self._data_in(together[-1])
        why = "it " + _KEEPS_RUNNING
        if data:
            why = "they go on using disks and backups, and no commit repairs them any more"
        elif together[-1].ref.kind == "Namespace":
            why = f"what is in it {_KEEPS_RUNNING}"
        with_data = f", with the data of {data}" if data else ""
        return self._told(
            together,
            what=" and ".join(str(old.ref) for old in together),
            stays=f"without an owner{with_data}",
            why=why,
            way=", then ".join(self._deletion(old, after=together[0] is old) for old in together),
        )

    def _quiet(self, namespaces: Sequence[AppliedObject]) -> Finding:
        first, more = namespaces[0], len(namespaces) - 1
        return self._told(
            namespaces,
            what=f"{first.ref} and {more} more" if more else str(first.ref),
            stays=f"without what Flux ran in {'them' if more else 'it'}",
            why="no commit deletes it: it costs nothing, and stays in everybody's lists",
            way=f"`{self._namespaces_go(namespaces)}`",
        )

    def _told(self, items: Sequence[AppliedObject], *, what: str, stays: str, why: str, way: str) -> Finding:
        leave, stay, they_are, them = (
            ("leave", "stay", "they are", "them as they were") if len(items) > 1 else ("leaves", "stays", "it is", "it as it was")
        )
        if self.arrived:
            paths = " ".join(dict.fromkeys(old.document.path for old in items))
            fix = f"`git checkout {self.name} -- {paths}`, and its line in the list; or, if {they_are} meant to go, {way}"
        else:
            fix = f"{them}, or, if {they_are} meant to go, {way} once the commit has arrived"
        if all(old.ref in self.context.tree.by_ref for old in items):
            fix = "a commit with what `./run render` writes: it is still described" if self.context.described else _CONTAINED
        return ORPHANED(
            items[0].source, what=f"{what} in {self.name} {leave} the tree, and {stay} in the cluster {stays}", why=why, fix=fix
        )

    @cached_property
    def _volumes(self) -> dict[str, AppliedObject]:
        return volumes_by_namespace(self.context.facts, self.before)

    @cached_property
    def _claims(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.before.of("PersistentVolumeClaim"):
            found.setdefault(one.ref.namespace, []).append(one.ref.name)
        return found

    def _data_in(self, namespace: AppliedObject) -> str:
        """What holds data in a namespace, in words; empty for anything else, and where nothing does."""
        if namespace.ref.kind != "Namespace":
            return ""
        claims = sorted(self._claims.get(namespace.ref.name, ()))
        if claims:
            return f"PersistentVolumeClaim {', '.join(claims)}"
        holder = self._volumes.get(namespace.ref.name)
        return str(holder.ref) if holder else ""

    @cached_property
    def _with_releases(self) -> set[str]:
        return {one.ref.namespace for one in self.before.of("HelmRelease")}

    @cached_property
    def _busy(self) -> set[str]:
        """Namespaces in which something goes on running, or a chart may have left something."""
        stay = (
            one.ref.namespace
            for one in self.before.objects
            if one.ref.kind not in _QUIET and (one.ref in self.now.by_ref or not would_be_pruned(one, self.now))
        )
        targets = (str(one.spec.get("targetNamespace")) for one in self.before.of("HelmRelease"))
        return {*stay, *targets, *self._with_releases}

    @cached_property
    def _accounts(self) -> dict[str, list[ObjectRef]]:
        """By namespace: the accounts of other namespaces that had rights in it, leave the tree, and stay in the cluster."""
        found: dict[str, list[ObjectRef]] = {}
        for binding in self.before.of("RoleBinding"):
            namespace = binding.ref.namespace
            for one in entries_of(binding.object, "subjects"):
                ref = ObjectRef("", str(one.get("kind")), str(one.get("namespace", namespace)), str(one.get("name")))
                account = self.before.one(ref) if ref.kind == "ServiceAccount" and ref.namespace != namespace else None
                if account and ref not in self.now.by_ref and not would_be_pruned(account, self.now):
                    found.setdefault(namespace, []).append(ref)
        return found

    def _own_way(self, release: AppliedObject) -> str:
        return self.context.facts.chart(self.before, release).holds_volumes

    def _deletion(self, old: AppliedObject, *, after: bool) -> str:
        """What to type; `after`: to be told what has to go before it."""
        if old.ref.kind != "Namespace":
            own = self._own_way(old) if old.ref.kind == "HelmRelease" else ""
            return own or f"`{_delete([old.ref])}`{_WITH_IT.get(old.ref.kind, '')}"
        # Helm's own record of a release is in its namespace: without it, nothing uninstalls the release any more.
        inside = old.ref.name in self._with_releases
        deletes = " (which deletes the data)" if self._data_in(old) else " (which deletes what data is left)" if inside else ""
        return f"`{self._namespaces_go([old])}`{' after the releases in it' if inside and after else ''}{deletes}"

    def _namespaces_go(self, namespaces: Sequence[AppliedObject]) -> str:
        accounts: dict[str, dict[ObjectRef, None]] = {}
        for old in namespaces:
            for ref in self._accounts.get(old.ref.name, ()):
                accounts.setdefault(ref.namespace, {})[ref] = None
        return " && ".join(map(_delete, ([old.ref for old in namespaces], *map(list, accounts.values()))))


_CONTAINED = "a commit that contains it"


def _delete(refs: Sequence[ObjectRef]) -> str:
    """The command for objects of one kind in one namespace."""
    where = f" -n {refs[0].namespace}" if refs[0].namespace else ""
    return f"kubectl delete {refs[0].kind.lower()} {' '.join(ref.name for ref in refs)}{where}"


def orphans(past: Past) -> Iterator[Finding]:
    """What the last commit took out of the tree, by hand or on purpose, and Flux left in the cluster."""
    if past.committed.last_commit is None:
        return
    context, (before, after) = past.context, past.committed.last_commit
    left = [
        items[0]
        for ref, items in before.by_ref.items()
        if ref.kind in ORPHANS and ref not in after.by_ref and not would_be_pruned(items[0], after)
    ]
    told = Departure("HEAD~", context, before, after, arrived=True)
    yield from told.findings([old for old in left if old.ref in context.tree.by_ref])
    # What a tree that is compared with this one has is reported against that.
    known = [context.tree, *past.committed.before.values()]
    yield from told.findings([old for old in left if not any(old.ref in tree.by_ref for tree in known)])
