"""The Lease that lets one procedure run at a time, and keeps what a procedure that was cut off has to know.

Held as client-go's leader election holds one (k8s.io/client-go tools/leaderelection): whoever is there is believed as long as the
object changes, by the watcher's own clock, so that clocks that differ decide nothing. The holder gives up before a watcher does.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.live.clock import Clock
from fluxstead.live.resources import LEASES, Conflict, Unanswered

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

NAMESPACE, NAME = "kube-system", "fluxstead-procedure"
SECONDS = 30
"""Without a word from its holder for that long, a Lease is free."""
_RENEWED, _TRUSTED = SECONDS / 3, SECONDS * 2 / 3
"""Seconds after which it is renewed, and after which a holder that was not confirmed does nothing more."""
_TRIES = 3
_WORDS, _BEGUN, _NOTES = "fluxstead/procedure", "fluxstead/begun", "fluxstead/notes"
_KEYS = (_WORDS, _BEGUN, _NOTES)


class Taken(Exception):  # noqa: N818 -- said to people as it is
    """Another procedure runs, or has not ended; the text says which, and what to do."""


class Lost(Exception):  # noqa: N818 -- said to people as it is
    """The Lease is not ours any more, or nobody knows: nothing may be done."""


class Unfinished(NamedTuple):
    """What a Lease says: who holds it, if anybody, and when they `renewed` it; which procedure has begun, and its notes."""

    holder: str
    words: str
    begun: str
    notes: Mapping[str, str]
    renewed: str = ""

    @property
    def who(self) -> str:
        """The holder, without what tells two of their runs apart."""
        return self.holder.rpartition("/")[0] or self.holder


def begun_in(lease: Mapping[str, Any] | None) -> Unfinished:
    """Read one; of any shape."""
    metadata = mapping(lease or {}, "metadata")
    kept = mapping(metadata, "annotations")
    return Unfinished(
        str(mapping(lease or {}, "spec").get("holderIdentity") or ""),
        str(kept.get(_WORDS, "")),
        str(kept.get(_BEGUN, "")),
        _notes(kept.get(_NOTES)),
        str(mapping(lease or {}, "spec").get("renewTime") or ""),
    )


def _notes(text: object) -> dict[str, str]:
    try:
        found = json.loads(str(text))
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


class Held:
    """A Lease that is ours, as long as `check` says so. `notes`: what was noted when the procedure began."""

    def __init__(self, api: LiveApi, lease: Mapping[str, Any], clock: Clock) -> None:
        self._api = api
        self._lease = dict(lease)
        self._clock = clock
        self._renewed = clock.now()
        self._lost = ""
        self._keeps: bool | None = None
        self._lock = Lock()
        self.notes = begun_in(lease).notes

    def check(self) -> None:
        """Before every act. Raises Lost."""
        if not self._lost and self._clock.now() - self._renewed > _TRUSTED:
            self.renew()
        if self._lost:
            raise Lost(f"somebody else has taken over: {self._lost}")
        if self._clock.now() - self._renewed > _TRUSTED:
            raise Lost(f"the cluster has not confirmed for {_TRUSTED:.0f} s that nobody else is at work")

    def renew(self) -> None:
        """Say that we are still there; silence of the API is borne until `check` is asked."""
        with self._lock:
            self._write({"renewTime": _micro()})

    def end(self, *, finished: bool) -> None:
        """Let it go; where the procedure is finished, nothing of it is kept."""
        kept = self._keeps if self._keeps is not None else not finished
        forgotten = {} if kept else dict.fromkeys(_KEYS)
        for left in reversed(range(_TRIES if forgotten else 1)):
            with self._lock:
                if self._write({"holderIdentity": "", "renewTime": _micro()}, forgotten):
                    return
            if left:
                self._clock.sleep(1)

    def leave_begun(self) -> None:
        """Keep it as begun, however it ends: it goes on from there."""
        self._keeps = True

    def forget(self) -> None:
        """Keep nothing, however it ends: nothing of it is left."""
        self._keeps = False

    @property
    def left_begun(self) -> bool:
        """Whether somebody has said that it has not come to its end."""
        return self._keeps is True

    def _write(self, spec: Mapping[str, Any], annotations: Mapping[str, None] | None = None) -> bool:
        """Whether it was written, or will not be any more."""
        while not self._lost:
            asked = self._clock.now()
            try:
                self._lease = self._api.replace(LEASES, _with(self._lease, spec, annotations or {}))
            except Conflict:
                if not self._still_ours():
                    return bool(self._lost)
            except Unanswered:
                return False
            else:
                self._renewed = asked
                return True
        return True

    def _still_ours(self) -> bool:
        """After a conflict: a write of ours whose answer was lost makes one as well."""
        try:
            now = self._api.get(LEASES, NAME, NAMESPACE)
        except Unanswered:
            return False
        if now and begun_in(now).holder == begun_in(self._lease).holder:
            self._lease = now
            return True
        self._lost = begun_in(now).who or "nobody holds it"
        return False


def _with(lease: Mapping[str, Any], spec: Mapping[str, Any], annotations: Mapping[str, str | None]) -> dict[str, Any]:
    metadata = dict(mapping(lease, "metadata"))
    kept = {**mapping(metadata, "annotations"), **annotations}
    metadata["annotations"] = {key: value for key, value in kept.items() if value is not None}
    return {**lease, "metadata": metadata, "spec": {**mapping(lease, "spec"), **spec}}


def unfinished(api: LiveApi) -> Unfinished:
    """What has begun and not ended. Raises Unanswered."""
    return begun_in(api.get(LEASES, NAME, NAMESPACE))


@contextmanager
def held(
    api: LiveApi,
    words: str,
    begin: Callable[[], Mapping[str, str]],
    say: Callable[[str], object],
    clock: Clock | None = None,
    *,
    abandon: bool = False,
) -> Iterator[Held]:
    """Hold the Lease for a procedure; whoever leaves with an error leaves it begun, and the same words take it up again.

    `abandon`: whether what was begun is left as it stands, and this one begins anew. Raises Taken, and Unanswered.
    """
    clock = clock or Clock()
    mine = Held(api, _taken(api, words, begin, say, clock, abandon=abandon), clock)
    stop = Event()

    def renewing() -> None:
        while not stop.wait(_RENEWED):
            mine.renew()

    thread = Thread(target=renewing, daemon=True)
    thread.start()
    finished = False
    try:
        yield mine
        finished = True
    finally:
        stop.set()
        thread.join()
        mine.end(finished=finished)


def _taken(
    api: LiveApi, words: str, begin: Callable[[], Mapping[str, str]], say: Callable[[str], object], clock: Clock, *, abandon: bool
) -> Mapping[str, Any]:
    while True:
        found = _silent(api, say, clock)
        before = begun_in(found)
        if before.words and before.words != words and not abandon:
            raise Taken(
                f"./run {before.words} was begun at {before.begun} and has not ended: run it again, and it goes on;"
                " or, if what it did may stay as it is, add --abandon"
            )
        goes_on = before.words == words and not abandon
        spec = {"holderIdentity": _identity(), "leaseDurationSeconds": SECONDS, "acquireTime": _micro(), "renewTime": _micro()}
        kept = {_WORDS: words, _BEGUN: before.begun, _NOTES: json.dumps(dict(before.notes))}
        if not goes_on:
            kept |= {_BEGUN: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", _NOTES: json.dumps(dict(begin()))}
        empty = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME, "namespace": NAMESPACE}}
        wanted = _with(found or empty, spec, kept)
        try:
            return api.replace(LEASES, wanted) if found else api.create(LEASES, wanted)
        except Conflict:
            continue


def _silent(api: LiveApi, say: Callable[[str], object], clock: Clock) -> Mapping[str, Any] | None:
    """The Lease, once nobody holds it, or whoever does has said nothing for as long as it lasts; raises Taken if they do."""
    seen = api.get(LEASES, NAME, NAMESPACE)
    before, since = begun_in(seen), clock.now()
    if before.holder:
        say(f"{before.who} holds the Lease of procedures: looking for up to {SECONDS} s whether they are still at work")
    while before.holder and clock.now() - since <= SECONDS:
        clock.sleep(2)
        now = api.get(LEASES, NAME, NAMESPACE)
        if not begun_in(now).holder:
            return now
        if _version(now) != _version(seen):
            raise Taken(f"{before.who} runs ./run {before.words} since {before.begun}: one procedure at a time")
    return seen


def _version(lease: Mapping[str, Any] | None) -> object:
    return mapping(lease or {}, "metadata").get("resourceVersion")


def _micro() -> str:
    """As a MicroTime is written (k8s.io/apimachinery meta/v1)."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _identity() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}/{secrets.token_hex(4)}"
