"""A small chart repository on the loopback: an index, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

INDEX = b"""apiVersion: v1
entries:
  longhorn: [{version: 1.8.1}, {version: 1.8.2}, {version: 1.9.0}]
  cert-manager: [{version: v1.20.3}]
  kube-prometheus-stack: [{version: 55.5.1}, {version: 55.11.0}, {version: 75.6.0}]
"""


@contextmanager
def serving_charts() -> Iterator[str]:
    """Its address."""

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/index.yaml"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(INDEX if found else b"")

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = HTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
