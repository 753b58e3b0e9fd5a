"""What may be asked over the network without that anybody on the way reads or changes it."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def split(url: str) -> SplitResult:
    """Its parts, all of them empty where it is no URL at all."""
    try:
        return urlsplit(url)
    except ValueError:  # brackets without an address in them
        return urlsplit("")


def is_safe(url: str) -> bool:
    """Whether it is HTTPS, or HTTP to this machine itself."""
    parts = split(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))
