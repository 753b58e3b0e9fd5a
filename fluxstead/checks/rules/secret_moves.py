"""Secrets that a commit would take out of the cluster though they are still needed (failure F3)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from fluxstead.checks.past import Transition
from fluxstead.checks.reading.store import texts_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.tree.secret_files import LIST

PRUNED = refuses(
    "moves/secret",
    "F3",
    "the file of Secret web/settings is gone, and in HEAD its layer applies it",
    "the tree and the commits before it",
)


def findings(move: Transition) -> Iterator[Finding]:
    """Files that a committed list names, that are gone, and whose Secrets the description still needs."""
    for path, need in move.context.ciphertexts.items():
        if move.now.store.is_file(path):
            continue
        folder, name = posixpath.split(path)
        documents = move.before.store.documents(posixpath.join(folder, LIST))
        data = documents[0].data if documents else None
        if isinstance(data, Mapping) and name in texts_of(data, "resources"):
            yield PRUNED(
                need.source,
                what=f"{path} is gone, and in {move.name} layer `{need.layer}` applies Secret {need.qualified_name} from it",
                why="Flux deletes the running Secret, and what needs it breaks at its next start",
                fix=f"the file as it was: git checkout {move.name} -- {path}; or no system that needs it",
            )


MOVES = (Rule(findings, (PRUNED,)),)
