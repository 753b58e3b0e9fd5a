"""`k3s token create | list | delete`: bootstrap tokens, as Secrets of the cluster."""

from __future__ import annotations

import argparse
import base64
import re
import secrets
import string
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from .api import Api
from .certificates import hash_of
from .joining import BOOTSTRAP
from .places import API_PORT, TLS

SECRETS = "/api/v1/namespaces/kube-system/secrets"
UNITS = {"h": 3600, "m": 60, "s": 1}
ALPHABET = string.ascii_lowercase + string.digits


def administrator() -> Api:
    """This server's API, asked as k3s asks it."""
    return Api(f"https://127.0.0.1:{API_PORT}", TLS / "server-ca.crt", certificate=TLS / "client-admin.crt")


def main(arguments: Sequence[str]) -> int:
    """What was asked for, printed as k3s prints it."""
    parser = argparse.ArgumentParser(prog="k3s token")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create")
    create.add_argument("token", nargs="?", default="")
    create.add_argument("--ttl", default="24h0m0s")
    create.add_argument("--description", default="")
    listing = commands.add_parser("list")
    listing.add_argument("--output", "-o", default="text")
    delete = commands.add_parser("delete")
    delete.add_argument("ids", nargs="+")
    asked = parser.parse_args(list(arguments))
    if asked.command == "create":
        sys.stdout.write(f"{_create(asked.token, _seconds(asked.ttl), asked.description)}\n")
    elif asked.command == "list":
        sys.stdout.write("".join(f"{line}\n" for line in _listed()))
    else:
        for name in asked.ids:
            administrator().ask(f"{SECRETS}/bootstrap-token-{name.partition('.')[0]}", method="DELETE")
            sys.stdout.write(f'bootstrap token "{name}" deleted\n')
    return 0


def _seconds(ttl: str) -> int:
    if ttl == "0":
        return 0
    if not re.fullmatch(r"(\d+[hms])+", ttl):
        raise SystemExit(f'level=fatal msg="Error: time: invalid duration {ttl}"')
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", ttl))


def _create(token: str, seconds: int, description: str) -> str:
    token = token or f"{_random(6)}.{_random(16)}"
    if not BOOTSTRAP.fullmatch(token):
        raise SystemExit(f'level=fatal msg="the bootstrap token {token[:6]}… was not of the form [a-z0-9]{{6}}.[a-z0-9]{{16}}"')
    name, _, secret = token.partition(".")
    data = {
        "token-id": name,
        "token-secret": secret,
        "description": description,
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": "system:bootstrappers:k3s:default-node-token",
    }
    if seconds:
        data["expiration"] = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {"name": f"bootstrap-token-{name}", "namespace": "kube-system"}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token", "stringData": data}
    administrator().ask(SECRETS, {**body, "metadata": metadata})
    return f"K10{hash_of((TLS / 'server-ca.crt').read_text())}::{token}"


def _listed() -> list[str]:
    lines = [f"{'TOKEN':26}{'TTL':12}{'EXPIRES':24}{'USAGES':28}DESCRIPTION"]
    found = administrator().ask(f"{SECRETS}?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken")["items"]
    for secret in found:
        data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        expires = data.get("expiration", "<never>")
        description = data.get("description") or "<none>"
        token = f"{data['token-id']}.{data['token-secret']}"
        lines.append(f"{token:26}{_left(expires):12}{expires:24}{'authentication,signing':28}{description}")
    return lines


def _left(expires: str) -> str:
    if expires == "<never>":
        return "<forever>"
    until = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    seconds = int((until - datetime.now(UTC)).total_seconds())
    return f"{seconds}s" if seconds > 0 else "<invalid>"


def _random(letters: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(letters))
