"""Downloading the binary from servers of these tests on the loopback, honest and not."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fluxstead.hosts.script.k3s_fetch import what_it_is

from .k3s_host import K3sHost


class Release:
    """A folder of a release, and what it answers."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        release = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                release.asked.append(self.path)
                self.send_response(release.status)
                for key, value in {"Content-Length": str(len(release.body)), **release.headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(release.body)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1.33.1%2Bk3s1"


@pytest.fixture
def release() -> Iterator[Release]:
    made = Release()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> K3sHost:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    made = K3sHost(tmp_path)
    made.prepared()
    return made


def failed(host: K3sHost, **told: Any) -> str:
    """Why the binary was not taken; nothing of it is left."""
    with pytest.raises(host.script.StepError) as error:
        host.apply(**told)
    assert not host.place("/usr/local/bin/k3s").exists()
    assert not host.place("/usr/local/bin/.k3s.fluxstead").exists()
    return str(error.value)


def test_a_release_is_downloaded_and_what_was_left_is_replaced(host: K3sHost, release: Release) -> None:
    """Also where somebody put a link to another file in its place."""
    kept = host.write("/etc/passwd", "kept")
    host.place("/usr/local/bin/.k3s.fluxstead").symlink_to(kept)
    release.body = host.binary
    assert host.apply(url=release.url)["k3s"]["ready"]
    assert kept.read_text() == "kept"
    [asked] = release.asked
    assert asked.startswith("/v1.33.1%2Bk3s1/k3s")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html>\n<title>Sign in</title>", "HTML instead of a binary"),
        (b'{"message": "rate limit"}', "JSON instead of a binary"),
        (b"\x7fELF another", "another binary, SHA-256"),
        (b"", "an empty file"),
        (b"\x1f\x8bgzip", "a compressed file"),
        (b"text", "no binary at all"),
    ],
)
def test_what_is_not_described_is_named_and_gone(body: bytes, said: str, host: K3sHost, release: Release) -> None:
    release.body = body
    why = failed(host, url=release.url)
    assert said in why
    assert "find out why before: ./run upgrade kubernetes --lock" in why


def test_a_download_that_is_cut_off_says_so_and_begins_anew(host: K3sHost, release: Release) -> None:
    release.body, release.headers = host.binary[:-9], {"Content-Length": str(len(host.binary))}
    assert "cut off" in failed(host, url=release.url)
    release.body, release.headers = host.binary, {}
    assert host.apply(url=release.url)["k3s"]["ready"]


def test_what_has_no_end_is_given_up(host: K3sHost, release: Release) -> None:
    release.headers = {"Content-Length": str(10**10)}
    assert "no k3s is as large as that" in failed(host, url=release.url)
    host.script.__dict__["MOST_BYTES"] = 3
    release.body, release.headers = b"1234", {"Content-Length": "3", "Connection": "close"}
    assert "is not what is described" in failed(host, url=release.url)


def test_no_redirect_leads_to_where_anybody_could_change_it(host: K3sHost, release: Release) -> None:
    release.status, release.headers = 302, {"Location": "http://192.0.2.1/k3s"}
    assert "http://192.0.2.1/k3s is not https" in failed(host, url=release.url)
    for url in ("http://192.0.2.1/x", "ftp://127.0.0.1/x", "http://127.0.0.1.example/x", "http://127.0.0.1@example/x"):
        with pytest.raises(host.script.WrongUseError):
            host.script.read_told(host.told(url=url), "apply")


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "there is no such version"), (403, "it takes a login"), (407, "it takes a login"), (500, "curl -sSIL")],
)
def test_what_the_server_refuses_is_told_with_what_to_look_at(status: int, said: str, host: K3sHost, release: Release) -> None:
    release.status = status
    assert said in failed(host, url=release.url)


def test_nobody_there_is_told(host: K3sHost, release: Release) -> None:
    release.server.shutdown()
    release.server.server_close()
    assert "nobody lets this host through" in failed(host, url=release.url)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (OSError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate is not yet valid"), "clock is wrong"),
        (OSError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate"), "ca-certificates"),
        (OSError("[Errno -3] Temporary failure in name resolution"), "getent hosts 127.0.0.1"),
        (OSError("[Errno 101] Network is unreachable"), "https_proxy"),
    ],
)
def test_each_trouble_on_the_way_has_words(error: OSError, said: str, host: K3sHost) -> None:
    def copy(*_: object) -> None:
        raise error

    host.script.__dict__["_copy"] = copy
    release = Release()
    assert said in failed(host, url=release.url)
    release.server.shutdown()
    release.server.server_close()


def test_the_proxies_of_the_login_are_handed_on_to_k3s(host: K3sHost, monkeypatch: pytest.MonkeyPatch) -> None:
    host.send()
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "192.0.2.0/24")
    host.apply()
    mode, text = host.files()["etc/systemd/system/k3s.service.env"]
    assert (mode, set(text.decode().splitlines())) == (
        0o600,
        {"https_proxy=http://proxy.example:3128", "NO_PROXY=192.0.2.0/24"},
    )


def test_a_file_that_changes_between_its_two_readings_is_not_started(host: K3sHost, release: Release) -> None:
    """Who may write into the folder could put another one there after the first."""
    release.body = host.binary
    download = host.script.download

    def swapped(url: str, digest: str) -> None:
        download(url, digest)
        host.send(b"#!/bin/sh\nevil")

    host.script.__dict__["download"] = swapped
    with pytest.raises(host.script.StepError, match="is not what is described"):
        host.apply(url=release.url)
    assert not host.place("/usr/local/bin/k3s").exists()
    assert host.place("/usr/local/bin/.k3s.fluxstead").stat().st_mode & 0o111 == 0


def test_a_file_is_told_by_its_beginning() -> None:
    assert what_it_is(hashlib.sha256(b"").digest()) == "no binary at all"
