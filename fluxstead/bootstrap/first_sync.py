"""The first sync, watched: a line whenever a layer changes, until all are Ready or one has failed for good."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fluxstead.live.flux import FluxFacts, FluxObject
from fluxstead.live.resources import Unanswered

LONGEST = 45 * 60
"""Seconds. Longhorn's release may take 20 minutes, and what waits for it as long again."""
_PAUSE = 2
_SILENCE = 30
_UNANSWERED = 120
_PATIENCE = {"stalled": 0, "BuildFailed": 30, "GitOperationFailed": 60, "AuthenticationFailed": 30}
"""Seconds for which a failure is one that may still pass, by reason: Flux tries all of them again."""
_OTHERWISE = 300


class NotSynced(Exception):  # noqa: N818 -- said to people as it is
    """A layer failed for good, or none did and the time is over; the text is what a person would look at first."""


@dataclass
class FirstSync:
    """What was seen so far. `layers`: by name, in the tree's order. Times are seconds of any clock."""

    layers: Sequence[str]
    began: float
    _said: dict[str, str] = field(default_factory=dict)
    _failing: dict[str, tuple[str, float]] = field(default_factory=dict)
    _spoke: float = 0.0

    def lines(self, facts: FluxFacts, now: float) -> list[str]:
        """What changed since the last look, a line a layer; after a long silence, what is being waited for."""
        told = []
        for layer in self.layers:
            state = _state(facts, facts.layer(layer))
            if self._said.get(layer) != state:
                self._said[layer] = state
                told.append(self._line(now, layer, state))
        if facts.source.standing != "ready" and self._said.get("") != facts.source.says:
            self._said[""] = facts.source.says
            told.append(self._line(now, "Git", facts.source.says or "is being fetched"))
        if not told and now - self._spoke > _SILENCE:
            told = [self._line(now, one, self._said[one]) for one in self.layers if self._said[one] != "Ready"][:3]
        self._spoke = now if told else self._spoke
        return told

    def _line(self, now: float, layer: str, state: str) -> str:
        return f"{now - self.began:4.0f} s  {layer:32} {state}"

    def is_done(self, facts: FluxFacts) -> bool:
        """Whether every layer is Ready at the commit that was fetched."""
        layers = [facts.layer(name) for name in self.layers]
        return facts.source.standing == "ready" and all(
            one.standing == "ready" and one.revision == facts.source.revision for one in layers
        )

    def failed(self, facts: FluxFacts, now: float) -> FluxObject | None:
        """What has failed for longer than such failures pass: the source, a layer, or the release that a layer waits for."""
        for one in self._suspects(facts):
            if one.standing not in {"failed", "stalled"}:
                self._failing.pop(one.label, None)
                continue
            reason, since = self._failing.get(one.label, ("", now))
            if reason != one.reason:
                since = now
            self._failing[one.label] = (one.reason, since)
            if now - since >= _PATIENCE.get("stalled" if one.standing == "stalled" else one.reason, _OTHERWISE):
                return one
        return None

    def _suspects(self, facts: FluxFacts) -> Iterator[FluxObject]:
        yield facts.source
        for name in self.layers:
            layer = facts.layer(name)
            yield from facts.releases_of(layer)
            yield layer


def _state(facts: FluxFacts, layer: FluxObject) -> str:
    if layer.standing == "ready":
        return "Ready"
    if layer.standing == "absent":
        return "not there yet"
    waiting = [name for name in layer.waits_for if facts.layer(name).standing != "ready"]
    if layer.standing == "waiting" and waiting:
        return f"waits for {', '.join(waiting)}"
    releases = [one for one in facts.releases_of(layer) if one.standing != "ready"]
    if releases:
        return f"{releases[0].label}: {releases[0].says or releases[0].standing}"
    words = {"waiting": "is being applied", "failed": "not Ready", "stalled": "failed"}[layer.standing]
    return f"{words}: {layer.says}" if layer.says and layer.standing != "waiting" else words


def wait_for_sync(
    layers: Sequence[str],
    ask: Callable[[], FluxFacts],
    say: Callable[[str], object],
    clock: Callable[[], float],
    pause: Callable[[float], object],
    *,
    pods: Callable[[Iterable[str]], Sequence[str]] = lambda _: (),
    longest: float = LONGEST,
) -> float:
    """Wait until every layer is Ready; gives the seconds that it took. Raises NotSynced.

    `pods` says why pods in some namespaces do not run.
    """
    sync = FirstSync(layers, clock())
    answered = sync.began
    while True:
        try:
            facts = ask()
            answered = clock()
        except Unanswered as problem:
            if clock() - answered > _UNANSWERED:
                raise NotSynced(f"{problem}. Flux goes on without us: `pulumi up` waits again") from None
            pause(_PAUSE)
            continue
        for line in sync.lines(facts, answered):
            say(line)
        if sync.is_done(facts):
            return answered - sync.began
        failed = sync.failed(facts, answered)
        if failed:
            raise NotSynced(_told(told_of(failed), facts, layers, pods))
        if answered - sync.began > longest:
            raise NotSynced(_told(f"not every layer is Ready after {longest / 60:.0f} minutes", facts, layers, pods))
        pause(_PAUSE)


def told_of(failed: FluxObject) -> str:
    """What failed, in its own words, and what comes next."""
    cure = {
        "GitRepository": "Flux cannot fetch the repository: its URL and branch in gotk-sync.yaml, and its key (`./run secrets`)",
        "HelmRelease": "mend its values in the description, ./run render, commit, push; docs/tasks/reset-a-failed-release.md",
    }.get(failed.kind, "mend the description, ./run render, commit, push; `pulumi up` waits again")
    return f"{failed.label} has failed: {failed.says or failed.reason}\n  next: {cure}"


def _told(what: str, facts: FluxFacts, layers: Sequence[str], pods: Callable[[Iterable[str]], Sequence[str]]) -> str:
    """The first thing a person would look at, then what is not Ready, then the pods of that."""
    left = [one for one in map(facts.layer, layers) if one.standing != "ready"]
    around = [one for layer in left for one in (layer, *facts.releases_of(layer)) if one.standing != "ready"]
    try:
        of_pods = pods(dict.fromkeys(name for one in around for name in one.namespaces))
    except Unanswered:  # what failed is known
        of_pods = ()
    return "\n".join([what, *(f"  {one.name:32} {_state(facts, one)}" for one in left), *(f"  {line}" for line in of_pods)])
