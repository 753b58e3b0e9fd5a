"""What answers where people come in, asked of real servers on loopback, plain and with TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fluxstead.live import ways_in
from fluxstead.live.ways_in import RouteAnswer, Trust, answers_of

NOW = datetime.now(UTC)


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server that answers with the status that the path names; gives its URL, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(int(self.path.strip("/")))
            self.send_header("Location", "/200")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


class Authority:
    """One's own, and what it issues."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own-ca")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        made = self._built(self._name, self._key, timedelta(days=1)).add_extension(constraints, critical=True)
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def _built(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        begins = NOW - timedelta(days=2)
        return builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(NOW + lasts)

    def serves(self, host: str = "127.0.0.1", lasts: timedelta = timedelta(days=1)) -> ssl.SSLContext:
        """With a certificate for this address, for so long from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        made = self._built(x509.Name([]), key, lasts).add_extension(names, critical=True).sign(self._key, hashes.SHA256())
        form = serialization.PrivateFormat.PKCS8
        private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        file = self._folder / "served.pem"
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def answer(url: str, trust: Trust | None = None) -> RouteAnswer:
    return answers_of([url], trust or Trust())[url]


@pytest.mark.parametrize(
    ("status", "wrong"),
    [(200, False), (204, False), (302, False), (308, False), (401, False), (403, False), (404, True), (502, True), (503, True)],
)
def test_a_status_is_an_answer_or_none(status: int, wrong: bool) -> None:
    with serving() as (url, asked):
        found = answer(f"{url}/{status}")
    assert (found.status, found.problem, found.wrong) == (status, "", wrong)
    assert asked == [f"/{status}"], "no redirect is followed"


def test_each_is_asked_once_and_at_the_same_time() -> None:
    with serving() as (url, asked):
        found = answers_of([f"{url}/200", f"{url}/503", f"{url}/200"])
    assert {one.rpartition("/")[2]: said.wrong for one, said in found.items()} == {"200": False, "503": True}
    assert sorted(asked) == ["/200", "/503"]


def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = answer(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert (found.problem, found.says) == ("connection", "Connection refused")


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the resolver says, without asking one."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert answer("http://nowhere.example/").problem == "name"


def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways_in, "_SECONDS", 0.2)
    done = Event()

    def silent(server: socket.socket) -> None:
        connection, _ = server.accept()
        done.wait(10)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=silent, args=(server,), daemon=True).start()
        found = answer(f"http://127.0.0.1:{server.getsockname()[1]}/")
        done.set()
    assert found.problem == "timeout"


def test_who_speaks_no_tls(authority: Authority) -> None:
    with serving() as (url, _):
        found = answer(f"{url.replace('http:', 'https:')}/200")
    assert found.problem == "answer"
    with serving(authority.serves()) as (url, _):
        assert answer(f"{url.replace('https:', 'http:')}/200").wrong


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving() as (url, _):
        assert answer(f"{url}/200").status == 200


def test_ones_own_authority_is_believed(authority: Authority) -> None:
    with serving(authority.serves()) as (url, _):
        assert answer(f"{url}/200", Trust(authority.pem)).status == 200


def test_an_authority_that_nobody_knows_is_refused_where_all_are_known(authority: Authority) -> None:
    with serving(authority.serves()) as (url, _):
        found = answer(f"{url}/200")
    assert found.problem == "certificate"
    assert "issuer" in found.says


ELSEWHERE = Trust(known=False)


def test_an_authority_that_is_not_on_this_machine_is_let_pass(authority: Authority) -> None:
    with serving(authority.serves()) as (url, _):
        assert answer(f"{url}/200", ELSEWHERE).status == 200


@pytest.mark.parametrize("trust", ["own", "elsewhere"])
def test_a_certificate_that_is_over_is_said(authority: Authority, trust: str) -> None:
    with serving(authority.serves(lasts=timedelta(days=-1))) as (url, _):
        found = answer(f"{url}/200", Trust(authority.pem) if trust == "own" else ELSEWHERE)
    assert (found.problem, found.says) == ("certificate", "certificate has expired")


@pytest.mark.parametrize("trust", ["own", "elsewhere"])
def test_a_certificate_for_another_name_is_said(authority: Authority, trust: str) -> None:
    """As the controller's own is, while none is there."""
    with serving(authority.serves("127.0.0.2")) as (url, _):
        found = answer(f"{url}/200", Trust(authority.pem) if trust == "own" else ELSEWHERE)
    assert found.problem == "certificate"
    assert "mismatch" in found.says
    assert "127.0.0.1" in found.says


@pytest.mark.parametrize("url", ["http://", "https://[", "nonsense"])
def test_what_is_no_url_gives_no_traceback(url: str) -> None:
    assert answer(url).problem
