"""Addresses, networks, ports and SSH host keys."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from fluxstead.core.refusal import refuse
from fluxstead.core.written import from_text

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def _address(value: str) -> IpAddress:
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        raise refuse(
            f"{value!r} is not an IP address",
            why="nodes join and are dialled by address, never by a name that DNS may not know yet",
            fix="an address such as 192.168.86.71",
        ) from None


def is_address(value: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _cidr(value: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise refuse(
            f"{value!r} is not a network",
            why="a network is its first address and the length of its prefix",
            fix=_network_of(value),
        ) from None


def _networks(value: str) -> tuple[IpNetwork, ...]:
    found = tuple(_cidr(part.strip()) for part in value.split(","))
    if len({network.version for network in found}) == len(found):
        return found
    raise refuse(
        f"{value!r} has two networks of one family",
        why="a cluster has one network of IPv4, one of IPv6, or one of each",
        fix="one of them; or one of each family, such as 10.42.0.0/16,fd00:42::/56",
    )


def _network_of(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        return "a network such as 10.42.0.0/16"


# kube-apiserver's default for --service-node-port-range, which k3s keeps.
_NODE_PORTS = range(30000, 32768)


def _node_port(value: int) -> int:
    if value in _NODE_PORTS:
        return value
    raise refuse(
        f"{value} is not a node port",
        why="the API server hands out 30000 to 32767 only, and refuses a Service that asks for another",
        fix=f"a port from {_NODE_PORTS.start} to {_NODE_PORTS.stop - 1}",
    )


_HOST_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: .*)?")


def _host_key(value: str) -> str:
    match = _HOST_KEY.fullmatch(value)
    if match is not None and _names_itself(match[2], match[1]):
        return f"{match[1]} {match[2]}"
    kind = value.split(" ", 1)[0]
    raise refuse(
        f"an SSH host key of type {kind!r}" if kind in {"ssh-rsa", "ssh-dss"} else f"{value!r} is not an SSH host key",
        why="an RSA key makes the connection ask for SHA-1, which today's sshd refuses"
        if kind == "ssh-rsa"
        else "without the right key a stranger's host could be prepared, and its disks formatted",
        fix="one line of `ssh-keyscan -t ed25519 HOST` without the host name: ssh-ed25519 AAAA…",
    )


def _names_itself(encoded: str, kind: str) -> bool:
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        return False
    return blob.startswith(len(kind).to_bytes(4, "big") + kind.encode())


def _http_path(value: str) -> str:
    if re.fullmatch(r"/[A-Za-z0-9._~/-]*", value):
        return value.rstrip("/") or "/"
    raise refuse(f"{value!r} is not a URL path", why="an ingress rule matches whole paths", fix="a path such as /longhorn")


_OF_A_PATH = r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*"
"""RFC 3986, 3.3."""


def _asked_at(value: str) -> str:
    if re.fullmatch(_OF_A_PATH, value):
        return value
    raise refuse(
        f"{value!r} is not the path of a request",
        why="nothing answers there, and it would never be known to be well",
        fix="a path that begins with '/', such as /healthz",
    )


def _asked_with(value: str) -> str:
    path, _, query = value.partition("?")
    if re.fullmatch(_OF_A_PATH, f"/{query}".replace("?", "/")):
        return f"{_asked_at(path)}?{query}" if query else _asked_at(path)
    return _asked_at(value)


def _port_number(value: object) -> object:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


Address = Annotated[IpAddress, from_text(_address)]
"""An IP address."""

Cidr = Annotated[IpNetwork, from_text(_cidr)]
"""A network without host bits."""

Cidrs = Annotated[tuple[IpNetwork, ...], from_text(_networks)]
"""A network, or one of each family with a comma between them, as k3s has it."""

Port = Annotated[int, BeforeValidator(_port_number), Field(ge=1, le=65535)]
"""A TCP port."""

NodePort = Annotated[int, BeforeValidator(_port_number), AfterValidator(_node_port)]
"""A port that a Service may claim on every node."""

HostKey = Annotated[str, AfterValidator(_host_key)]
"""An SSH host key, ed25519 or ECDSA, as one line of an authorized_keys file without its comment."""

RequestPath = Annotated[str, AfterValidator(_asked_at)]
"""The path of a request, as it is sent."""

RequestTarget = Annotated[str, AfterValidator(_asked_with)]
"""The path of a request, and its query."""

UrlPath = Annotated[str, AfterValidator(_http_path)]
"""The path that an ingress rule matches, without the slash at its end."""
