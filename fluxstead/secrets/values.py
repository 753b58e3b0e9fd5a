"""What a value has to be."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from fluxstead.core.shape import mapping
from fluxstead.tree.asks import SecretForm

_PEM = re.compile(
    r"(?:\s*-----BEGIN ([A-Z0-9 ]+)-----\r?\n(?:[A-Za-z0-9+/=]+\r?\n)+-----END \1-----\s*)+",
)
_HTPASSWD = re.compile(r"[^:\s]+:(?:\$(?:2[aby]|apr1|[156])\$|\{SHA\})\S+")


def wrong_with(form: SecretForm, value: str | bytes) -> str | None:
    """Why a value is not what it has to be, without the value; None where nothing is wrong."""
    if not value:
        return "it is empty"
    if isinstance(value, bytes):
        return None if form == "text" else "it is not text"
    return _FORMS[form](value)


OF_SEVERAL_LINES: frozenset[SecretForm] = frozenset({"PEM", "Alertmanager's configuration", "YAML"})
"""What cannot be typed at a prompt."""


def docker_login(registry: str, user: str, password: str) -> str:
    """What `docker login` writes (kubernetes: "Pull an Image from a Private Registry")."""
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    return json.dumps({"auths": {registry: {"username": user, "password": password, "auth": auth}}})


def _text(value: str) -> str | None:
    return "it ends in a line break, which is then part of it" if value.endswith("\n") and value.count("\n") == 1 else None


def _one_line(value: str) -> str | None:
    if value != value.strip():
        return "there are spaces or line breaks around it"
    return "it has several lines" if "\n" in value else None


def _pem(value: str) -> str | None:
    return None if _PEM.fullmatch(value) else "it is not PEM: -----BEGIN …-----, lines of base64, -----END …-----"


def _alertmanager(value: str) -> str | None:
    """As Alertmanager reads it (prometheus/alertmanager config.go): a route to a receiver that is there."""
    try:
        data = yaml.safe_load(value)
    except yaml.YAMLError:
        return "it is not YAML"
    route = mapping(data, "route") if isinstance(data, Mapping) else {}
    receivers = data.get("receivers") if isinstance(data, Mapping) else None
    names = {one.get("name") for one in receivers if isinstance(one, Mapping)} if isinstance(receivers, list) else set()
    if not names:
        return "it has no receivers"
    return None if route.get("receiver") in names else "its route leads to no receiver of it"


def _docker(value: str) -> str | None:
    try:
        data: Any = json.loads(value)
    except ValueError:
        return "it is not JSON"
    auths = mapping(data, "auths") if isinstance(data, Mapping) else {}
    return None if auths else 'it has no logins: {"auths": {"registry.example": {"auth": …}}}'


def _yaml(value: str) -> str | None:
    try:
        data = yaml.safe_load(value)
    except yaml.YAMLError:
        return "it is not YAML"
    return None if isinstance(data, Mapping) else "it is not a mapping of keys to values"


def _htpasswd(value: str) -> str | None:
    """As nginx and Traefik read it: a name and a digest in each line; crypt's old one is no protection."""
    lines = value.splitlines()
    return None if all(map(_HTPASSWD.fullmatch, lines)) else "a line is not NAME:DIGEST, as `htpasswd -nB NAME` prints it"


_FORMS: dict[SecretForm, Callable[[str], str | None]] = {
    "text": _text,
    "one line": _one_line,
    "PEM": _pem,
    "Alertmanager's configuration": _alertmanager,
    "Docker's configuration": _docker,
    "YAML": _yaml,
    "htpasswd": _htpasswd,
}
