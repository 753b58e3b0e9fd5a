"""Longhorn's CSI driver on each machine: the kubelet's own calls, answered outside of the machine, and carried out inside.

A volume of the real one is a block device with a file system. Here it is a folder, and publishing it is a bind mount: all that is
above it is the kubelet's own, the wait for the attachment, the ownership by `fsGroup`, the unmounting before a detachment.
The few messages are written and read by hand, since no package that the tests have brings them
(container-storage-interface/spec: csi.proto; kubernetes/kubelet: pkg/apis/pluginregistration/v1/api.proto).
Source: csi/{identity_server,node_server}.go.
"""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.e2e.nodes.spawned import SpawnedMachine

from .objects import DRIVER

SOCKET = f"lib/kubelet/plugins_registry/{DRIVER}-reg.sock"
"""Below /var, where a kubelet looks for drivers; the same one serves both, who asks by which name it is, and the driver."""
_MORE, _SEVEN, _LENGTH = 0x80, 7, 2
_FIXED64, _FIXED32 = 1, 5
_LONGEST = 107
"""The bytes of a socket's path."""

Call = Callable[[bytes, Any], bytes]


class NodePlugin:
    """The driver on one machine. `folder`: that of the volumes, as the machine sees it; `var`: the machine's /var."""

    def __init__(self, machine: SpawnedMachine, var: Path, folder: str) -> None:
        self._machine = machine
        self._folder = folder
        self._grpc = importlib.import_module("grpc")
        self._server = self._grpc.server(ThreadPoolExecutor(4))
        socket = var / SOCKET
        assert len(str(socket)) <= _LONGEST, f"a socket cannot have the path {socket}"
        socket.parent.mkdir(parents=True, exist_ok=True)
        socket.unlink(missing_ok=True)
        services: dict[str, dict[str, Call]] = {
            "pluginregistration.Registration": {"GetInfo": self._info, "NotifyRegistrationStatus": _nothing},
            "csi.v1.Node": {
                "NodeGetInfo": lambda *_: _text(1, machine.name),
                "NodeGetCapabilities": _nothing,
                "NodePublishVolume": self._publish,
                "NodeUnpublishVolume": self._unpublish,
            },
        }
        for service, calls in services.items():
            handlers = {name: self._grpc.unary_unary_rpc_method_handler(call) for name, call in calls.items()}
            self._server.add_generic_rpc_handlers((self._grpc.method_handlers_generic_handler(service, handlers),))
        self._server.add_insecure_port(f"unix:{socket}")
        self._server.start()

    def _info(self, request: bytes, context: Any) -> bytes:
        del request, context
        return _text(1, "CSIPlugin") + _text(2, DRIVER) + _text(3, f"/var/{SOCKET}") + _text(4, "1.0.0")

    def _publish(self, request: bytes, context: Any) -> bytes:
        asked = _fields(request)
        volume, target = _word(asked, 1), shlex.quote(_word(asked, 4))
        source = shlex.quote(f"{self._folder}/{volume}")
        lines = [f"test -d {source}", f"mkdir -p {target}", f"mountpoint -q {target} || mount --bind {source} {target}"]
        if asked.get(6) == [1]:
            lines.append(f"mount -o remount,bind,ro {target}")
        return self._do(lines, f"volume {volume} is not published", context)

    def _unpublish(self, request: bytes, context: Any) -> bytes:
        asked = _fields(request)
        target = shlex.quote(_word(asked, 2))
        lines = [f"! mountpoint -q {target} || umount {target}", f"! test -d {target} || rmdir {target}"]
        return self._do(lines, f"volume {_word(asked, 1)} is not unpublished", context)

    def _do(self, lines: list[str], problem: str, context: Any) -> bytes:
        done = self._machine.try_to("; ".join(lines))
        if done.returncode:
            context.abort(self._grpc.StatusCode.INTERNAL, f"{problem}: {done.stderr.strip()}")
        return b""

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop(None).wait(10)


def _nothing(request: bytes, context: Any) -> bytes:
    """An answer without a word; of capabilities it says that there are none: nothing is staged, and nothing grown on a machine."""
    del request, context
    return b""


def _text(number: int, text: str) -> bytes:
    """A field of a message."""
    content = text.encode()
    return _number(number << 3 | _LENGTH) + _number(len(content)) + content


def _number(value: int) -> bytes:
    made = bytearray()
    while value >= _MORE:
        made.append(value % _MORE | _MORE)
        value >>= _SEVEN
    return bytes([*made, value])


def _fields(message: bytes) -> dict[int, list[int | bytes]]:
    """What a message holds, by the fields' numbers."""
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(message):
        tag, at = _read(message, at)
        value: int | bytes
        match tag & _SEVEN:
            case 0:
                value, at = _read(message, at)
            case 2:
                length, at = _read(message, at)
                value, at = message[at : at + length], at + length
            case kind:
                width = {_FIXED64: 8, _FIXED32: 4}[kind]
                value, at = message[at : at + width], at + width
        found.setdefault(tag >> 3, []).append(value)
    return found


def _read(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= byte % _MORE << shift
        at, shift = at + 1, shift + _SEVEN
        if byte < _MORE:
            return value, at


def _word(fields: dict[int, list[int | bytes]], number: int) -> str:
    found = fields.get(number, [b""])[-1]
    return found.decode() if isinstance(found, bytes) else str(found)
