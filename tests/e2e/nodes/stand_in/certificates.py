"""Authorities and certificates, by openssl. A file that is there is kept, so that a restart finds what it left."""

from __future__ import annotations

import hashlib
import ipaddress
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from .places import TLS

DAYS = "365"


def authority(name: str) -> Path:
    """The certificate `<name>.crt` of an authority, made with its key unless it is there."""
    certificate = TLS / f"{name}.crt"
    if not certificate.exists():
        certificate.parent.mkdir(parents=True, exist_ok=True)
        _key(certificate.with_suffix(".key"))
        subject = ["-subj", f"/CN=k3s-stand-in-{certificate.stem}", "-days", "3650"]
        _openssl("req", "-x509", "-new", "-key", certificate.with_suffix(".key"), *subject, "-out", certificate)
    return certificate


def signed(certificate: Path, by: str, subject: str, names: Iterable[str] = ()) -> Path:
    """A certificate that this authority signs, for these host names and addresses; made anew, its key is kept."""
    certificate.parent.mkdir(parents=True, exist_ok=True)
    key, asked = certificate.with_suffix(".key"), certificate.with_suffix(".csr")
    if not key.exists():
        _key(key)
    request(key, subject, asked)
    more = certificate.with_suffix(".ext")
    alternatives = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in dict.fromkeys(names))
    more.write_text("extendedKeyUsage=clientAuth,serverAuth\n" + (f"subjectAltName={alternatives}\n" if alternatives else ""))
    signer = authority(by)
    made = ["-CA", signer, "-CAkey", signer.with_suffix(".key"), "-CAcreateserial", "-days", DAYS]
    _openssl("x509", "-req", "-in", asked, *made, "-extfile", more, "-out", certificate)
    asked.unlink()
    more.unlink()
    return certificate


def request(key: Path, subject: str, asked: Path) -> None:
    """A signing request for a key, which is made unless it is there. The subject is as openssl takes it."""
    if not key.exists():
        _key(key)
    _openssl("req", "-new", "-key", key, "-subj", subject, "-out", asked)


def service_key() -> Path:
    """What signs the tokens of service accounts."""
    key = TLS / "service.key"
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        _openssl("genrsa", "-traditional", "-out", key, "2048")
    return key


def hash_of(authority_text: str) -> str:
    """What the form `K10<hash>::` of a token names an authority by."""
    return hashlib.sha256(authority_text.encode()).hexdigest()


def _key(file: Path) -> None:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file)
    file.chmod(0o600)


def _openssl(*words: object) -> None:
    command: Sequence[str] = ["openssl", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"openssl {words[0]}: {done.stderr.strip()}")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
