"""A small container registry on the loopback: the distribution API with tokens and pages, and with the moods of real ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

DIGEST = "sha256:" + "a" * 64
PAGE = 2
STATUS = {"private": 401, "forbidden": 403, "busy": 429, "broken": 500}
"""What it answers of repositories below these names, whatever the token."""


Answer = tuple[int, dict[str, str], Any]
"""Status, headers and body."""


class Registry:
    """What the registry holds, what it was asked, and with which authorization."""

    def __init__(self, address: str, repositories: dict[str, list[str]]) -> None:
        self.address = address
        self.repositories = repositories
        self.asked: list[str] = []
        self.shown: list[str] = []
        self.tokens = True
        self.is_registry = True
        self.realm = f"http://{address}/token"
        self.moved_to = ""

    def answer(self, method: str, url: str, authorization: str) -> Answer:
        """What is said to a request."""
        self.asked.append(f"{method} {url}")
        self.shown.append(authorization)
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        if path == "/token":
            return 200, {}, {"token": f"for {query['scope'][0]}"}
        name, _, last = path.removeprefix("/v2/").rpartition("/manifests/" if "/manifests/" in path else "/tags/")
        if self.tokens and authorization != f"Bearer for repository:{name}:pull":
            scope = f',scope="repository:{name}:pull"' if name else ""
            return 401, {"WWW-Authenticate": f'Bearer realm="{self.realm}",service="stand-in"{scope}'}, None
        if path == "/v2/":
            return 200 if self.is_registry else 404, {}, {}
        if name not in self.repositories:
            return STATUS.get(name.partition("/")[0], 404), {}, None
        return self._tags(name, query.get("last")) if last == "list" else self._manifest(name, last)

    def _manifest(self, name: str, reference: str) -> Answer:
        if self.moved_to:
            return 307, {"Location": f"{self.moved_to}/v2/{name}/manifests/{reference}"}, None
        return 200 if reference in {*self.repositories[name], DIGEST} else 404, {}, None

    def _tags(self, name: str, last: list[str] | None) -> Answer:
        tags = self.repositories[name]
        start = tags.index(last[0]) + 1 if last else 0
        page = tags[start : start + PAGE]
        more = {"Link": f'</v2/{name}/tags/list?last={page[-1]}&n={PAGE}>; rel="next"'} if start + PAGE < len(tags) else {}
        return 200, more, {"name": name, "tags": page}


@contextmanager
def serving(**repositories: list[str]) -> Iterator[Registry]:
    """A registry with these repositories; `__` in a name stands for `/`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = registry.answer(self.command, self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if body is not None and self.command == "GET":
                self.wfile.write(json.dumps(body).encode())

        do_HEAD = do_GET  # noqa: N815 -- http.server's own name

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry = Registry(f"127.0.0.1:{server.server_port}", {name.replace("__", "/"): tags for name, tags in repositories.items()})
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
