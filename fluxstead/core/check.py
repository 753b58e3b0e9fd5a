"""A check: its id, what it protects from and how severe it is, declared once, next to the rule that makes its findings."""

from __future__ import annotations

from typing import Literal, NamedTuple

from fluxstead.core.findings import Finding, Severity, Source
from fluxstead.core.secret_forms import masked

LooksAt = Literal[
    "the description", "the tree", "the tree and the commits before it", "the files on disk", "repositories and registries"
]


class Check(NamedTuple):
    """One kind of finding. `protects` names failures in the failure log; `says` is an example of its message."""

    id: str
    protects: str
    severity: Severity
    says: str
    looks_at: LooksAt

    def __call__(self, source: Source, *, what: str, why: str, fix: str) -> Finding:
        """A finding of this check; what it quotes may hold a secret, which is left out."""
        return Finding(source, self.severity, self.id, masked(what), why, masked(fix))


def refuses(id: str, protects: str, says: str, looks_at: LooksAt = "the tree") -> Check:  # noqa: A002 -- `id` is the registry's word
    """A check whose findings stop the program before anything is written."""
    return Check(id, protects, Severity.ERROR, says, looks_at)


def warns(id: str, protects: str, says: str, looks_at: LooksAt = "the tree") -> Check:  # noqa: A002
    """A check whose findings are shown, and let the program continue."""
    return Check(id, protects, Severity.WARNING, says, looks_at)
