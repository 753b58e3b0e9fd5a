"""Moves: what the next commit would do to what runs now (failures F5, F27, F28)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.past import Past, Transition
from fluxstead.checks.reading.applied_tree import AppliedObject, annotation
from fluxstead.checks.rule import Rule
from fluxstead.checks.rules.departures import (
    CHANGED_OWNER,
    EVERYTHING_LEFT,
    GUARDED,
    LEFT,
    ORPHANED,
    SECOND_RELEASE,
    changed_owner,
    everything_left,
    left,
    orphans,
    would_be_pruned,
)
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import mapping

IMMUTABLE = refuses(
    "moves/immutable", "F28", "StorageClass fast in HEAD differs in `parameters`", "the tree and the commits before it"
)
UNREAD = refuses(
    "moves/unread", "F27", "Git refuses to read the repository: it belongs to somebody else", "the tree and the commits before it"
)

_FORCE = "kustomize.toolkit.fluxcd.io/force"


def findings(move: Transition) -> Iterator[Finding]:
    """What changes between a committed tree and this one, and must not in one step."""
    if move.nothing_is_left:
        yield everything_left(move)
        return
    yield from left(move)
    for old, new in move.changed():
        guarded = old.ref.kind in GUARDED or move.facts.registers_disks(old)
        if guarded and new.kustomization.ref != old.kustomization.ref and would_be_pruned(old, move.now):
            yield changed_owner(move.name, old, new)
        yield from _immutable(move.name, old, new)


def unread(past: Past) -> Iterator[Finding]:
    """What Git could not be asked, so that the effect of a commit is not known."""
    for one in past.committed.unread:
        yield UNREAD(
            Source(".git"),
            what=one.what,
            why="nobody can tell which running objects this commit would prune, move or orphan (F27)",
            fix=one.fix,
        )


_FIXED = {
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "PersistentVolumeClaim": ("spec.storageClassName", "spec.accessModes", "spec.volumeName"),
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
}
"""Fields that the API server does not let anybody change."""


def _immutable(name: str, old: AppliedObject, new: AppliedObject) -> Iterator[Finding]:
    if annotation(new, _FORCE) == "enabled" or new.kustomization.spec.get("force"):
        return
    for path in _FIXED.get(new.ref.kind, ()):
        holder, _, key = path.rpartition(".")
        was = mapping(old.object, holder) if holder else old.object
        now = mapping(new.object, holder) if holder else new.object
        if was.get(key) != now.get(key):
            yield IMMUTABLE(
                new.source,
                what=f"{new.ref} in {name} differs in `{path}`",
                why="the API server refuses the change, and the layer never becomes ready again (F28)",
                fix="another name for the new one"
                if new.ref.kind == "PersistentVolumeClaim"
                else f"another name, or the annotation {_FORCE}: enabled, with which Flux deletes and recreates it",
            )


MOVES = (Rule(findings, (EVERYTHING_LEFT, IMMUTABLE, LEFT, CHANGED_OWNER, ORPHANED, SECOND_RELEASE)),)
COMMITS = (Rule(unread, (UNREAD,)), Rule(orphans, (ORPHANED,)))
