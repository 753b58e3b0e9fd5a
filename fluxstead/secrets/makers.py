"""How values are made that nobody has to know beforehand. What takes more than random numbers is pyca's."""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fluxstead.tree.asks import SecretMaker

_LETTERS = string.ascii_letters + string.digits
_LENGTH = 32
_YEARS = timedelta(days=3650)
USER = "admin"
"""The name in a line of htpasswd."""
TYPED = ".password"
"""After a key's name: what a person types where the key has only its digest. It is told once and stored nowhere, since Traefik
refuses a Secret that has more than the one key (pkg/provider/kubernetes/crd/kubernetes.go, loadBasicAuthCredentials)."""


def made(maker: SecretMaker, key: str, owner: str) -> dict[str, str]:
    """A new value for a key of the Secret `owner`, too random to be guessed; and, beside it, its public half, or what to type."""
    return _MAKERS[maker](key, owner)


def _password(key: str, owner: str) -> dict[str, str]:
    del owner
    return {key: "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))}


def _token(key: str, owner: str) -> dict[str, str]:
    del owner
    return {key: secrets.token_urlsafe(_LENGTH)}


def _cookie(key: str, owner: str) -> dict[str, str]:
    """oauth2-proxy takes 16, 24 or 32 bytes, as base64 (its docs, "Generating a Cookie Secret")."""
    del owner
    return {key: base64.urlsafe_b64encode(secrets.token_bytes(_LENGTH)).decode()}


def _htpasswd(key: str, owner: str) -> dict[str, str]:
    """The line that ingress controllers compare with, and the password that a person types (as nginx and Traefik read it)."""
    import bcrypt  # noqa: PLC0415 -- few values are of this kind

    password = _password(key, owner)[key]
    # As htpasswd calls the same thing: not every crypt() that a controller's nginx is linked with knows the letter b.
    line = bcrypt.hashpw(password.encode(), bcrypt.gensalt(10, prefix=b"2b")).decode().replace("$2b$", "$2y$", 1)
    return {key: f"{USER}:{line}", f"{key}{TYPED}": password}


def _ssh_key(key: str, owner: str) -> dict[str, str]:
    """Ed25519, in OpenSSH's own form."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 -- likewise
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()).decode()
    public = private.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
    return {key: text, f"{key}.pub": f"{public} {owner}\n"}


def public_half(private: str) -> str | None:
    """What goes with a private key of SSH; None where it is none, or wants a passphrase."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    try:
        read = form.load_ssh_private_key if "OPENSSH" in private else form.load_pem_private_key
        public = read(private.encode(), None).public_key()
        return public.public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode() + "\n"
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        return None


def _authority(key: str, owner: str) -> dict[str, str]:
    """A CA that signs certificates and no other authority (RFC 5280, 4.2.1.9), for ten years."""
    from cryptography import x509  # noqa: PLC0415 -- likewise
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, owner[:64])])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )
    text = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    beside = f"{key.removesuffix('.key')}.crt"
    return {key: text, beside: certificate.public_bytes(form.Encoding.PEM).decode()}


_MAKERS: dict[SecretMaker, Callable[[str, str], dict[str, str]]] = {
    "password": _password,
    "token": _token,
    "cookie": _cookie,
    "htpasswd": _htpasswd,
    "ssh-key": _ssh_key,
    "ca": _authority,
}
MAKERS = tuple(_MAKERS)
