"""Until when a certificate is valid, read from its DER (RFC 5280 §4.1) without a library, as nothing else of it is needed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_LONG, _VERSION = 0x80, 0xA0
_TIMES = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}
"""UTCTime and GeneralizedTime, as RFC 5280 §4.1.2.5 lets them be written."""


def end_of(der: bytes) -> datetime | None:
    """When a certificate ends; None where this is none."""
    try:
        [(_, certificate)] = _values(der)
        (_, to_be_signed), *_ = _values(certificate)
        _, _, _, (_, validity), *_ = ((tag, value) for tag, value in _values(to_be_signed) if tag != _VERSION)
        _, (tag, written) = _values(validity)
        return datetime.strptime(written.decode("ascii"), _TIMES[tag]).replace(tzinfo=UTC)
    except (ValueError, LookupError):
        return None


def end_of_pem(text: bytes) -> datetime | None:
    """When the first certificate of a PEM file ends, which is one's own, before those that signed it."""
    found = _PEM.search(text)
    try:
        return end_of(base64.b64decode(found.group(1))) if found else None
    except ValueError:
        return None


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The values that follow one another, each with its tag (ITU-T X.690 §8.1)."""
    while data:
        start, size = 2, data[1]
        if size & _LONG:
            start += size & ~_LONG
            size = int.from_bytes(data[2:start], "big")
        if start + size > len(data):
            raise ValueError("it breaks off")
        yield data[0], data[start : start + size]
        data = data[start + size :]
