"""What is behind routes: a page whose parts are found relative to it, as Longhorn's UI is made, and one that says what it got.

Sources of the first: longhorn/longhorn-ui src/publicPath.js and src/utils/websocket.js.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from http.server import BaseHTTPRequestHandler

_PAGE = b"""<!doctype html><html><head><title>storage</title><link rel="stylesheet" href="./main.css"></head>
<body><h1>Volumes</h1><p id="told">nothing yet</p><script src="./main.js"></script><img src="./late.svg" alt=""></body></html>"""
_SCRIPT = b"""
const ways = location.pathname === '/' ? '' : location.pathname.replace(/\\/$/, '');
const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
const socket = new WebSocket(`${scheme}//${location.host}${ways}/v1/ws/1s/volumes`);
socket.onmessage = event => { document.getElementById('told').textContent = `told: ${event.data}`; };
socket.onerror = () => { document.getElementById('told').textContent = 'no socket'; };
"""
_STYLE = b"body { background: rgb(230, 245, 230); font-family: sans-serif; }"
_PARTS = {
    "/": ("text/html", _PAGE),
    "/main.js": ("text/javascript", _SCRIPT),
    "/main.css": ("text/css", _STYLE),
    "/late.svg": ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
}
_LATE_SECONDS = 1.5
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 1.3."""


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
        del format, args

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Storage(_Quiet):
    """Longhorn's frontend, by its paths."""

    def do_GET(self) -> None:
        """A part of the page, or one message over a websocket."""
        if self.path == "/v1/ws/1s/volumes" and self.headers.get("Upgrade", "").lower() == "websocket":
            key = self.headers["Sec-WebSocket-Key"] + _MAGIC
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())  # noqa: S324
            self.end_headers()
            self.wfile.write(b"\x81\x0bvolumes: 12")
            self.rfile.read(1)
        elif self.path in _PARTS:
            # A browser without a window looks at a page once all of it was loaded; the socket is no part of that.
            time.sleep(_LATE_SECONDS if self.path == "/late.svg" else 0)
            self.answer(200, *_PARTS[self.path])
        else:
            self.answer(404, "text/plain", b"no such part of the page")


class Echo(_Quiet):
    """Says what it was asked."""

    def do_GET(self) -> None:
        """The path and the headers, as they arrived."""
        said = {"path": self.path, **{name.lower(): value for name, value in self.headers.items()}}
        self.answer(200, "application/json", json.dumps(said).encode())
