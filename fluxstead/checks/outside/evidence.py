"""What takes more than the files: kustomize, and the places where charts and images are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from fluxstead.checks.reading.applied_tree import AppliedTree
from fluxstead.core.findings import Source


@dataclass(frozen=True, slots=True)
class LookupAnswer:
    """What a registry or repository says: whether it has the manifest that was asked for, and the versions that it has, by name.

    `why`: why it gives no answer.
    """

    there: bool = False
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """What a run of `./run check` may use, one for all clusters: kustomize, where it is on the PATH, and the network, if asked to.

    `answers`: what was asked before, by address. `silent`: registries that are not asked again, and why. `since`: when the
    asking began.
    """

    kustomize: str | None
    online: bool
    answers: dict[str, LookupAnswer] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    since: float = field(default_factory=monotonic)


class PinnedK3s(NamedTuple):
    """The k3s that machines are given: its version, and where it comes from (`binariesFrom`).

    `digests`: of each architecture, with its place in the description.
    """

    version: str
    origin: str | None
    digests: Mapping[str, tuple[str, Source]]


class Outside(NamedTuple):
    """A tree, where its files are on disk, and what may be asked about them. `k3s`: where the description has its digests."""

    tree: AppliedTree
    root: Path
    session: Session
    k3s: PinnedK3s | None = None
