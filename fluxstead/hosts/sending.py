"""Sends k3s's binary, and its images where they are beside it, from a folder of the operator's machine to a host."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fluxstead.catalog.k3s_releases import BINARIES
from fluxstead.hosts.script.k3s_files import K3S_SENT, sent_image

_ENDINGS = ("tar.zst", "tar.gz", "tar")


class ToSend(NamedTuple):
    """One file, where it goes, and its SHA-256."""

    file: Path
    place: str
    digest: str


class NotThereError(Exception):
    """The folder does not hold what is to be sent; the message says what it lacks."""


def to_send(folder: Path, architecture: str, digest: str) -> Iterator[ToSend]:
    """The files for a machine of this architecture; the binary has to have this SHA-256. Raises NotThereError."""
    binary = folder / BINARIES[architecture]
    found = _digest_of(binary)
    if found != digest:
        raise NotThereError(
            f"{binary} has the SHA-256 {found}, described is {digest}: it is another release, or was changed on the way"
        )
    yield ToSend(binary, K3S_SENT, digest)
    for ending in _ENDINGS:
        archive = folder / f"k3s-airgap-images-{architecture}.{ending}"
        if archive.is_file():
            yield ToSend(archive, sent_image(archive.name), _digest_of(archive))
            return


def _digest_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise NotThereError(f"{file} cannot be read ({error.strerror}): kubernetes.binariesFrom names the folder") from None


def receiver(place: str, size: int) -> str:
    """What runs on the host and takes a file of this many bytes from its standard input, whatever the login shell is.

    Of a connection that broke, `cat` sees the end of the file like any other; one rename puts in place what is whole.
    """
    folder, scratch = place.rpartition("/")[0], f"{place}.part"
    whole = f"test $(wc -c < {scratch}) = {size} || {{ rm -f {scratch}; echo cut off >&2; exit 1; }}"
    inner = f"umask 022; mkdir -p {folder} && cat > {scratch} && {whole} && sync {scratch} && mv {scratch} {place}"
    escaped = inner.replace("$", "\\$")
    return f"sh -c 'take() {{ {inner}; }}; if [ $(id -u) = 0 ]; then take; else exec sudo -n sh -c \"{escaped}\"; fi'"
