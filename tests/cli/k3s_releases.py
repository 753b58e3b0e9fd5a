"""A stand-in for where k3s is published, on the loopback: files by their paths, as they are given."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Releases:
    """What it answers of each path, what it was asked, and where it sends who asks."""

    def __init__(self, address: str, files: Mapping[str, bytes]) -> None:
        self.address = address
        self.files = dict(files)
        self.asked: list[str] = []
        self.moved_to = ""
        self.status = 200


@contextmanager
def serving_releases(files: Mapping[str, bytes]) -> Iterator[Releases]:
    """It, with these files."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            releases.asked.append(self.path)
            content = releases.files.get(self.path)
            self.send_response(302 if releases.moved_to else releases.status if content is not None else 404)
            if releases.moved_to:
                self.send_header("Location", releases.moved_to)
            self.end_headers()
            self.wfile.write(b"<html>not here</html>" if content is None else content)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    releases = Releases(f"http://127.0.0.1:{server.server_port}", files)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield releases
    finally:
        server.shutdown()
        server.server_close()
