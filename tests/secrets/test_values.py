"""Values as the programs that use them read them: made, and found to be what they have to be."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import bcrypt
import pytest
from cryptography import x509

from fluxstead.cli.secrets import _KINDS
from fluxstead.secrets.makers import MAKERS, made
from fluxstead.secrets.values import wrong_with
from fluxstead.tree.asks import SecretForm, SecretMaker

CA = made("ca", "tls.key", "home")


def test_every_kind_can_be_asked_for() -> None:
    """The command lists them without loading what makes them."""
    assert MAKERS == _KINDS == get_args(SecretMaker)


def test_a_line_of_htpasswd_lets_its_password_in() -> None:
    """And no other; the password is told beside it, for the person who types it."""
    values = made("htpasswd", "auth", "web")
    name, _, digest = values["auth"].partition(":")
    assert name == "admin"
    assert digest.startswith("$2y$"), "which every crypt() reads"
    assert bcrypt.checkpw(values["auth.password"].encode(), digest.encode())
    assert not bcrypt.checkpw(b"another", digest.encode())
    assert wrong_with("htpasswd", values["auth"]) is None


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is needed")
def test_a_key_of_ssh_is_one(tmp_path: Path) -> None:
    """ssh-keygen finds the public half in it."""
    values = made("ssh-key", "identity", "web")
    file = tmp_path / "identity"
    file.write_text(values["identity"])
    file.chmod(0o600)
    done = subprocess.run(["ssh-keygen", "-y", "-f", str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == values["identity.pub"].split()[:2]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is needed")
def test_an_authority_signs_what_openssl_believes(tmp_path: Path) -> None:
    """As cert-manager would sign with it."""
    for name, text in CA.items():
        (tmp_path / name).write_text(text)
    request = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "r", "-subj", "/CN=web"]
    sign = ["openssl", "x509", "-req", "-in", "r", "-CA", "tls.crt", "-CAkey", "tls.key", "-CAcreateserial", "-out", "c"]
    for command in (request, sign, ["openssl", "verify", "-x509_strict", "-CAfile", "tls.crt", "c"]):
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    certificate = x509.load_pem_x509_certificate(CA["tls.crt"].encode())
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("maker", MAKERS)
def test_no_two_are_the_same(maker: SecretMaker) -> None:
    """And nothing made is malformed."""
    one, other = made(maker, "key", "web"), made(maker, "key", "web")
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())
    if maker in {"password", "token", "cookie"}:
        assert wrong_with("one line", one["key"]) is None
        assert len(one["key"]) >= 32


GOOD: dict[SecretForm, tuple[str, ...]] = {
    "text": ("a", "a b ", "line\nline\n"),
    "one line": ("a", "a b"),
    "PEM": (CA["tls.crt"], CA["tls.crt"] + CA["tls.crt"], CA["tls.key"].replace("\n", "\r\n")),
    "Alertmanager's configuration": ("route: {receiver: a}\nreceivers: [{name: a}]\n",),
    "Docker's configuration": ('{"auths": {"registry.example": {"auth": "x"}}}',),
    "YAML": ("a: 1\n",),
    "htpasswd": ("a:$2y$05$abcdefghijklmnopqrstuv\nb:$apr1$x$yyyyyyyyyyyyyyyyyyyyyy\n",),
    "token": ("a" * 8, "!~", f"K10{'a' * 64}::server:x"),
    "known_hosts": (f"h,[h]:22 ssh-ed25519 {'A' * 68}\n", f"# h\n@cert-authority *.h ecdsa-sha2-nistp256 {'A' * 68}= by me\n"),
}
BAD: dict[SecretForm, tuple[str, ...]] = {
    "text": ("", "a\n"),
    "one line": ("", " a", "a\n", "a\nb", "a\t", "a\x1b[Db", "a\u200bb"),
    "PEM": ("", "x", CA["tls.crt"][:100], CA["tls.crt"].replace("\n", ""), re.sub("END CERT", "END X", CA["tls.crt"])),
    "Alertmanager's configuration": ("", "[", "a", "receivers: []", "route: {receiver: b}\nreceivers: [{name: a}]\n"),
    "Docker's configuration": ("", "x", "[]", "{}", '{"auths": {}}', '{"auths": []}'),
    "YAML": ("", "- a", "a", "{"),
    "htpasswd": ("", "a", "a:plain", "a:$2y$05$x\nb\n", ":$2y$05$x"),
    "token": (
        "",
        "two words",
        "line\n",
        "döner",
        "a::b",
        "abcdef.0123456789abcdef",
        "K10short",
        f"K10{'a' * 64}::node:x",
        f"K10{'a' * 63}::server:x",
    ),
    "known_hosts": ("", "\n", "# h\n", "git.example.test", f"ssh-ed25519 {'A' * 68}", f"h ssh-ed25519 {'A' * 68}\nh\n"),
}


def numbered(values: Mapping[SecretForm, tuple[str, ...]]) -> list[tuple[SecretForm, int]]:
    """A value that is made up has no name that two processes agree on."""
    return [(form, number) for form, some in values.items() for number in range(len(some))]


@pytest.mark.parametrize(("form", "number"), numbered(GOOD))
def test_what_can_be_used_is_taken(form: SecretForm, number: int) -> None:
    """In each form that programs write it in."""
    assert wrong_with(form, GOOD[form][number]) is None


@pytest.mark.parametrize(("form", "number"), numbered(BAD))
def test_what_cannot_is_told_without_the_value(form: SecretForm, number: int) -> None:
    """Every form that a need may ask for is here."""
    value = BAD[form][number]
    assert set(get_args(SecretForm)) == GOOD.keys() == BAD.keys()
    said = wrong_with(form, value)
    assert said
    assert len(value) < 3 or value not in said
