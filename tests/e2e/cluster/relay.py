"""A way to an API server on loopback that can end, also in the middle of an answer, and come back at the same port."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread

from tests.e2e.isolation import free_port

_RESET = struct.pack("ii", 1, 0)
"""A connection that is closed like this is reset, as by a process that ends (socket(7), SO_LINGER)."""
_PIECE = 4096


class Relay:
    """Passes on what comes to a port, to another one."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._guard = Lock()
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self._left: int | None = None

    def begin(self) -> None:
        """Listen, and pass on everything."""
        self._left = None
        self._listener = socket.create_server(("127.0.0.1", self.port))
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def end_after(self, size: int) -> None:
        """End once so many bytes of answers more are passed on."""
        with self._guard:
            self._left = size

    @property
    def ended(self) -> bool:
        """Whether nobody answers there."""
        return self._listener is None

    def end(self) -> None:
        """Answer no more, and break off what is open."""
        listener, self._listener = self._listener, None
        if listener:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        while self._open:
            one = self._open.pop()
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                asking, _ = listener.accept()
                asked = socket.create_connection(("127.0.0.1", self._target))
                self._open += [asking, asked]
                Thread(target=self._pass_on, args=(asking, asked, False), daemon=True).start()
                Thread(target=self._pass_on, args=(asked, asking, True), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if answers and self._is_over(len(piece)):
                    self.end()
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        source.close()

    def _is_over(self, size: int) -> bool:
        with self._guard:
            if self._left is None:
                return False
            self._left -= size
            return self._left < 0


@contextmanager
def relaying(target: int) -> Iterator[Relay]:
    """A way to this port, which ends with the test."""
    relay = Relay(target)
    relay.begin()
    try:
        yield relay
    finally:
        relay.end()
