"""Asking an API server as somebody: by a bearer token, or by a certificate."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

SECONDS = 10
CONFLICT = 409


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(f"{url}: {status} {reason}")
        self.status = status


class Api:
    """One server, asked as one user. `authority` is None where its certificate is not verified."""

    def __init__(self, server: str, authority: Path | None, token: str = "", certificate: Path | None = None) -> None:
        self.server = server.rstrip("/")
        self._token = token
        self._tls = ssl.create_default_context(cafile=str(authority) if authority else None)
        if authority is None:
            self._tls.check_hostname = False
            self._tls.verify_mode = ssl.CERT_NONE
        if certificate:
            self._tls.load_cert_chain(certificate, certificate.with_suffix(".key"))

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str = "", kind: str = "application/json") -> Any:
        """What the server answers, as JSON where it is. Raises Refused, and OSError where nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, method=method or ("POST" if data else "GET"))  # noqa: S310
        request.add_header("Content-Type", kind)
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS, context=self._tls) as answer:  # noqa: S310
                text = answer.read().decode()
        except urllib.error.HTTPError as refused:
            raise Refused(self.server + path, refused.code, refused.reason) from refused
        return json.loads(text) if text.startswith("{") else text

    def ready(self) -> bool:
        """Whether it serves."""
        try:
            return bool(self.ask("/readyz") == "ok")
        except (OSError, Refused):
            return False

    def create(self, path: str, body: dict[str, Any]) -> None:
        """Create an object below the path, unless one of its name is there."""
        try:
            self.ask(path, body)
        except Refused as refused:
            if refused.status != CONFLICT:
                raise


def kubeconfig(server: str, authority: dict[str, str], user: dict[str, str]) -> str:
    """A file for kubectl and the kubelet, as JSON, which is YAML."""
    context = {"cluster": "default", "user": "default"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "default", "cluster": {"server": server, **authority}}],
            "users": [{"name": "default", "user": user}],
            "contexts": [{"name": "default", "context": context}],
            "current-context": "default",
        },
        indent=1,
    )


def by_certificate(certificate: Path) -> dict[str, str]:
    """A kubeconfig's user who shows this certificate."""
    return {"client-certificate": str(certificate), "client-key": str(certificate.with_suffix(".key"))}
