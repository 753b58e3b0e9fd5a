"""A server in the layout of k3s's releases: `<it>/<version>/k3s` and its sum files, over TLS that the tests' machines trust.

What it does to a file can be set: a page of HTML in its place, other bytes, an end in the middle, not found.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Literal
from urllib.parse import unquote

from tests.e2e.cluster.web import serving

from .network import OwnNetwork
from .root import MachineRoot

Manner = Literal["whole", "html", "another", "cut", "missing"]
ARCHITECTURES = {"k3s": "amd64", "k3s-arm64": "arm64", "k3s-armhf": "arm"}
PAGE = b"<!DOCTYPE html><html><body>Please sign in to this network</body></html>\n"


class Releases:
    """The releases that lie in a folder, by version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manner: Manner = "whole"
        self.asked: list[str] = []
        """Paths, in order, without their percent signs."""
        self.url = ""

    def digest(self, version: str, name: str = "k3s") -> str:
        """What a description names the file by."""
        return hashlib.sha256((self.folder / version / name).read_bytes()).hexdigest()

    def sums(self, version: str, architecture: str) -> bytes:
        """`sha256sum-<architecture>.txt`, as releases have it."""
        files = [name for name, of in ARCHITECTURES.items() if of == architecture and (self.folder / version / name).exists()]
        return "".join(f"{self.digest(version, name)}  {name}\n" for name in files).encode()

    def file(self, path: str) -> bytes | None:
        """The content of `/<version>/<name>`."""
        version, _, name = path.strip("/").partition("/")
        if name.startswith("sha256sum-"):
            return self.sums(version, name.removeprefix("sha256sum-").removesuffix(".txt")) or None
        file = self.folder / version / name
        return file.read_bytes() if name and ".." not in path and file.is_file() else None


def _handler(releases: Releases) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            releases.asked.append(path)
            content = releases.file(path)
            if content is None or releases.manner == "missing":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            sent = {"html": PAGE, "another": content + b"\0", "cut": content[: len(content) // 2]}.get(releases.manner, content)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html" if releases.manner == "html" else "application/octet-stream")
            self.send_header("Content-Length", str(len(content if releases.manner == "cut" else sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
            del format, args

    return Answer


@contextmanager
def serving_releases(folder: Path, network: OwnNetwork, base: MachineRoot) -> Iterator[Releases]:
    """Serve the folder to the machines; `url` is what `binariesFrom` says. Who asks from the test trusts `base.authority`."""
    releases = Releases(folder)
    with serving(_handler(releases), (network.address, 0), own_tls(folder, network.address, base)) as port:
        releases.url = f"https://{network.address}:{port}"
        yield releases


def own_tls(folder: Path, address: str, base: MachineRoot) -> SSLContext:
    """What a server of the test's own speaks, with a certificate that is kept in this folder; `base.authority` has signed it."""
    certificate, key = folder / ".tls.crt", folder / ".tls.key"
    request = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=releases", "-keyout", key, "-x509", "-days", "2"]
    signer = ["-CA", base.authority, "-CAkey", base.authority.with_suffix(".key")]
    more = ["-addext", f"subjectAltName=IP:{address}", "-addext", "basicConstraints=CA:FALSE", "-out", certificate]
    subprocess.run([str(word) for word in (*request, *signer, *more)], check=True, capture_output=True)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
