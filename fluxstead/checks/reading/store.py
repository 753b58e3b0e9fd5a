"""Files as the checks see them: documents with their place, from a tree in memory, from the disk or from a commit."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.core.findings import Source
from fluxstead.tree.render import TreeFile

_SUFFIXES = (".yaml", ".yml")
_LONGEST, _LONGEST_MANIFEST = 1024**2, 32 * 1024**2


class Store(Protocol):
    """Where files are read from. Paths are relative to the repository's root, with `/`, and without `.` or `..`."""

    def is_file(self, path: str) -> bool:
        """Whether there is a file."""

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder; "" is the root."""

    def children(self, folder: str) -> Sequence[str]:
        """The names in a folder, sorted."""

    def text(self, path: str) -> str:
        """A file's text; empty where there is none."""

    def any_text(self, path: str) -> str:
        """The text of a file that need not be a manifest; empty where it is none, or longer than what people write."""

    def documents(self, path: str) -> Sequence[Document]:
        """The documents of a YAML file; one without data and with a problem where it is not YAML."""

    def left_out(self, path: str) -> str | None:
        """Why Flux does not get what is at this path; None where nothing says so, whether or not it is there."""


@dataclass(slots=True)
class DiskStore:
    """Files below a folder of the disk. `unreadable`: what is there and could not be read, and why."""

    root: Path
    unreadable: dict[str, str] = field(default_factory=dict)
    _read: dict[str, Sequence[Document]] = field(default_factory=dict)

    def is_file(self, path: str) -> bool:
        """As in Store."""
        try:
            return (self.root / path).is_file()
        except OSError:  # a name that is too long for the disk
            return False

    def is_folder(self, path: str) -> bool:
        """As in Store."""
        try:
            return (self.root / path).is_dir()
        except OSError:
            return False

    def children(self, folder: str) -> Sequence[str]:
        """As in Store."""
        try:
            return sorted(entry.name for entry in (self.root / folder).iterdir())
        except OSError as problem:
            self.unreadable[folder or "."] = problem.strerror or str(problem)
            return ()

    def left_out(self, path: str) -> str | None:
        """Links are not archived, and neither is what they lead to."""
        try:
            link = bool(path) and (self.root / path).is_symlink()
        except OSError:
            return None
        return "is a link, which Flux does not follow" if link else None

    def text(self, path: str) -> str:
        """As in Store."""
        file = self.root / path
        try:
            if file.exists() and not file.is_file():  # reading a pipe would wait forever
                self.unreadable[path] = "it is not a file"
                return ""
            if file.exists() and file.stat().st_size > _LONGEST_MANIFEST:
                self.unreadable[path] = f"it has {file.stat().st_size // 1024**2} MiB"
                return ""
            return file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            self.unreadable[path] = "it is not UTF-8 text"
        except OSError as problem:
            self.unreadable[path] = problem.strerror or str(problem)
        return ""

    def any_text(self, path: str) -> str:
        """As in Store."""
        return text_at(self.root / path) or ""

    def documents(self, path: str) -> Sequence[Document]:
        """As in Store."""
        if path not in self._read:
            self._read[path] = documents_in(self.text(path), path)
        return self._read[path]


