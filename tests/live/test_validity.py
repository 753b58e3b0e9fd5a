"""Until when certificates are valid, against those that a library makes; what is none is read as none."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.live.api import LiveApi
from fluxstead.live.validity import end_of, end_of_pem
from tests.conftest import examples
from tests.live.test_api import answering_class

YEAR_2049, YEAR_2050 = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


@cache
def certificate(end: datetime, name: str = "127.0.0.1") -> x509.Certificate:
    """One of that end, signed by itself."""
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(
        named, named, KEY.public_key(), x509.random_serial_number(), datetime(2020, 1, 1, tzinfo=UTC), end
    )
    return made.add_extension(names, critical=False).sign(KEY, SHA256())


@pytest.mark.parametrize("end", [YEAR_2049, YEAR_2050, datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)])
@pytest.mark.parametrize("name", ["a", "a" * 60])
def test_the_end_is_read(end: datetime, name: str) -> None:
    """In both ways to write it, of which the year decides."""
    made = certificate(end, name)
    assert end_of(made.public_bytes(Encoding.DER)) == end
    signer = certificate(YEAR_2049)
    assert end_of_pem(made.public_bytes(Encoding.PEM) + signer.public_bytes(Encoding.PEM)) == end


@given(st.binary(max_size=60))
@examples(200)
def test_what_is_no_certificate_is_none(data: bytes) -> None:
    assert end_of(data) is None
    assert end_of_pem(data) is None


@given(st.data())
@examples(200)
def test_a_damaged_certificate_raises_nothing(data: st.DataObject) -> None:
    whole = bytearray(certificate(YEAR_2049).public_bytes(Encoding.DER))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[at] = data.draw(st.integers(0, 255))
    end_of(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    end_of_pem(b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----")


@pytest.mark.parametrize("checked", [True, False])
def test_the_certificates_of_the_way_in_are_those_that_are_used(tmp_path: Path, checked: bool) -> None:
    """Of the API the one that it shows, whether or not the kubeconfig says to check it; one's own from the file."""
    own, its = certificate(YEAR_2049), certificate(YEAR_2050)
    key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "its.pem").write_bytes(its.public_bytes(Encoding.PEM) + key)
    (tmp_path / "own.crt").write_bytes(own.public_bytes(Encoding.PEM))
    (tmp_path / "own.key").write_bytes(key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering_class(200, '{"gitVersion": "v1.33.1+k3s1"}'))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "its.pem")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    way = {"certificate-authority": "its.pem"} if checked else {"insecure-skip-tls-verify": True}
    access = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "home",
        "contexts": [{"name": "home", "context": {"cluster": "home", "user": "me"}}],
        "users": [{"name": "me", "user": {"client-certificate": "own.crt", "client-key": "own.key"}}],
        "clusters": [{"name": "home", "cluster": {"server": f"https://127.0.0.1:{server.server_address[1]}", **way}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(access))
    try:
        with LiveApi(str(tmp_path / "kubeconfig")) as api:
            version, greeting = api.greeting()
    finally:
        server.shutdown()
        server.server_close()
    assert str(version) == "v1.33.1+k3s1"
    assert (greeting.own_end, greeting.its_end) == (YEAR_2049, YEAR_2050)
    assert greeting.ahead is not None
    assert abs(greeting.ahead) < timedelta(seconds=5)
