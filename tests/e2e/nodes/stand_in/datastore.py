"""etcd, also where k3s has SQLite; and a further server's way into it."""

from __future__ import annotations

import json
import sqlite3
import ssl
import urllib.request
from contextlib import closing
from typing import Any

from .certificates import authority, signed
from .children import Children, say
from .config import Settings
from .node import addresses, node_name
from .places import DATABASE, TLS

CLIENT_PORT, PEER_PORT = 2379, 2380
CERTIFICATE = TLS / "etcd/server.crt"
IN_SQLITES_PLACE = DATABASE / "stand-in-etcd"
ETCD = DATABASE / "etcd"


class Datastore:
    """etcd of one server. It counts as SQLite until the server is told of others, as with k3s."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._address = addresses(settings)[0]
        self.is_etcd = ETCD.exists() or settings.flag("cluster-init") or bool(settings.text("server"))

    @property
    def flags(self) -> list[str]:
        """What an API server is told of it."""
        return [f"--etcd-servers=https://127.0.0.1:{CLIENT_PORT}", *self._files("etcd-", "cafile", "certfile", "keyfile")]

    def start(self, children: Children, others: str = "") -> None:
        """Start it. `others` is what a further server was told by `join`."""
        signed(CERTIFICATE, "etcd/server-ca", "/CN=etcd", ["localhost", "127.0.0.1", self._address])
        if self.is_etcd and IN_SQLITES_PLACE.exists():
            IN_SQLITES_PLACE.rename(ETCD)  # `cluster-init` turns the one into the other
        if not self.is_etcd:
            _write_note()
        heard = [f"https://127.0.0.1:{CLIENT_PORT}", *([f"https://{self._address}:{CLIENT_PORT}"] if self.is_etcd else [])]
        arguments = [
            f"--name={node_name(self._settings)}",
            f"--data-dir={ETCD if self.is_etcd else IN_SQLITES_PLACE}",
            f"--listen-client-urls={','.join(heard)}",
            f"--advertise-client-urls={heard[-1]}",
            f"--listen-peer-urls={self._peer}",
            f"--initial-advertise-peer-urls={self._peer}",
            f"--initial-cluster={others or self._named_peer}",
            f"--initial-cluster-state={'existing' if others else 'new'}",
            *("--client-cert-auth", "--peer-client-cert-auth", "--unsafe-no-fsync", "--log-level=warn"),
            *self._files("", "trusted-ca-file", "cert-file", "key-file"),
            *self._files("peer-", "trusted-ca-file", "cert-file", "key-file"),
            *(f"--{argument}" for argument in self._settings.listed("etcd-arg")),
        ]
        children.start("etcd", arguments)
        children.wait("etcd", self._is_well)

    def join(self, host: str) -> str:
        """Become a member of the etcd that this server runs; gives its members, as etcd is told them."""
        signed(CERTIFICATE, "etcd/server-ca", "/CN=etcd", ["localhost", "127.0.0.1", self._address])
        there = _ask(f"https://{host}:{CLIENT_PORT}/v3/cluster/member/list", {})["members"]
        if not any(self._peer in member["peerURLs"] for member in there):
            there = _ask(f"https://{host}:{CLIENT_PORT}/v3/cluster/member/add", {"peerURLs": [self._peer]})["members"]
        named = [f"{one.get('name') or node_name(self._settings)}={one['peerURLs'][0]}" for one in there]
        return ",".join(named)

    @property
    def _peer(self) -> str:
        return f"https://{self._address if self.is_etcd else '127.0.0.1'}:{PEER_PORT}"

    @property
    def _named_peer(self) -> str:
        return f"{node_name(self._settings)}={self._peer}"

    def _files(self, prefix: str, *names: str) -> list[str]:
        files = (authority("etcd/server-ca"), CERTIFICATE, CERTIFICATE.with_suffix(".key"))
        return [f"--{prefix}{name}={file}" for name, file in zip(names, files, strict=True)]

    def _is_well(self) -> bool:
        try:
            return bool(_ask(f"https://127.0.0.1:{CLIENT_PORT}/health", None).get("health") == "true")
        except OSError:
            return False


def _write_note() -> None:
    """Where k3s has its database, one that says what it is."""
    DATABASE.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(DATABASE / "state.db")) as database:
        database.execute("CREATE TABLE IF NOT EXISTS stand_in (note TEXT)")
        database.commit()
    say(f"stand-in: {IN_SQLITES_PLACE} is what k3s would have in {DATABASE / 'state.db'}")


def _ask(url: str, body: Any) -> dict[str, Any]:
    tls = ssl.create_default_context(cafile=str(authority("etcd/server-ca")))
    tls.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url, data, timeout=10, context=tls) as answer:  # noqa: S310 -- etcd's
        read: dict[str, Any] = json.loads(answer.read())
        return read
