"""The SHA-256 of k3s's binaries, where these come from: a release's own list of each architecture, or the files of a folder.

Source: k3s install.sh (`download_hash`, `setup_verify_arch`): `<release>/sha256sum-<arch>.txt`, and the binary's name in it.
"""

from __future__ import annotations

import hashlib
import re
import urllib.error
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from time import monotonic

from fluxstead.catalog.k3s_releases import BINARIES, RELEASES, release_url
from fluxstead.checks.outside.web import OPENER, safe

_LARGEST = 1024 * 1024
_PART = 64 * 1024
_SECONDS = 10.0
_ALL_SECONDS = 30.0
_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S+)")
_ELF, _MACHINES = b"\x7fELF", {"amd64": 0x3E, "arm64": 0xB7, "arm": 0x28}
"""What a Linux program begins with, and its processor in it (elf.h: e_machine)."""
_MACHINE = slice(18, 20)
_HEAD = 64


class NoDigest(Exception):  # noqa: N818 -- nothing is wrong with the program
    """Why it is not known which digest a binary has. `answered`: whether somebody was there to ask."""

    def __init__(self, why: str, *, answered: bool = True) -> None:
        super().__init__(why)
        self.answered = answered


def digest_of(architecture: str, version: str, origin: str | None, root: Path) -> str:
    """The SHA-256 of the binary for an architecture. Raises NoDigest.

    `origin`: a URL, or a folder as seen from `root`; k3s's releases where it is None.
    """
    url = release_url(origin or RELEASES, version)
    if url:
        return _listed(f"{url}sha256sum-{architecture}.txt", BINARIES[architecture])
    return _computed(root / (origin or "") / BINARIES[architecture], architecture)


def _listed(url: str, name: str) -> str:
    text = _text(url)
    if text.lstrip().startswith("<"):
        raise NoDigest(f"{url} is a page for a browser, and no list of digests")
    found: set[str] = {digest.lower() for digest, file in _LINE.findall(text) if file == name}
    if len(found) == 1:
        return found.pop()
    raise NoDigest(f"{url} has {'two digests' if found else 'no digest'} for {name}")


def _text(url: str) -> str:
    until = monotonic() + _ALL_SECONDS
    content = bytearray()
    try:
        with OPENER.open(safe(url), timeout=_SECONDS) as answer:
            while part := answer.read1(_PART):
                content += part
                if len(content) > _LARGEST or monotonic() > until:
                    raise NoDigest(f"{url} is longer than any list of digests, or does not end")
    except urllib.error.HTTPError as refused:
        with refused:
            gone = refused.code == HTTPStatus.NOT_FOUND
            said = "is not there" if gone else f"answers with status {refused.code}"
            raise NoDigest(f"{url} {said}", answered=gone) from refused
    except (OSError, HTTPException, ValueError) as problem:
        reason = getattr(problem, "reason", None) or str(problem) or type(problem).__name__
        raise NoDigest(f"{url} does not answer: {reason}", answered=False) from problem
    return content.decode("utf-8", "replace")


def _computed(path: Path, architecture: str) -> str:
    digest = hashlib.sha256()
    try:
        if path.exists() and not path.is_file():
            raise NoDigest(f"{path} is no file")
        with path.open("rb") as file:
            head = file.read(_HEAD)
            digest.update(head)
            while part := file.read(_PART * 16):
                digest.update(part)
    except OSError as problem:
        raise NoDigest(f"{path}: {problem.strerror}") from problem
    if not head or head.lstrip().startswith(b"<"):
        raise NoDigest(f"{path} is {'a page for a browser' if head else 'empty'}, and no program")
    if head.startswith(_ELF) and int.from_bytes(head[_MACHINE], "little") != _MACHINES[architecture]:
        raise NoDigest(f"{path} is a program for other machines than {architecture}")
    return digest.hexdigest()
