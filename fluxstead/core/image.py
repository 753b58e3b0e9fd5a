"""The names of container images (distribution/reference: regexp.go, the grammar that every runtime reads them by)."""

from __future__ import annotations

import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::\d+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{{32,}})?",
    re.ASCII,
)
_LONGEST = 255
HUB = "docker.io"
"""Whose an image is that names no registry."""


def is_image(text: str) -> bool:
    """Whether any runtime can read this as an image, with or without a tag and a digest."""
    match = _IMAGE.fullmatch(text)
    return match is not None and len(match["name"]) <= _LONGEST


def registry_of(image: str) -> str:
    """The registry that has an image."""
    registry, slash, _ = image.partition("/")
    named = slash and ("." in registry or ":" in registry or registry == "localhost")
    return registry if named and registry != f"index.{HUB}" else HUB


def nearest_image(text: str) -> str:
    """What was probably meant by a name that is not one."""
    host, slash, rest = text.strip().partition("://")[2 if "://" in text else 0].partition("/")
    near = f"{host}{slash}{rest.lower()}" if slash else host.lower()
    return near if is_image(near) else "a name such as ghcr.io/owner/name: lower-case letters, digits, '.', '_' and '-' between '/'"
