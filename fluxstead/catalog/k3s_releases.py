"""How k3s publishes its binaries: a folder for each version, and a file for each architecture (k3s: install.sh)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

RELEASES: Final = "https://github.com/k3s-io/k3s/releases/download"
BINARIES: Final[Mapping[str, str]] = {"amd64": "k3s", "arm64": "k3s-arm64", "arm": "k3s-armhf"}
"""The binary's name in a release, by architecture."""


def release_url(origin: str, version: str) -> str:
    """The folder of one version below a URL that is laid out as the releases are; empty where `origin` is a folder on a disk."""
    return f"{origin.rstrip('/')}/{quote(version, safe='')}/" if "://" in origin else ""
