"""What Flux gets of a repository: Git's files, without what `.sourceignore` and source-controller leave out of the artifact.

Sources: fluxcd/pkg, `sourceignore/sourceignore.go` and `artifact/storage/archive.go` (links are not archived); gitignore(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from typing import NamedTuple

from fluxstead.checks.reading.documents import Document
from fluxstead.checks.reading.repository import Index, above
from fluxstead.checks.reading.store import Store

IGNORE_FILE = ".sourceignore"
_VERSION_CONTROL = (".git/", ".gitignore", ".gitmodules", ".gitattributes")
_DEFAULT = (
    *("*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip"),
    *(".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml"),
    *("codeship-services.yml", "codeship-steps.yml", "**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"),
)
"""What source-controller leaves out, unless the repository says itself what to ignore."""


class _Pattern(NamedTuple):
    """One line of an ignore file: the folder that it stands in, what it matches in it, and whether it takes files back in."""

    folder: str
    matches: re.Pattern[str]
    included: bool


class ArtifactStore:
    """A store without the files that Flux does not get. `index`: what Git has, where the files are a work tree of Git's."""

    def __init__(self, around: Store, index: Index | None = None, ignored: str = "", paths: Iterable[str] | None = None) -> None:
        self.around = around
        self._index = index
        self._ignored = ignored
        self._paths = index.files if paths is None and index else paths or ()
        self._reasons: dict[str, str | None] = {"": None}

    def is_file(self, path: str) -> bool:
        """As in Store."""
        return self.around.is_file(path) and self.left_out(path) is None

    def is_folder(self, path: str) -> bool:
        """As in Store."""
        return self.around.is_folder(path) and self._folder(path) is None

    def children(self, folder: str) -> Sequence[str]:
        """As in Store."""
        names = self.around.children(folder)
        return [name for name in names if self.left_out(f"{folder}/{name}" if folder else name) is None]

    def text(self, path: str) -> str:
        """As in Store."""
        return self.around.text(path)

    def any_text(self, path: str) -> str:
        """As in Store."""
        return self.around.any_text(path)

    def documents(self, path: str) -> Sequence[Document]:
        """As in Store."""
        return self.around.documents(path)

    def left_out(self, path: str) -> str | None:
        """As in Store."""
        if path == ".." or path.startswith("../"):
            return "is outside the repository" if self._index and self._index.at_top else None
        known = self.around.left_out(path)
        if known is not None or path in self._reasons:
            return known or self._reasons[path]
        if self.around.is_folder(path):
            return self._folder(path)
        reason = self._folder(path.rpartition("/")[0])
        return reason or self._by_git(path) or self._by_pattern(path)

    def _folder(self, folder: str) -> str | None:
        """Why everything in a folder is left out."""
        if folder not in self._reasons:
            reason = self.around.left_out(folder) or self._folder(folder.rpartition("/")[0])
            if reason is None and self._index is not None and self.around.is_folder(folder):
                reason = None if folder in self._index.folders or self._index.is_inside(folder) else _GIT
            if reason is None:
                reason = self._by_pattern(f"{folder}/")
                reason = None if reason and folder in self._taken_back else reason
            self._reasons[folder] = reason
        return self._reasons[folder]

    def _by_git(self, path: str) -> str | None:
        if self._index is None or path in self._index.files or self._index.is_inside(path) or not self.around.is_file(path):
            return None
        return _GIT

    def _by_pattern(self, path: str) -> str | None:
        if not self._own:
            return self._why if _any_default().match(path) else None
        for pattern in reversed(self._patterns):
            inside = path.startswith(pattern.folder)
            if inside and pattern.matches.match(path, len(pattern.folder)):
                return None if pattern.included else self._why
        return None

    @cached_property
    def _taken_back(self) -> frozenset[str]:
        """The folders with files that a later pattern takes back in."""
        if not any(pattern.included for pattern in self._own):
            return frozenset()
        return frozenset(folder for path in self._paths if self._by_pattern(path) is None for folder in above(path))

    @cached_property
    def _why(self) -> str:
        return f"is left out by {IGNORE_FILE}" if self._own else "is left out by source-controller, which takes no such files"

    @cached_property
    def _own(self) -> list[_Pattern]:
        files = sorted((path for path in self._paths if path.rpartition("/")[2] == IGNORE_FILE), key=lambda path: path.count("/"))
        if not self._paths and self.around.is_file(IGNORE_FILE):
            files = [IGNORE_FILE]
        own = [one for path in files for one in _patterns(self.around.text(path).splitlines(), path.removesuffix(IGNORE_FILE))]
        return [*own, *_patterns(self._ignored.splitlines(), "")]

    @cached_property
    def _patterns(self) -> list[_Pattern]:
        return [*_patterns(_VERSION_CONTROL, ""), *self._own]


_GIT = "is ignored by Git"


@cache
def _any_default() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_expression(line)})" for line in (*_VERSION_CONTROL, *_DEFAULT)))


def _patterns(lines: Iterable[str], folder: str) -> list[_Pattern]:
    return [_pattern(line, folder) for line in lines if line.strip() and not line.startswith("#")]


@cache
def _pattern(line: str, folder: str) -> _Pattern:
    return _Pattern(folder, re.compile(_expression(line.removeprefix("!"))), included=line.startswith("!"))


def _expression(line: str) -> str:
    """As fluxcd/pkg reads it: what matches a folder matches everything in it, and a `/` ties it to the file's own folder."""
    text = line.rstrip()
    only_folders, text = text.endswith("/"), text.removesuffix("/")
    tied, parts = "/" in text, [part for part in text.split("/") if part]
    expression = "" if tied else r"(?:.*/)?"
    for part in parts[:-1]:
        expression += r"(?:[^/]+/)*" if part == "**" else f"{_name(part)}/"
    for part in parts[-1:]:
        expression += ".*" if part == "**" else _name(part)
    return f"{expression}{'/' if only_folders else '(?:/|$)'}"


_PIECE = r"\\(.)|(\*)|(\?)|\[([!^]?)([^]]+)\]|(.)"


def _name(text: str) -> str:
    """The expression for one name with `*`, `?`, sets and escaped characters (Go: path/filepath, Match)."""
    found = ""
    for escaped, star, any_one, negated, characters, plain in re.findall(_PIECE, text):
        if star or any_one:
            found += "[^/]*" if star else "[^/]"
        elif characters:
            found += f"[{'^' if negated else ''}{characters}]"
        else:
            found += re.escape(escaped or plain)
    return found
