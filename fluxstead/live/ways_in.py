"""What answers where people come in: each route asked once, at the same time, as a browser would ask, following no redirect.

A certificate of an authority that is not known here still has to be valid, and for that name: it is taken for an authority itself
(OpenSSL: X509_VERIFY_PARAM_set_flags, X509_V_FLAG_PARTIAL_CHAIN). The codes are those of OpenSSL's x509_vfy.h.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import httpx2

_SECONDS = 5
_AT_ONCE = 32
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_NOT_FOUND, _SERVER_ERROR = 404, 500
Problem = Literal["", "name", "connection", "timeout", "certificate", "answer"]


class Trust(NamedTuple):
    """Whose certificates are believed, beside the system's authorities. `authority`: one's own, as PEM.

    `known`: whether all authorities are known here; where not, a certificate has to be valid, and for that name.
    """

    authority: str = ""
    known: bool = True


class RouteAnswer(NamedTuple):
    """What came of asking. `problem`: of which sort it is that there was no answer, and `says` in which words; or a status."""

    status: int = 0
    problem: Problem = ""
    says: str = ""

    @property
    def wrong(self) -> bool:
        """Whether nothing answers, or something else than the route: 404 is what controllers answer for routes they do not know."""
        return bool(self.problem) or self.status == _NOT_FOUND or self.status >= _SERVER_ERROR


def answers_of(urls: Iterable[str], trust: Trust = Trust()) -> Mapping[str, RouteAnswer]:  # noqa: B008 -- it cannot be changed
    """The answer of each URL."""
    asked = list(dict.fromkeys(urls))
    context = ssl.create_default_context()
    if trust.authority:
        context.load_verify_locations(cadata=trust.authority)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(asked, pool.map(lambda url: _answer(url, context, trust), asked), strict=True))


def _answer(url: str, context: ssl.SSLContext, trust: Trust) -> RouteAnswer:
    try:
        return _asked(url, context)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
        refused = next((one for one in _chain(problem) if isinstance(one, ssl.SSLCertVerificationError)), None)
        if refused is None or trust.known or refused.verify_code not in _UNKNOWN_AUTHORITY:
            return _problem(problem)
    try:
        return _asked(url, _believing(url))
    except (httpx2.HTTPError, OSError) as problem:
        return _problem(problem)


def _asked(url: str, context: ssl.SSLContext) -> RouteAnswer:
    # Without proxies of the environment, which answer for what does not.
    with (
        httpx2.Client(verify=context, timeout=_SECONDS, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", url) as answer,
    ):
        return RouteAnswer(answer.status_code)


def _believing(url: str) -> ssl.SSLContext:
    """For which the certificate that is there now is an authority. Raises OSError."""
    place = urlsplit(url)
    looking = ssl.create_default_context()
    looking.check_hostname, looking.verify_mode = False, ssl.CERT_NONE
    host = place.hostname or ""
    with (
        socket.create_connection((host, place.port or 443), _SECONDS) as plain,
        looking.wrap_socket(plain, server_hostname=host) as there,
    ):
        certificate = there.getpeercert(binary_form=True) or b""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _problem(problem: Exception) -> RouteAnswer:
    for one in _chain(problem):
        if isinstance(one, ssl.SSLCertVerificationError):
            return RouteAnswer(problem="certificate", says=one.verify_message)
        if isinstance(one, ssl.SSLError):
            return RouteAnswer(problem="answer", says=one.reason or "it speaks no TLS")
        if isinstance(one, socket.gaierror):
            return RouteAnswer(problem="name", says=one.strerror or "the name is not known")
        if isinstance(one, TimeoutError | httpx2.TimeoutException):
            return RouteAnswer(problem="timeout", says=f"no answer within {_SECONDS} s")
        if isinstance(one, OSError):
            return RouteAnswer(problem="connection", says=one.strerror or str(one))
    return RouteAnswer(problem="answer", says=str(problem) or type(problem).__name__)
