"""A copy goes into a bucket: the signature is curl's, an independent one; what the store says is told, and the login never is."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fluxstead.hosts.script.installed import s3_put
from fluxstead.hosts.script.installed.s3_put import Bucket, NotSentError, login_of, put, signed

from .datastore import Site, site_in

KEY = "wJalrXUtnFEMI-nobody-may-see-it"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
DENIED = f"<Error><Code>SignatureDoesNotMatch</Code><Message>Not it.</Message><StringToSign>{KEY}</StringToSign></Error>".encode()


class Store:
    """Answers with these, one after another, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []


@contextmanager
def serving(store: Store) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            store.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, said = store.answers.pop(0)
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_put, "PAUSE_SECONDS", 0)


def _bucket(endpoint: str) -> Bucket:
    return Bucket(endpoint, "eu-1", "home", "state/k3s", "AKIDEXAMPLE", KEY)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_signature_is_curls(tmp_path: Path) -> None:
    """Of the same request at the same moment. curl signs what it sends, of which these three headers are what S3 asks for."""
    file = tmp_path / "k3s-k3s1-20261128T021500Z.tar.gz.age"
    file.write_bytes(b"ciphertext" * 1000)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    store = Store((200, b""))
    with serving(store) as url:
        command = ["curl", "-sS", "--fail", "-T", str(file), "--aws-sigv4", "aws:amz:eu-1:s3", "--user", f"AKIDEXAMPLE:{KEY}"]
        command += ["-H", f"x-amz-content-sha256: {digest}", f"{url}/home/state/k3s/{file.name}"]
        subprocess.run(command, check=True, capture_output=True)
        [(path, headers, _)] = store.asked
        ours = signed(_bucket(url), "PUT", path, digest, headers["x-amz-date"])
    theirs = headers["authorization"].replace(", ", ",")
    assert ours["authorization"] == theirs


def test_it_is_sent_whole_and_once_more_where_the_store_is_busy(tmp_path: Path) -> None:
    file = tmp_path / "copy.age"
    file.write_bytes(bytes(range(256)) * 5000)
    store = Store((503, SLOW_DOWN), (200, b""))
    with serving(store) as url:
        assert put(_bucket(url), str(file)) == f"{url}/home/state/k3s/copy.age"
    assert [path for path, _, _ in store.asked] == ["/home/state/k3s/copy.age"] * 2
    assert all(body == file.read_bytes() for _, _, body in store.asked)
    assert all(headers["x-amz-content-sha256"] == hashlib.sha256(file.read_bytes()).hexdigest() for _, headers, _ in store.asked)


@pytest.mark.parametrize(
    ("answers", "says", "asked"),
    [
        ([(403, DENIED)], "403 SignatureDoesNotMatch: Not it.", 1),
        ([(301, b"")], "301 Moved Permanently", 1),
        ([(503, SLOW_DOWN)] * 3, "503 SlowDown: Reduce your request rate.", 3),
    ],
)
def test_what_the_store_says_is_told_and_the_login_is_not(
    answers: list[tuple[int, bytes]], says: str, asked: int, tmp_path: Path
) -> None:
    file = tmp_path / "copy.age"
    file.write_bytes(b"ciphertext")
    store = Store(*answers)
    with serving(store) as url, pytest.raises(NotSentError) as refused:
        put(_bucket(url), str(file))
    assert says in str(refused.value)
    assert KEY not in str(refused.value)
    assert len(store.asked) == asked


def test_a_store_that_is_off_is_told(tmp_path: Path) -> None:
    file = tmp_path / "copy.age"
    file.write_bytes(b"ciphertext")
    with pytest.raises(NotSentError, match=r"does not take copy\.age into home: .*refused"):
        put(_bucket("http://127.0.0.1:9"), str(file))


def test_a_login_that_is_absent_or_torn_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotSentError, match="`pulumi up` hands the login over"):
        login_of(str(tmp_path / "none"))
    for text in ("", "[]", '{"AWS_ACCESS_KEY_ID": "x"}'):
        (tmp_path / "torn").write_text(text)
        with pytest.raises(NotSentError, match="type `pulumi up` again"):
            login_of(str(tmp_path / "torn"))


@pytest.mark.skipif(not shutil.which("age"), reason="age is not installed")
def test_a_copy_that_is_not_sent_stays_and_the_run_has_failed(tmp_path: Path) -> None:
    """The unit is red, and the copy on the server is good."""
    site: Site = site_in(tmp_path)
    login = tmp_path / "login.json"
    login.write_text(json.dumps({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": KEY}))
    store = Store((403, DENIED), (200, b""))
    with serving(store) as url:
        words = ["--s3-endpoint", url, "--s3-bucket", "home", "--s3-region", "eu-1", "--s3-login", str(login)]
        done = site.run(*words)
        assert done.returncode == 1
        assert "the copy stays on this machine alone" in done.stderr
        assert "state.db" in site.opened(site.copies[-1])
        again = site.run(*words)
        assert again.returncode == 0, again.stderr
    assert store.asked[-1][2] == site.copies[-1].read_bytes()
    assert KEY not in done.stdout + done.stderr + again.stdout + again.stderr
