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
_WHOLE_TOKEN = re.compile(r"K10[0-9a-f]{64}::server:[!-~]+")
_HOST_KEY = re.compile(r"(?:@(?:cert-authority|revoked) )?\S+ (?:ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/]{20,}={0,2}(?: .*)?")
_HTPASSWD = re.compile(r"[^:\s]+:(?:\$(?:2[aby]|apr1|[156])\$|\{SHA\})\S+")


def wrong_with(form: SecretForm, value: str | bytes) -> str | None:
    """Why a value is not what it has to be, without the value; None where nothing is wrong."""
    if not value:
        return "it is empty"
    if isinstance(value, bytes):
        return None if form == "text" else "it is not text"
    return _FORMS[form](value)


def unseen_in(value: str | bytes) -> str | None:
    """Why nobody means what they typed: an arrow key, or a paste, left what no editor and no prompt shows."""
    found = _UNSEEN.search(value) if isinstance(value, str) else None
    return (
        f"there is a character in it that is not seen, U+{ord(found[0]):04X}: an arrow key, or a paste; --file takes it"
        if found
        else None
    )


_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\u2060\ufeff]")
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
    if _UNSEEN.search(value):
        return "there is a character in it that is not seen, as an arrow key or a paste leaves one"
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


def _token(value: str) -> str | None:
    """As k3s reads it (k3s-io/k3s: pkg/clientaccess/token.go): a password, or K10, the CA's digest, `::` and the user with it."""
    if not re.fullmatch(r"[!-~]+", value):
        return "it has spaces, line breaks, or letters that are none of ASCII's"
    if re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", value):
        return "it is one that `k3s token create` made: it ends, and lets only agents join"
    whole = "::" in value or value.startswith("K10")
    wrong = "it has `::`, or begins with K10, and is no whole token of a server: K10…::server:…"
    return wrong if whole and not _WHOLE_TOKEN.fullmatch(value) else None


def _known_hosts(value: str) -> str | None:
    """As sshd(8) says, "SSH_KNOWN_HOSTS FILE FORMAT"."""
    lines = [line for line in value.splitlines() if line.strip() and not line.startswith("#")]
    wrong = "a line is not HOST TYPE KEY, as `ssh-keyscan HOST` prints it"
    return None if lines and all(map(_HOST_KEY.fullmatch, lines)) else wrong


_FORMS: dict[SecretForm, Callable[[str], str | None]] = {
    "text": _text,
    "one line": _one_line,
    "PEM": _pem,
    "Alertmanager's configuration": _alertmanager,
    "Docker's configuration": _docker,
    "YAML": _yaml,
    "htpasswd": _htpasswd,
    "token": _token,
    "known_hosts": _known_hosts,
}
