"""The certificate of one's own authority, and where each kind of device keeps what it trusts."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----")


def root_in(text: str) -> str | None:
    """The last certificate of a chain, which is nearest to its root, and nothing else that stands beside it; None without one."""
    found = _CERTIFICATE.findall(text.replace("\r\n", "\n"))
    return f"{found[-1]}\n" if found else None


def fingerprint(certificate: str) -> str:
    """Its SHA-256, as devices show it. Raises ValueError where it is not PEM."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def where_it_goes(file: Path, cluster: str) -> Iterator[str]:
    """A line or two for each kind of device."""
    name = f"{cluster}-ca"
    yield f"Debian, Ubuntu   sudo cp {file} /usr/local/share/ca-certificates/{name}.crt && sudo update-ca-certificates"
    yield f"Fedora, RHEL     sudo cp {file} /etc/pki/ca-trust/source/anchors/{name}.crt && sudo update-ca-trust"
    yield f"Arch             sudo trust anchor --store {file}"
    yield f"Chrome on Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n {name} -i {file}   (libnss3-tools, nss-tools, nss)"
    yield "Firefox          Settings, Privacy & Security, View Certificates, Authorities, Import: to identify websites;"
    yield "                 on Windows, macOS and Android it asks the system, since 120"
    yield f"macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}"
    yield f"Windows          certutil -addstore -f Root {file}   (as administrator)"
    yield "iOS, iPadOS      send yourself the file and open it; Settings, General, VPN & Device Management: install it;"
    yield "                 then Settings, General, About, Certificate Trust Settings: switch it on"
    yield "Android          Settings, Security, Encryption & credentials, Install a certificate, CA certificate;"
    yield "                 browsers trust it, apps only if their makers said so"
