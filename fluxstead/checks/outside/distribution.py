"""A reader of OCI registries, through the distribution API, without credentials: whether a manifest exists, and which tags do.

Imported only when registries are asked: the modules below take longer to load than a small tree to check.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from fluxstead.checks.outside.web import OPENER, safe
from fluxstead.core.url import is_loopback

_HUB = {"docker.io": "registry-1.docker.io"}
_SECONDS = 10.0
_LARGEST = 4 * 1024 * 1024
_PAGES = 30
_LONGEST_TAG = 128
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/json",
)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


class NotAnswered(Exception):  # noqa: N818 -- nothing is wrong with the program
    """Why a registry gave no answer. `whole_registry`: it would not answer about its other repositories either."""

    def __init__(self, why: str, *, whole_registry: bool = False) -> None:
        super().__init__(why)
        self.whole_registry = whole_registry


class RegistryRepository:
    """One repository in a registry. Its token is kept, so that it is requested only once."""

    def __init__(self, registry: str, name: str, until: float) -> None:
        self._root = (
            f"{'http' if is_loopback(urlsplit(f'//{registry}').hostname or '') else 'https'}://{_HUB.get(registry, registry)}/v2/"
        )
        self._name = name
        self._until = until
        self._token = ""

    def has(self, reference: str) -> bool:
        """Whether there is a manifest with this tag or digest."""
        # HEAD: some registries count every GET of a manifest as a pull, and allow few of them.
        return self._answer("HEAD", f"{self._root}{self._name}/manifests/{reference}") is not None

    def tags(self) -> list[str] | None:
        """The repository's tags, only the first if there are very many; None where there is no such repository."""
        found: list[str] = []
        url = f"{self._root}{self._name}/tags/list?n=1000"
        for _ in range(_PAGES):
            answer = self._answer("GET", url)
            if answer is None:
                return found or None
            headers, body = answer
            tags = _object(body).get("tags")
            found += [tag for tag in tags if isinstance(tag, str) and len(tag) <= _LONGEST_TAG] if isinstance(tags, list) else []
            link = _NEXT.search(headers.get("Link", ""))
            following = urljoin(url, link[1]) if link else ""
            # Another host must not get the token.
            if not following.startswith(self._root) or following == url:
                break
            url = following
        return found

    def is_in_a_registry(self) -> bool:
        """Whether what said "not found" is a registry at all; any web server says that."""
        try:
            return self._answer("GET", self._root) is not None
        except NotAnswered as why:
            return not why.whole_registry

    def _answer(self, method: str, url: str) -> tuple[Message, bytes] | None:
        """Headers and body; None for "not found"."""
        status, headers, body = self._request(method, url, {"Authorization": f"Bearer {self._token}"} if self._token else {})
        if status == HTTPStatus.UNAUTHORIZED and not self._token:
            self._token = self._new_token(headers.get_all("WWW-Authenticate") or [])
            status, headers, body = self._request(method, url, {"Authorization": f"Bearer {self._token}"})
        return None if status == HTTPStatus.NOT_FOUND else (headers, _good(status, body))

    def _new_token(self, challenges: list[str]) -> str:
        """An anonymous token, from where the registry says."""
        bearer = next((one for one in challenges if one.lower().startswith("bearer ")), "")
        asked = dict(_PARAMETER.findall(bearer))
        if "realm" not in asked:
            raise NotAnswered(_CREDENTIALS)
        query = {"service": asked.get("service", ""), "scope": asked.get("scope") or f"repository:{self._name}:pull"}
        url = f"{asked['realm']}{'&' if '?' in asked['realm'] else '?'}{urlencode({k: v for k, v in query.items() if v})}"
        answer = _object(_good(*self._request("GET", url, {})[::2]))
        token = answer.get("token") or answer.get("access_token")
        # It becomes a header: what does not fit on one line is not a token.
        if not isinstance(token, str) or not token.isprintable():
            raise NotAnswered(_CREDENTIALS)
        return token

    def _request(self, method: str, url: str, headers: Mapping[str, str]) -> tuple[int, Message, bytes]:
        seconds = min(_SECONDS, self._until - monotonic())
        if seconds <= 0:
            raise NotAnswered("there was no time left to ask", whole_registry=True)
        try:
            request = urllib.request.Request(safe(url), headers={"Accept": ", ".join(_MANIFESTS)}, method=method)  # noqa: S310 -- safe
            for name, value in headers.items():
                # So that it is not forwarded on a redirect.
                request.add_unredirected_header(name, value)
            with OPENER.open(request, timeout=seconds) as answer:
                return answer.status, answer.headers, answer.read(_LARGEST)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers, b""
        except (OSError, HTTPException, ValueError) as problem:
            reason = getattr(problem, "reason", None) or str(problem) or type(problem).__name__
            raise NotAnswered(f"it does not answer: {reason}", whole_registry=True) from problem


_CREDENTIALS = "it asks for credentials, as registries also do for what does not exist"


def _good(status: int, body: bytes) -> bytes:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise NotAnswered(_CREDENTIALS)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise NotAnswered("it takes no more requests for now (429)", whole_registry=True)
    if status != HTTPStatus.OK:
        raise NotAnswered(f"it answers with status {status}", whole_registry=status >= HTTPStatus.INTERNAL_SERVER_ERROR)
    return body


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise NotAnswered("its answer is not JSON") from problem
    return data if isinstance(data, dict) else {}
