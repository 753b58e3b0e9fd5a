"""A file of the description: whatever prevents reading it is one finding, with its line, and nothing is reported after it."""

from __future__ import annotations

import re
from pathlib import Path

from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.description.yaml_in import YamlFile, read_yaml

MISSING = refuses("description/missing", "U7", "`version` is missing", "the description")
UNREADABLE_FILE = refuses("description/unreadable", "U7", "the file cannot be read: …", "the description")
CHECKS = (MISSING, UNREADABLE_FILE)

_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|>{7})(?: .*)?$", re.MULTILINE)
"""The marks of an unresolved merge that no YAML contains; `=======` alone may be text."""
_LONGEST = 4 * 1024**2
"""The most bytes of a file; a thousand applications need a quarter of it."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_document(root: Path, file: str) -> YamlFile | None:
    """The file's one document; None where there is no such file. Never raises, and never waits for a pipe."""
    document = YamlFile(file)
    content = _content(root / file, document)
    text = _decoded(content, document) if content is not None and not document.findings else ""
    if content is None or document.findings:
        return None if content is None else document
    read = read_yaml(text, file)
    if read.data is None and not read.findings:
        read.findings.append(
            MISSING(
                Source(file),
                what="there is nothing in the file",
                why="a file that was emptied by mistake would take what it described with it",
                fix="its keys as before (`git checkout` restores them), or delete the file",
            )
        )
    return read


def _content(path: Path, document: YamlFile) -> bytes | None:
    try:
        if path.exists() and not path.is_file():
            what = "this is a folder" if path.is_dir() else "this is not a regular file"
            document.findings.append(unreadable(document.file, what, fix="a regular file of that name"))
            return b""
        if path.stat().st_size > _LONGEST:
            what = f"the file has {path.stat().st_size // 1024**2} MiB"
            document.findings.append(
                unreadable(document.file, what, fix="what a person wrote; this may be another program's output")
            )
            return b""
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except PermissionError:
        document.findings.append(
            unreadable(document.file, "you have no permission to read the file", fix=f"`chmod u+r {document.file}`, as its owner")
        )
    except OSError as problem:
        document.findings.append(unreadable(document.file, f"the file cannot be read: {problem.strerror}", fix="a readable file"))
    return b""


def _decoded(content: bytes, document: YamlFile) -> str:
    """The text; empty where it is not text."""
    file = document.file
    if content.startswith(_UTF_16):
        document.findings.append(
            unreadable(document.file, "the file is in UTF-16", fix=f"the same text in UTF-8: `iconv -f UTF-16 -t UTF-8 {file}`")
        )
        return ""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        what = f"byte 0x{content[problem.start]:02x} in this line is not UTF-8"
        fix = f"the same text in UTF-8: `iconv -f WINDOWS-1252 -t UTF-8 {file}`, if an older editor wrote it"
        document.findings.append(unreadable(document.file, what, fix=fix, line=line))
        return ""
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        document.findings.append(
            unreadable(document.file, "this line holds a NUL byte, as binary files do", fix="plain text in UTF-8", line=line)
        )
    mark = _CONFLICT.search(text)
    if mark and not document.findings:
        document.findings.append(
            UNREADABLE_FILE(
                Source(file, text.count("\n", 0, mark.start()) + 1),
                what=f"an unresolved merge: `{mark[0]}`",
                why="both sides of the merge are in the file, and neither alone need be what the cluster should be",
                fix="one of the two sides, without the lines that begin with <<<<<<<, |||||||, ======= and >>>>>>>",
            )
        )
    return text


def unreadable(file: str, what: str, *, fix: str, line: int = 1) -> Finding:
    """What is in the description's folder and cannot be read."""
    why = "what it says would be missing from the cluster"
    return UNREADABLE_FILE(Source(file, line), what=what, why=why, fix=fix)
