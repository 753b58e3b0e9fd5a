"""Names, labels and annotations as Kubernetes admits them.

Rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and …/labels/.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from fluxstead.core.refusal import refuse

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"(?:(?P<prefix>[^/]+)/)?(?P<name>[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LABEL_LENGTH = 63
_SUBDOMAIN_LENGTH = 253


def nearest_name(text: str) -> str:
    """The name that Kubernetes would admit and that is closest to `text`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LABEL_LENGTH].rstrip("-") or "name"


def _name(value: str) -> str:
    if len(value) <= _LABEL_LENGTH and _LABEL.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not a Kubernetes name",
        why="the API server refuses it: lower-case letters, digits and '-' only, at most 63 of them",
        fix=nearest_name(value),
    )


def is_host_name(value: str) -> bool:
    """Whether it is a DNS name in lower case, and no address."""
    return len(value) <= _SUBDOMAIN_LENGTH and bool(_SUBDOMAIN.fullmatch(value)) and not value.rpartition(".")[2].isdecimal()


def _host(value: str) -> str:
    if is_host_name(value):
        return value
    if value.startswith("*."):
        raise refuse(
            f"{value!r} is a wildcard",
            why="it would answer for names that nobody described, and links and checks are about one name each",
            fix=f"one name, such as www{value[1:]}; or an Ingress among manifests of your own",
        )
    raise refuse(
        f"{value!r} is not a host name",
        why="no ingress rule and no DNS record can carry it",
        fix="lower-case labels joined by dots, such as dev.example-app.local",
    )


def _label_key(value: str) -> str:
    match = _QUALIFIED.fullmatch(value)
    prefix_fits = match and (
        match["prefix"] is None or (len(match["prefix"]) <= _SUBDOMAIN_LENGTH and _SUBDOMAIN.fullmatch(match["prefix"]))
    )
    if match and prefix_fits and len(match["name"]) <= _LABEL_LENGTH:
        return value
    raise refuse(
        f"{value!r} is not a label key",
        why="the API server refuses the whole object that carries it",
        fix="name or prefix.example/name, of letters, digits, '-', '_' and '.'",
    )


def _label_value(value: object) -> str:
    if isinstance(value, str) and len(value) <= _LABEL_LENGTH and _VALUE.fullmatch(value):
        return value
    hint = str(value).lower() if isinstance(value, (bool, int, float)) else None
    raise refuse(
        f"{value!r} is not a label value",
        why="label values are text, at most 63 letters, digits, '-', '_' and '.'",
        fix=f"'{hint}' in quotes" if hint else "a shorter value of those characters",
    )


Name = Annotated[str, AfterValidator(_name)]
"""A DNS label: the name of a namespace, Service or application."""

HostName = Annotated[str, AfterValidator(_host)]
"""A DNS name, as in an ingress rule."""

LabelKey = Annotated[str, AfterValidator(_label_key)]
LabelValue = Annotated[str, BeforeValidator(_label_value)]
Labels = dict[LabelKey, LabelValue]
"""Labels, or anything that Kubernetes bounds like them."""

Tag = Annotated[str, AfterValidator(_label_key)]
"""A Longhorn disk or node tag: a qualified name (longhorn-manager, webhook/resources/node/validator.go)."""


def bounded(text: str, length: int = _LABEL_LENGTH) -> str:
    """`text` where it fits in `length` characters, else its beginning and a digest, so that two long names stay two."""
    if len(text) <= length:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: length - 9].rstrip('-.')}-{digest}"
