"""One procedure at a time; what was cut off goes on by the same words, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.live.lease import NAME, NAMESPACE, SECONDS, Lost, Taken, begun_in, held, unfinished
from fluxstead.live.resources import Unanswered
from tests.live.memory import CutOff, Hours, MemoryApi


def hold(api: MemoryApi, words: str, clock: Hours | None = None, notes: dict[str, str] | None = None, **more: bool) -> Any:
    return held(api, words, lambda: notes or {}, lambda _: None, clock or Hours(), **more)  # type: ignore[arg-type]


def test_what_is_finished_leaves_nothing_behind() -> None:
    api = MemoryApi()
    with hold(api, "recover manager k3s1", notes={"manager": "a"}) as one:
        assert one.notes == {"manager": "a"}
        assert unfinished(api).words == "recover manager k3s1"  # type: ignore[arg-type]
    assert unfinished(api)._replace(renewed="") == begun_in(None)  # type: ignore[arg-type]
    assert list(api.objects) == [("apis/coordination.k8s.io/v1/leases", NAMESPACE, NAME)]


def test_what_was_cut_off_goes_on_with_what_it_noted_and_nothing_else_begins() -> None:
    api = MemoryApi()
    with pytest.raises(CutOff), hold(api, "recover manager k3s1", notes={"manager": "a"}):
        raise CutOff
    with pytest.raises(Taken, match=r"recover manager k3s1 was begun at .* and has not ended"), hold(api, "verify"):
        pass
    with hold(api, "recover manager k3s1", notes={"manager": "b"}) as one:
        assert one.notes == {"manager": "a"}
    with hold(api, "verify") as other:
        assert other.notes == {}


def test_what_another_began_may_be_left_as_it_stands() -> None:
    api = MemoryApi()
    with pytest.raises(CutOff), hold(api, "recover manager k3s1", notes={"manager": "a"}):
        raise CutOff
    with hold(api, "recover manager k3s1", notes={"manager": "b"}, abandon=True) as anew:
        assert anew.notes == {"manager": "b"}
        anew.leave_begun()
    with hold(api, "verify", abandon=True):
        pass
    assert unfinished(api).words == ""  # type: ignore[arg-type]


def test_a_procedure_that_stopped_stays_begun() -> None:
    api = MemoryApi()
    with hold(api, "recover manager k3s1") as one:
        one.leave_begun()
    found = unfinished(api)  # type: ignore[arg-type]
    assert (found.words, found.holder) == ("recover manager k3s1", "")


def test_while_one_is_at_work_no_other_begins_and_a_dead_one_is_taken_over_after_its_time() -> None:
    api = MemoryApi()
    alive = Hours()
    with hold(api, "verify", alive) as first:
        watching = Hours(lambda _: first.renew())
        with pytest.raises(Taken, match=r"runs \./run verify since .* one procedure at a time"), hold(api, "verify", watching):
            pass
        silent = Hours()
        with hold(api, "verify", silent):
            assert silent.at >= SECONDS
            alive.at += SECONDS
            with pytest.raises(Lost, match="taken over"):
                first.check()


def test_nothing_is_done_when_nobody_confirms_the_lease() -> None:
    """And it is given up before a watcher takes it over."""
    api, clock = MemoryApi(), Hours()

    def silence(_: str) -> None:
        raise Unanswered("the API gives no answer")

    with hold(api, "verify", clock) as one:
        api.before = silence
        clock.at += SECONDS * 2 / 3
        one.check()
        clock.at += 1
        with pytest.raises(Lost, match="has not confirmed for 20 s"):
            one.check()


def test_a_slow_answer_makes_no_longer_lease() -> None:
    """What counts is when it was asked for, since then a watcher counts as well."""
    api, clock = MemoryApi(), Hours()

    def slow(call: str) -> None:
        clock.at += 15 if call.startswith("replace") else 0

    with hold(api, "verify", clock) as one:
        api.before = slow
        one.renew()
        api.before = lambda call: slow("") if call.startswith("get") else (_ for _ in ()).throw(Unanswered("no answer"))
        clock.at += 6
        with pytest.raises(Lost):
            one.check()


def test_one_that_finishes_while_it_is_watched_is_in_nobodys_way() -> None:
    api, clock = MemoryApi(), Hours()
    with hold(api, "recover manager k3s1", clock) as first:
        watching = Hours(lambda _: first.end(finished=True))
        with hold(api, "verify", watching) as second:
            assert second.notes == {}


def test_a_renewal_whose_answer_was_lost_is_still_ours() -> None:
    api, clock = MemoryApi(), Hours()

    def lost(call: str) -> None:
        if call.startswith("replace"):
            api.after = lambda _: None
            raise Unanswered("the API gives no answer")

    with hold(api, "verify", clock) as one:
        api.after = lost
        one.renew()
        clock.at += SECONDS
        one.check()


@pytest.mark.parametrize("shape", [None, {}, {"metadata": 3}, {"metadata": {"annotations": {"fluxstead/notes": "[]"}}, "spec": []}])
def test_a_lease_of_any_shape_is_read(shape: Any) -> None:
    assert begun_in(shape).notes == {}
