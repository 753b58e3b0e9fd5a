"""What checks look at, what a check is, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Literal

from fluxstead.checks.known import Known
from fluxstead.checks.objects.makers import Makers
from fluxstead.checks.objects.names import Names
from fluxstead.checks.objects.opaque import Opaque
from fluxstead.checks.objects.pods import Pods
from fluxstead.checks.reading.repository import Unread
from fluxstead.checks.reading.view import View
from fluxstead.core.findings import Finding, Severity, Source
from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node

LooksAt = Literal[
    "the description", "the tree", "the tree and the commits before it", "the files on disk", "repositories and registries"
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a place says: whether it has the manifest that it was asked for, and the versions that it has, by name.

    `why`: why it says nothing.
    """

    there: bool = False
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """What `./run check` may use beside the files: kustomize, where it is on the PATH, and the network, if asked for.

    One for all clusters of a run. `answers`: what was asked before, by address. `silent`: the registries that are not asked again,
    and why. `since`: when the asking began.
    """

    kustomize: str | None
    online: bool
    answers: dict[str, Answer] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    since: float = field(default_factory=monotonic)


@dataclass(kw_only=True)
class Subject:
    """What the checks look at. A tree that people wrote comes without a description: then only the view is there.

    `known`: what systems say of their charts and kinds. `products`: the versions of what the cluster runs, by the names of the
    catalog's schemas. `networks` and `places`: the cluster's networks, and where keys of the stack file stand, both by key.
    `sops_secret`: namespace and name of the key to decrypt with, which somebody makes by hand. `before`: the committed trees to
    compare with, by what they are called; `last`: the tree before the last commit, and the tree in it; `unread`: what of them could
    not be read. `unchecked`: what could not be looked at, and why. `root`: where the files are on disk. `notes`: how something was
    looked at.
    """

    view: View
    known: Known
    platform: Platform | None = None
    nodes: Sequence[Node] = ()
    products: Mapping[str, str] = field(default_factory=dict)
    recipients: frozenset[str] = frozenset()
    sops_secret: tuple[str, str] | None = None
    networks: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Source] = field(default_factory=dict)
    before: Mapping[str, View] = field(default_factory=dict)
    last: tuple[View, View] | None = None
    unread: Sequence[Unread] = ()
    root: Path | None = None
    outside: Outside | None = None
    unchecked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def opaque(self) -> Opaque:
        """The namespaces in which there may be more than files show."""
        return Opaque(self.view, self.known.inert_kinds)

    @cached_property
    def makers(self) -> Makers:
        """Who may make a ConfigMap or a Secret."""
        return Makers(self.view, self.opaque)

    @cached_property
    def names(self) -> Names:
        """What objects of the tree name."""
        return Names(self.view)

    @cached_property
    def pods(self) -> Pods:
        """The pod templates of the tree."""
        return Pods(self.view)

    @property
    def described(self) -> bool:
        """Whether there is a description, so that everything about the cluster is known."""
        return self.platform is not None


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. `protects` names failures of the failure log; `says` is an example of its message.

    A rule without a function stands where its subject is read or planned; the registry lists it all the same.
    """

    id: str
    protects: str
    severity: Severity
    looks_at: LooksAt
    says: str
    function: Callable[[Subject], Iterable[Finding]] | None = None


_Function = Callable[[Subject], Iterable[Finding]]


def refuses(id: str, protects: str, says: str, function: _Function, looks_at: LooksAt = "the tree") -> Check:  # noqa: A002
    """A rule whose findings stop the program."""
    return Check(id, protects, Severity.ERROR, looks_at, says, function)


def warns(id: str, protects: str, says: str, function: _Function, looks_at: LooksAt = "the tree") -> Check:  # noqa: A002
    """A rule whose findings are shown."""
    return Check(id, protects, Severity.WARNING, looks_at, says, function)


def planned(id: str, protects: str, says: str, severity: Severity = Severity.ERROR) -> Check:  # noqa: A002
    """A rule that stands where the description is read or planned."""
    return Check(id, protects, severity, "the description", says)


def run(subject: Subject, checks: Sequence[Check]) -> Iterator[Finding]:
    """The findings of these checks, each function called once."""
    wanted = {check.id for check in checks}
    for function in dict.fromkeys(check.function for check in checks):
        if function is not None:
            yield from (finding for finding in function(subject) if finding.id in wanted)
