"""What the API's answers, and its silence, become in words; the server is the tests' own, on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from fluxstead.live.api import LiveApi
from fluxstead.live.resources import SECRETS, Unanswered

TOKEN = "a-token-that-nobody-may-see"  # noqa: S105 -- of a server that lives for a moment


def answering_class(status: int, body: str) -> type[BaseHTTPRequestHandler]:
    """What has one answer."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
            del format, args

    return Answer


@contextmanager
def answering(status: int, body: str, folder: Path) -> Iterator[str]:
    """A server with one answer; gives a kubeconfig for it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering_class(status, body))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield kubeconfig(folder, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def kubeconfig(folder: Path, port: int) -> str:
    access = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "home",
        "contexts": [{"name": "home", "context": {"cluster": "home", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        "clusters": [{"name": "home", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(access))
    return str(folder / "kubeconfig")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, json.dumps({"message": "Unauthorized"}), "does not let this kubeconfig in: Unauthorized; ./run kubeconfig"),
        (500, json.dumps({"message": "etcdserver: leader changed"}), "etcdserver: leader changed"),
        (502, "<html>bad gateway</html>", "HTTP 502"),
    ],
)
def test_a_refusal_is_told_without_the_login(status: int, body: str, words: str, tmp_path: Path) -> None:
    with answering(status, body, tmp_path) as path, LiveApi(path) as api, pytest.raises(Unanswered) as refused:
        api.get(SECRETS, "a", "b")
    assert words in str(refused.value)
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("body", ["<html>a router's page</html>", "[]", "{}", '{"gitVersion": 3}'])
def test_what_is_no_kubernetes_is_told(body: str, tmp_path: Path) -> None:
    with answering(200, body, tmp_path) as path, LiveApi(path) as api, pytest.raises(Unanswered, match="is no Kubernetes API"):
        api.kubernetes()


def test_a_greeting_without_tls_and_certificates_has_the_time_alone(tmp_path: Path) -> None:
    with answering(200, '{"gitVersion": "v1.33.1+k3s1"}', tmp_path) as path, LiveApi(path) as api:
        version, greeting = api.greeting()
    assert (str(version), greeting.own_end, greeting.its_end) == ("v1.33.1+k3s1", None, None)
    assert greeting.ahead is not None
    assert abs(greeting.ahead) < timedelta(seconds=5)


def test_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    """Also where its kind is not there yet: that is how an empty cluster answers."""
    with answering(404, "404 page not found", tmp_path) as path, LiveApi(path) as api:
        assert api.get(SECRETS, "a", "b") is None
        assert api.list(SECRETS) == []


def test_silence_and_files_that_are_no_kubeconfig_end_in_words(tmp_path: Path) -> None:
    with answering(200, "", tmp_path) as path:
        pass
    with LiveApi(path) as api, pytest.raises(Unanswered, match="gives no answer"):
        api.kubernetes()
    for text in ("", "a: [", "- a\n", "clusters: 3\n", "current-context: gone\n"):
        (tmp_path / "broken").write_text(text)
        with pytest.raises(Unanswered, match=r"\./run kubeconfig"):
            LiveApi(str(tmp_path / "broken"))
    with pytest.raises(Unanswered, match=r"\./run kubeconfig"):
        LiveApi(str(tmp_path / "nowhere"))
