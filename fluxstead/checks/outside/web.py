"""Asking over HTTP what nobody on the way may read or change, through redirects too."""

from __future__ import annotations

import urllib.request
from email.message import Message
from typing import IO
from urllib.parse import urlsplit

from fluxstead.core.url import is_safe


def safe(url: str) -> str:
    """The URL, if nobody on the way can read what is sent to it. Raises ValueError."""
    if is_safe(url):
        return url
    parts = urlsplit(url)
    raise ValueError(f"{parts.scheme}://{parts.netloc} is not asked without encryption")


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 -- urllib's own signature
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        return super().redirect_request(req, fp, code, msg, headers, safe(newurl))  # type: ignore[arg-type]


OPENER = urllib.request.build_opener(_Redirects)
"""Asks, and follows only redirects that are safe as well."""
