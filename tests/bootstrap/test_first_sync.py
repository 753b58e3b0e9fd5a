"""The wait for the first sync: what is told, when it ends, and with what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fluxstead.bootstrap.first_sync import LONGEST, NotSynced, wait_for_sync
from fluxstead.live.flux import FluxFacts, FluxObject, Standing
from fluxstead.live.resources import Unanswered

REVISION = "main@sha1:1"
LAYERS = ("flux-system", "storage", "apps")


def source(standing: Standing = "ready", **more: str) -> FluxObject:
    return FluxObject("GitRepository", "flux-system", "flux-system", standing, revision=REVISION, **more)  # type: ignore[arg-type]


def layer(
    name: str, standing: Standing, *, waits_for: tuple[str, ...] = (), inventory: tuple[str, ...] = (), **more: str
) -> FluxObject:
    revision = REVISION if standing == "ready" else ""
    told: dict[str, Any] = {"revision": revision, **more}
    return FluxObject("Kustomization", "flux-system", name, standing, waits_for=waits_for, inventory=inventory, **told)


def facts(*layers: FluxObject, git: FluxObject | None = None, releases: tuple[FluxObject, ...] = ()) -> FluxFacts:
    return FluxFacts(git or source(), {one.name: one for one in layers}, {f"{one.namespace}/{one.name}": one for one in releases})


READY = facts(*(layer(name, "ready") for name in LAYERS))


class Clock:
    """Time goes by only while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def waited(states: Sequence[FluxFacts | Unanswered]) -> tuple[list[str], Clock]:
    """Wait through these states, the last of which stays; gives what was said."""
    clock, said, left = Clock(), list[str](), list(states)

    def ask() -> FluxFacts:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Unanswered):
            raise now
        return now

    wait_for_sync(LAYERS, ask, said.append, clock, clock.pause)
    return said, clock


def test_every_change_of_a_layer_is_one_line() -> None:
    waiting = layer("apps", "waiting", waits_for=("storage",))
    said, _ = waited(
        [
            facts(),
            facts(layer("flux-system", "ready"), layer("storage", "waiting"), waiting),
            facts(layer("flux-system", "ready"), layer("storage", "waiting"), waiting),
            READY,
        ]
    )
    assert [line.split(maxsplit=2)[2] for line in said] == [
        *("flux-system                      not there yet", "storage                          not there yet"),
        "apps                             not there yet",
        *("flux-system                      Ready", "storage                          is being applied"),
        "apps                             waits for storage",
        *("storage                          Ready", "apps                             Ready"),
    ]
    assert said[-1].split()[0] == "6"


def test_a_long_silence_says_what_is_waited_for() -> None:
    slow = facts(layer("flux-system", "ready"), layer("storage", "waiting"), layer("apps", "waiting", waits_for=("storage",)))
    said, _ = waited([slow] * 20 + [READY])
    assert len([line for line in said if "storage " in line and "is being applied" in line]) == 2


def test_a_release_that_failed_for_good_ends_it_with_its_own_words() -> None:
    """Not with the layer's, which only says that it waits."""
    release = FluxObject("HelmRelease", "longhorn-system", "longhorn", "stalled", "RetriesExceeded", "no such chart: longhron")
    broken = facts(
        layer("flux-system", "ready"),
        layer("storage", "waiting", inventory=("longhorn-system/longhorn",)),
        releases=(release,),
    )
    with pytest.raises(NotSynced, match="HelmRelease longhorn-system/longhorn has failed: no such chart: longhron"):
        waited([broken])


@pytest.mark.parametrize(
    ("broken", "seconds", "words"),
    [
        (facts(layer("storage", "failed", reason="BuildFailed", says="no such file")), 30, "no such file"),
        (facts(layer("storage", "failed", reason="ReconciliationFailed", says="webhook refused")), 300, "webhook refused"),
        (
            facts(git=source("failed", reason="GitOperationFailed", says="ssh: unable to authenticate")),
            60,
            "unable to authenticate",
        ),
    ],
)
def test_a_failure_may_pass_for_a_while(broken: FluxFacts, seconds: int, words: str) -> None:
    clock = Clock()

    def passes() -> FluxFacts:
        return broken if clock.now - 100 < seconds - 2 else READY

    wait_for_sync(LAYERS, passes, str, clock, clock.pause)
    began = clock.now
    with pytest.raises(NotSynced, match=words):
        wait_for_sync(LAYERS, lambda: broken, str, clock, clock.pause)
    assert seconds <= clock.now - began < seconds + 10


def test_an_older_commit_is_not_the_first_sync() -> None:
    """A layer that is Ready at another commit than the one fetched still has it to apply."""
    behind = facts(*(layer(name, "ready", revision="main@sha1:0") for name in LAYERS))
    _, clock = waited([behind, behind, READY])
    assert clock.now > 100


def test_an_api_that_is_gone_for_long_ends_it_and_one_that_restarts_does_not() -> None:
    gone = Unanswered("the API gives no answer")
    waited([gone, gone, READY])
    with pytest.raises(NotSynced, match="Flux goes on without us"):
        waited([gone])


def test_it_ends() -> None:
    clock = Clock()
    slow: Callable[[], FluxFacts] = lambda: facts(layer("storage", "waiting"))  # noqa: E731 -- said once
    with pytest.raises(NotSynced, match="not every layer is Ready after 45 minutes"):
        wait_for_sync(LAYERS, slow, str, clock, clock.pause)
    assert LONGEST < clock.now - 100 < LONGEST + 10


def test_the_pods_of_what_failed_are_told_and_a_silent_api_hides_nothing() -> None:
    release = FluxObject("HelmRelease", "web", "site", "stalled", "RetriesExceeded", "timed out", namespaces=("web",))
    broken = facts(layer("storage", "waiting", inventory=("web/site",)), releases=(release,))

    def told(pods: Callable[..., list[str]]) -> str:
        with pytest.raises(NotSynced) as ended:
            wait_for_sync(LAYERS, lambda: broken, str, Clock(), Clock().pause, pods=pods)
        return str(ended.value)

    assert told(lambda namespaces: [f"Pod {name}/a does not run" for name in namespaces]).endswith("  Pod web/a does not run")

    def silent(_: object) -> list[str]:
        raise Unanswered("gone")

    assert "HelmRelease web/site has failed: timed out" in told(silent)