class TextStore:
    """Files by their path, in memory."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._read: dict[str, Sequence[Document]] = {}

    def is_file(self, path: str) -> bool:
        """As in Store."""
        return path in self._files

    def is_folder(self, path: str) -> bool:
        """As in Store."""
        return path in self._folders

    def children(self, folder: str) -> Sequence[str]:
        """As in Store."""
        return sorted(self._folders.get(folder, ()))

    def text(self, path: str) -> str:
        """As in Store."""
        return self._files.get(path, "")

    def any_text(self, path: str) -> str:
        """As in Store."""
        return self.text(path)

    def documents(self, path: str) -> Sequence[Document]:
        """As in Store."""
        if path not in self._read:
            self._read[path] = documents_in(self.text(path), path)
        return self._read[path]

    def left_out(self, path: str) -> str | None:  # noqa: ARG002 -- nothing is left out here
        """As in Store."""
        return None

    @cached_property
    def _folders(self) -> dict[str, set[str]]:
        return folders_of(self._files)


class OverlaidStore:
    """Some files as they will be written, by path, over those that are there."""

    def __init__(self, files: Mapping[str, str], under: Store) -> None:
        self._over = TextStore(files)
        self._under = under

    def is_file(self, path: str) -> bool:
        """As in Store."""
        return self._over.is_file(path) or self._under.is_file(path)

    def is_folder(self, path: str) -> bool:
        """As in Store."""
        return self._over.is_folder(path) or self._under.is_folder(path)

    def children(self, folder: str) -> Sequence[str]:
        """As in Store."""
        over = self._over.children(folder)
        return sorted({*over, *(self._under.children(folder) if not over or self._under.is_folder(folder) else ())})

    def text(self, path: str) -> str:
        """As in Store."""
        return (self._over if self._over.is_file(path) else self._under).text(path)

    def any_text(self, path: str) -> str:
        """As in Store."""
        return (self._over if self._over.is_file(path) else self._under).any_text(path)

    def documents(self, path: str) -> Sequence[Document]:
        """As in Store."""
        return (self._over if self._over.is_file(path) else self._under).documents(path)

    def left_out(self, path: str) -> str | None:
        """As in Store."""
        return self._under.left_out(path)


class TreeStore:
    """A generated tree, with what people wrote around it.

    The objects are those that the texts were made from: reading all of them back would take longer than writing them, and a test
    holds that the texts say the same. `instead`: documents to use in place of what `around` has at their paths.
    """

    def __init__(
        self, directory: str, files: Iterable[TreeFile], around: Store, instead: Mapping[str, Sequence[Document]] | None = None
    ) -> None:
        self._documents: dict[str, Sequence[Document]] = {
            f"{directory}/{file.path}": (Document(f"{directory}/{file.path}", file.object, file.source, generated=True),)
            for file in files
        }
        self._instead = instead or {}
        self._texts = {f"{directory}/{file.path}": file for file in files}
        self._directory = directory
        self._around = around
        self._folders = folders_of(self._documents)

    def is_file(self, path: str) -> bool:
        """As in Store."""
        return path in self._documents or (not self._ours(path) and self._around.is_file(path))

    def is_folder(self, path: str) -> bool:
        """As in Store."""
        return path in self._folders or (not self._ours(path) and self._around.is_folder(path))

    def children(self, folder: str) -> Sequence[str]:
        """As in Store."""
        return sorted(self._folders[folder]) if self._ours(folder) else self._around.children(folder)

    def text(self, path: str) -> str:
        """As in Store."""
        return self._texts[path].text if path in self._texts else self._around.text(path)

    def any_text(self, path: str) -> str:
        """As in Store."""
        return self._texts[path].text if path in self._texts else self._around.any_text(path)

    def documents(self, path: str) -> Sequence[Document]:
        """As in Store."""
        return self._documents.get(path) or self._instead.get(path) or self._around.documents(path)

    def left_out(self, path: str) -> str | None:
        """As in Store."""
        return None if self._ours(path) else self._around.left_out(path)

    def _ours(self, path: str) -> bool:
        return path == self._directory or path.startswith(f"{self._directory}/")


def text_at(file: Path) -> str | None:
    """What a file holds; None where it is no file, or no text that a person wrote. No pipe is waited for."""
    try:
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LONGEST:
            return None
        content = file.read_bytes()
    except OSError:
        return None
    return None if b"\0" in content else content.decode("utf-8", "replace")


def folders_of(paths: Iterable[str]) -> dict[str, set[str]]:
    """The names in each folder that these paths imply."""
    folders: dict[str, set[str]] = {}
    for path in paths:
        child = path
        while child:
            parent, _, name = child.rpartition("/")
            known = folders.get(parent)
            if known is not None and name in known:
                break
            folders.setdefault(parent, set()).add(name)
            child = parent
    return folders


def normal(path: str) -> str:
    """A path from the root, without `.`, `..` and double slashes; what leads out of the root begins with `..`."""
    found = posixpath.normpath(path.lstrip("/"))
    return "" if found == "." else found


def is_yaml(path: str) -> bool:
    """Whether Flux and kustomize read it as a manifest."""
    return path.endswith(_SUFFIXES)


def below(store: Store, folder: str) -> Iterator[str]:
    """Every file below a folder, hidden ones left out."""
    for name in store.children(folder):
        path = f"{folder}/{name}" if folder else name
        if name.startswith("."):
            continue
        if store.is_folder(path):
            yield from below(store, path)
        else:
            yield path


def line_with(store: Store, document: Document, *words: str) -> Source:
    """Where the first of these words that is there stands in a document that people wrote.

    For a generated one, where it was described.
    """
    if document.generated:
        return document.source
    start = document.source.line - 1
    lines = store.text(document.path).splitlines()[start:]
    end = next((number for number, line in enumerate(lines) if number and line.startswith("---")), len(lines))
    for word in words:
        for number, line in enumerate(lines[:end]):
            if word in line:
                return Source(document.path, start + number + 1)
    return document.source


def texts_of(data: Mapping[str, Any], key: str) -> list[str]:
    """The texts in the list at a key; none where there is no list."""
    found = data.get(key)
    return [entry for entry in found if isinstance(entry, str)] if isinstance(found, list) else []
