"""Moves: what the next commit would do to what runs now (failures F5, F27, F28)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.past import Past, Transition
from fluxstead.checks.reading.pruning import would_be_pruned
from fluxstead.checks.rule import Rule
from fluxstead.checks.rules.departures import (
    CHANGED_OWNER,
    EVERYTHING_LEFT,
    GUARDED,
    LEFT,
    SECOND_RELEASE,
    changed_owner,
    everything_left,
    hands_over,
    left,
)
from fluxstead.checks.rules.orphaned import ORPHANED, orphans
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source

UNREAD = refuses(
    "moves/unread", "F27", "Git refuses to read the repository: it belongs to somebody else", "the tree and the commits before it"
)


def findings(move: Transition) -> Iterator[Finding]:
    """What changes between a committed tree and this one, and must not in one step."""
    if move.nothing_is_left:
        yield everything_left(move)
        return
    yield from left(move)
    for old, new in move.changed:
        guarded = old.ref.kind in GUARDED or move.facts.registers_disks(old) or move.facts.is_data(old)
        moved = guarded and new.kustomization.ref != old.kustomization.ref
        if moved and would_be_pruned(old, move.now) and not hands_over(old, new, move.now):
            yield changed_owner(move.name, old, new)


def unread(past: Past) -> Iterator[Finding]:
    """What Git could not be asked, so that the effect of a commit is not known."""
    for one in past.committed.unread:
        yield UNREAD(
            Source(".git"),
            what=one.what,
            why="nobody can tell which running objects this commit would prune, move or orphan (F27)",
            fix=one.fix,
        )


MOVES = (Rule(findings, (EVERYTHING_LEFT, LEFT, CHANGED_OWNER, ORPHANED, SECOND_RELEASE)),)
COMMITS = (Rule(unread, (UNREAD,)), Rule(orphans, (ORPHANED,)))
