"""Owned output: which files under `generated/<cluster>/` are ours, and the difference between tree and disk.

A record beside the tree holds the digest of every file that was written. A file whose content is neither recorded nor what would
be written now was edited by hand, and stops the write before anything happens (design decision 9, failure U8).
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fluxstead.core.findings import Finding, Source, error

RECORD = ".fluxstead.json"
"""The record's name in the tree's directory: `{"files": {path: [digest, …]}}`. Two digests stand there only during a write."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file that a write would touch: `before` is None for a new file, `after` for one that goes."""

    path: str
    before: str | None
    after: str | None

    @property
    def verb(self) -> str:
        """`create`, `update` or `delete`."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "update"

    def diff(self) -> str:
        """The change as a unified diff."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            (self.after or "").splitlines(keepends=True),
            f"a/{self.path}" if self.before is not None else "/dev/null",
            f"b/{self.path}" if self.after is not None else "/dev/null",
        )
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


@dataclass(slots=True)
class Difference:
    """What a write would change, and the hand-made content that it would destroy."""

    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    record: dict[str, tuple[str, ...]] = field(default_factory=dict)
    recorded: bool = True
    """Whether the record on disk already says what the tree is."""


def compare(root: Path, directory: str, files: Mapping[str, str]) -> Difference:
    """The difference between `files` (path below `directory`: text) and the disk under `root`. Writes nothing."""
    base = root / directory
    result = Difference()
    record = _read_record(base, directory, result)
    blocked = _blocked(base, directory, [*files, *record])
    result.findings += blocked.values()
    record = {path: digests for path, digests in record.items() if path not in blocked}
    for path, text in files.items():
        if path in blocked:
            continue
        current = _read(base / path)
        if current == text:
            continue
        if current is not None and not _is_ours(current, record.get(path)):
            result.findings.append(_edited(directory, path, current, text, known=path in record))
        result.changes.append(Change(path, current, text))
    for path in sorted(record.keys() - files.keys()):
        current = _read(base / path)
        if current is None:
            continue
        if not _is_ours(current, record[path]):
            result.findings.append(_edited_and_stale(directory, path))
        result.changes.append(Change(path, current, None))
    result.record = {path: (_digest(text),) for path, text in sorted(files.items())}
    result.recorded = record == result.record
    return result


def write(root: Path, directory: str, difference: Difference) -> None:
    """Carry out `difference`: each file at once or not at all. Interrupted anywhere, the next run carries on.

    Raises OSError where the disk refuses.
    """
    base = root / directory
    if not difference.changes and difference.recorded:
        return
    base.mkdir(parents=True, exist_ok=True)
    _write_record(base, _while_writing(difference))
    for change in difference.changes:
        target = base / change.path
        if change.after is None:
            target.unlink(missing_ok=True)
            _remove_empty(target.parent, base)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, change.after)
    _write_record(base, difference.record)


def _while_writing(difference: Difference) -> dict[str, tuple[str, ...]]:
    """Both the old and the new content are ours until the last file is in place."""
    pending = dict(difference.record)
    for change in difference.changes:
        versions = (change.before, change.after)
        pending[change.path] = tuple(_digest(text) for text in versions if text is not None)
    return pending


def _blocked(base: Path, directory: str, paths: list[str]) -> dict[str, Finding]:
    """What must not be written or removed: a path that leads out of the tree, through a link, or where something else stands."""
    kinds: dict[str, str] = {}
    found = {}
    for path in dict.fromkeys(paths):
        parts = path.split("/")
        if any(part in {"", ".", ".."} for part in parts):
            found[path] = _in_the_way(f"{directory}/{RECORD}", f"the record names {path!r}, which is no file of the tree")
            continue
        for depth in range(len(parts) + 1):
            step = "/".join(parts[:depth])
            kind = kinds.get(step) or kinds.setdefault(step, _kind(base / step))
            if kind not in {"nothing", "file" if depth == len(parts) else "folder"}:
                place = f"{directory}/{step}".rstrip("/")
                found[path] = _in_the_way(place, f"a {kind} is where the tree has a {'file' if depth == len(parts) else 'folder'}")
                break
    return found


def _kind(path: Path) -> str:
    if path.is_symlink():
        return "symbolic link"
    if path.is_dir():
        return "folder"
    return "file" if path.exists() else "nothing"


def _in_the_way(file: str, what: str) -> Finding:
    return error(
        "tree/in-the-way",
        Source(file),
        what=what,
        why="writing there would change what is not the tree's",
        write="the committed one back, or nothing: move it away",
    )


def _read_record(base: Path, directory: str, result: Difference) -> dict[str, tuple[str, ...]]:
    text = _read(base / RECORD)
    if text is None:
        return {}
    try:
        return {path: tuple(digests) for path, digests in json.loads(text)["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        result.findings.append(
            error(
                "tree/record",
                Source(f"{directory}/{RECORD}"),
                what="the record of generated files cannot be read",
                why="without it, hand-made changes cannot be told from generated files",
                write=f"the committed one back: git checkout -- {directory}/{RECORD}; after a merge conflict delete it, then"
                " ./run render --overwrite",
            )
        )
        return {}


def _write_record(base: Path, record: Mapping[str, tuple[str, ...]]) -> None:
    _replace(base / RECORD, json.dumps({"files": record}, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _is_ours(current: str, digests: tuple[str, ...] | None) -> bool:
    return digests is not None and _digest(current) in digests


def _edited(directory: str, path: str, current: str, text: str, *, known: bool) -> Finding:
    # From what we would write to what a hand made of it: the lines with + are what to move into the description.
    lines = list(difflib.unified_diff(text.splitlines(), current.splitlines(), "generated", "found", lineterm="", n=0))
    hunks = [line for line in lines[2:] if not line.startswith("@@")] or ["only the ends of its lines, or the last one"]
    shown = "\n        ".join(hunks[:12]) + ("\n        …" if len(hunks) > 12 else "")  # noqa: PLR2004 -- a screenful
    return error(
        "tree/edited",
        Source(f"{directory}/{path}", _first_line(lines)),
        what=f"{'edited by hand' if known else 'a file that fluxstead did not write is in the way'}:\n        {shown}",
        why="writing the tree would lose it without a word (U8)",
        write="the change into the description named in the file's first line; ./run render --overwrite drops it"
        " (under Pulumi: FLUXSTEAD_OVERWRITE=1)",
    )


def _first_line(diff: list[str]) -> int:
    """The line of the found file in which the first difference stands."""
    for line in diff:
        if line.startswith("@@"):
            return max(1, int(line.split(" +")[1].split(" ")[0].split(",")[0]))
    return 1


def _edited_and_stale(directory: str, path: str) -> Finding:
    return error(
        "tree/edited",
        Source(f"{directory}/{path}"),
        what="edited by hand, and no longer part of the tree",
        why="removing it would lose the change without a word (U8)",
        write="what it is for into the description, or a path of your own outside generated/;"
        " ./run render --overwrite drops it (under Pulumi: FLUXSTEAD_OVERWRITE=1)",
    )


def _replace(target: Path, text: str) -> None:
    with _scratch(target) as scratch:
        scratch.write_bytes(text.encode("utf-8", "surrogateescape"))
        scratch.chmod(0o644)
        scratch.replace(target)


@contextlib.contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=".fluxstead-", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _remove_empty(folder: Path, base: Path) -> None:
    while folder != base:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
