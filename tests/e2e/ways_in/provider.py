"""A small identity provider: OpenID Connect's authorization code flow, with PKCE, for one person who is logged in already.

Sources: OpenID Connect Core 1.0, 3.1; OpenID Connect Discovery 1.0; RFC 7636. It is the tests' own, and no real one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """Whom it knows, and what it gave out. `groups`: those of the person. `down`: it answers no question."""

    def __init__(self, issuer: str, client: tuple[str, str], groups: list[str]) -> None:
        self.issuer, self.client, self.groups = issuer, client, groups
        self.down = False
        self.said: dict[str, Callable[[], object]] = {
            "/.well-known/openid-configuration": self.discovery,
            "/keys": lambda: {"keys": [self.public()]},
            "/userinfo": self.person,
        }
        self._key = rsa.generate_private_key(65537, 2048)
        self._codes: dict[str, dict[str, str]] = {}

    def handler(self) -> Callable[..., BaseHTTPRequestHandler]:
        """Answers for it."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
                del format, args

            def do_GET(self) -> None:
                place = urlsplit(self.path)
                asked = {key: values[0] for key, values in parse_qs(place.query).items()}
                if provider.down:
                    self.send_error(503)
                    return
                if place.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(asked))
                    self.end_headers()
                elif place.path in provider.said:
                    self._say(provider.said[place.path]())
                else:
                    self.send_error(404)

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                given = {key: values[0] for key, values in parse_qs(form).items()}
                login = self.headers.get("Authorization", "")
                if login.startswith("Basic "):
                    name, _, password = base64.b64decode(login[6:]).decode().partition(":")
                    given |= {"client_id": name, "client_secret": password}
                answer = provider.token(given)
                self._say(answer or {"error": "invalid_grant"}, 200 if answer else 400)

            def _say(self, said: object, status: int = 200) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def discovery(self) -> dict[str, Any]:
        """Where everything is."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def public(self) -> dict[str, str]:
        """The key by which what it says is checked."""
        numbers = self._key.public_key().public_numbers()
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": _text(numbers.n.to_bytes(256, "big")), "e": "AQAB"}

    def person(self) -> dict[str, Any]:
        """Who is logged in."""
        return {"sub": "42", "email": "ada@example.test", "email_verified": True, "name": "Ada", "groups": self.groups}

    def authorize(self, asked: dict[str, str]) -> str:
        """Back to whoever asked, with a code; the person need not type anything."""
        code = secrets.token_urlsafe(8)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, given: dict[str, str]) -> dict[str, Any] | None:
        """What a code is exchanged for, once, by who asked for it."""
        asked = self._codes.pop(given.get("code", ""), None)
        if asked is None or (given.get("client_id"), given.get("client_secret")) != self.client:
            return None
        verifier = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if _text(verifier) != asked.get("code_challenge") or given.get("redirect_uri") != asked["redirect_uri"]:
            return None
        claims = {
            "iss": self.issuer,
            "aud": self.client[0],
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
            **self.person(),
        }
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        return {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 600,
            "id_token": self._signed(claims),
        }

    def _signed(self, claims: dict[str, Any]) -> str:
        head = _text(json.dumps({"alg": "RS256", "typ": "JWT", "kid": "1"}).encode())
        body = f"{head}.{_text(json.dumps(claims).encode())}"
        return f"{body}.{_text(self._key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
