"""Getting the one binary onto this host: downloaded, or sent; nothing that is not what was described becomes executable."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any, BinaryIO

from fluxstead.hosts.script.k3s_files import K3S_SENT
from fluxstead.hosts.script.k3s_model import LOOPBACK
from fluxstead.hosts.script.tools import StepError

DOWNLOAD_SECONDS = 1200
SILENT_SECONDS = 60
"""Between two pieces, and for an answer at all."""
MOST_BYTES = 500 * 1000 * 1000
"""Several times the binary."""
ELF = b"\x7fELF"
NETWORK = {
    r"not yet valid": (
        "this host's clock is wrong, so that it trusts no certificate; type: timedatectl; sudo timedatectl set-ntp true"
    ),
    r"expired": "the certificate there has expired, or this host's clock is wrong; type: timedatectl",
    r"self.signed|unable to get local issuer|CERTIFICATE_VERIFY_FAILED": (
        "who answers shows a certificate that this host does not trust: a proxy that looks into what it passes on, or no "
        "authorities "
        "here; type: sudo apt-get install -y ca-certificates, or put that proxy's certificate into "
        "/usr/local/share/ca-certificates and type: sudo update-ca-certificates"
    ),
    r"Name or service not known|name resolution|No address associated": "the name is not known here; type: getent hosts {host}",
    r"unreachable|No route to host": (
        "there is no way there; type: ip route; where a proxy is the way out, set https_proxy for the login"
    ),
    r"refused|timed out|reset|Tunnel connection": "nobody lets this host through; type: curl -sSIL {url}",
    r"HTTP Error 404": "there is no such version, or it is not built for this machine; look at the version, and at binariesFrom",
    r"HTTP Error (401|403|407)": "it takes a login, which is not given to it; describe binariesFrom, a folder that takes none",
}
"""What goes wrong on the way, and what to do; the first that fits."""


class _OnlySafely(urllib.request.HTTPRedirectHandler):
    """Follows to wherever the release is kept, and not to where anybody could change it on the way."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> Any:  # noqa: PLR0917
        secure_only(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def secure_only(url: str) -> None:
    """Raises StepError for what is neither https nor this machine itself."""
    host = re.sub(r":\d+$", "", url.partition("//")[2].partition("/")[0])
    if not (url.startswith("https://") or (url.startswith("http://") and host in LOOPBACK)):
        raise StepError(f"{url} is not https, by which nobody can change what passes; nothing was taken")


def download(url: str, digest: str) -> None:
    """The file at `url` to where a sent one lies, if it is the described one; anew from its beginning, whatever lies there."""
    secure_only(url)
    opener = urllib.request.build_opener(_OnlySafely)
    handle = _fresh(K3S_SENT)
    try:
        with os.fdopen(handle, "wb") as file, opener.open(url, timeout=SILENT_SECONDS) as coming:
            _copy(coming, file, digest, url)
    except StepError:
        _away()
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        _away()
        raise StepError(_told_of(url, error)) from None


def _fresh(path: str) -> int:
    """A new file that nobody may start or read, in the folder of its target; whatever had the name is gone, be it a link."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _away() -> None:
    with suppress(OSError):
        os.unlink(K3S_SENT)


def _copy(coming: Any, file: BinaryIO, digest: str, url: str) -> None:
    total, began, size = hashlib.sha256(), b"", 0
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    announced = int(coming.headers.get("Content-Length") or 0)
    if announced > MOST_BYTES:
        raise StepError(f"{url} is {announced} bytes: no k3s is as large as that; nothing was taken")
    while True:
        piece = coming.read(1 << 18)
        if not piece:
            break
        began = began or piece[:512]
        size += len(piece)
        if size > MOST_BYTES or time.monotonic() > deadline:
            over = f"{MOST_BYTES} bytes" if size > MOST_BYTES else f"{DOWNLOAD_SECONDS} s"
            raise StepError(f"{url} did not end within {over}; nothing was taken")
        total.update(piece)
        file.write(piece)
    if announced and size < announced:
        raise StepError(f"{url} was cut off after {size} of {announced} bytes; a later run begins it anew")
    if total.hexdigest() != digest:
        raise StepError(
            f"{url} is not what is described: {what_it_is(began)}, SHA-256 {total.hexdigest()}, described is {digest}. {REVIEW}"
        )
    file.flush()
    os.fsync(file.fileno())


REVIEW = "Nothing was started of it. Where the release itself was replaced, find out why before: ./run upgrade kubernetes --lock"


def what_it_is(began: bytes) -> str:
    """A file by its beginning, in words."""
    head = began.lstrip()[:200].lower()
    if not began:
        return "an empty file"
    if head.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        return "HTML instead of a binary, as a login page or a proxy answers"
    if head.startswith((b"{", b"[")):
        return "JSON instead of a binary, as an error of a service is told"
    if began.startswith((b"\x1f\x8b", b"(\xb5/\xfd")):
        return "a compressed file instead of a binary"
    return "another binary" if began.startswith(ELF) else "no binary at all"


def _told_of(url: str, error: Exception) -> str:
    said = str(
        error.reason if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError) else error
    )
    said = said or type(error).__name__
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        folder = os.path.dirname(K3S_SENT)
        return f"{folder} is full: {error.strerror}; type: df -h {folder}; sudo apt-get clean"
    if isinstance(error, http.client.IncompleteRead):
        said = "cut off in the middle; a later run begins it anew"
    host = url.partition("//")[2].partition("/")[0]
    hint = next((hint for pattern, hint in NETWORK.items() if re.search(pattern, said, re.IGNORECASE)), "type: curl -sSIL {url}")
    return f"{url} cannot be downloaded: {said}; {hint.format(host=host.partition(':')[0], url=url)}"


def take_file(source: str, target: str, digest: str, mode: int) -> None:
    """A file that lies beside its target becomes it, if it is the described one: read again from the disk, then executable.

    Raises StepError where it is another one, which stays where it is.
    """
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise StepError(f"{source} is not there: the operator's machine did not send it; nothing was done") from None
    try:
        total, began = hashlib.sha256(), b""
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        for piece in iter(lambda: os.read(handle, 1 << 20), b""):
            began = began or piece[:512]
            total.update(piece)
        if total.hexdigest() != digest:
            what = f"{source} is not what is described: {what_it_is(began)}, SHA-256 {total.hexdigest()}, described is {digest}"
            raise StepError(f"{what}. {REVIEW}")
        os.fchown(handle, os.geteuid(), os.getegid())
        os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(source, target)
    folder = os.open(os.path.dirname(target), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
