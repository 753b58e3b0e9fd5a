"""What a procedure changes for good: written into the description, committed, pushed and applied, each a step of its own.

Whether it is done is asked of Git and of Flux each time, so that whoever is cut off goes on, and what somebody else did counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fluxstead.live.branch import Branch, branch_of, fetch
from fluxstead.live.clock import Clock
from fluxstead.live.clone import Clone

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

FRESH, SEEN = 10, 300
"""Seconds for which what was fetched is taken for what is there: while something is written, and while Flux is waited for."""


class FileChange(NamedTuple):
    """What becomes of one file: a pure function of its text, which raises Stopped, and whether a text is so already."""

    edit: Callable[[str], str]
    is_so: Callable[[str], bool]


class Amendment(NamedTuple):
    """One change of the description. `name`: what is so afterwards; `files`: by path from the project's folder."""

    name: str
    why: str
    way_back: str
    message: str
    files: Mapping[str, FileChange]


class ProjectFiles(Protocol):
    """The project's files, as the command line knows how to read and write them. All but the paths raise Stopped."""

    @property
    def description(self) -> Sequence[str]:
        """The files that the operator wrote."""

    @property
    def generated(self) -> Sequence[str]:
        """The folders and files that rendering writes."""

    def look(self) -> None:
        """Raise Stopped where the tree is not what the description says, or the description has errors."""

    def write(self, texts: Mapping[str, str]) -> None:
        """Put these files into place."""

    def render(self) -> None:
        """Write the tree, unless the description has errors."""


class Whereto(NamedTuple):
    """Where changes go. `synced`: the branch that Flux applies. `words`: the procedure, as it is typed after `./run`."""

    clone: Clone
    written: ProjectFiles
    synced: str
    words: str


class Upstream:
    """What is pushed, fetched when it is older than `fresh` seconds, unless nothing may be changed, as in a plan."""

    def __init__(self, git: GitWay, fresh: float) -> None:
        self._place, self._clock, self._fetches, self._fresh = git.place, git.clock, git.fetches, fresh
        self._at: float | None = None

    def branch(self, *, anew: bool = False) -> Branch:
        """The branch, with what is pushed to it known. Raises Stopped."""
        branch = branch_of(self._place.clone, self._place.synced)
        old = self._at is None or anew or self._clock.now() - self._at > self._fresh
        if self._fetches and old:
            fetch(self._place.clone, branch)
            self._at = self._clock.now()
        return branch


def is_so(clone: Clone, commit: str, change: Amendment) -> bool:
    """Whether a commit has a change."""
    return all((text := clone.text_at(commit, path)) is not None and one.is_so(text) for path, one in change.files.items())


class GitWay(NamedTuple):
    """What makes the steps of changes: where they go, and the cluster whose Flux applies them."""

    place: Whereto
    api: LiveApi
    clock: Clock
    fetches: bool = True
