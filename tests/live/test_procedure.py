"""A procedure runs to its end, and again from every cut; it waits while something is rebuilt, and says what to type."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.live.lease import Lost, begun_in
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Outcome, Step, done, due, fails, waits
from fluxstead.live.resources import LEASES, MACHINES, Refused, Unanswered
from fluxstead.live.running import carried_out, plan, run
from fluxstead.systems.longhorn.manager import restart
from tests.live.longhorn_world import NODES, SPACE, Longhorn
from tests.live.memory import CutOff, Hours
from tests.live.world import condition


@pytest.fixture
def world() -> Longhorn:
    """One machine."""
    return Longhorn("k3s1")


class Unfenced:
    """Nobody else is at work."""

    def check(self) -> None:
        pass


def cured(world: Longhorn, said: list[str] | None = None, machine: str = "k3s1", *, abandon: bool = False) -> list[Outcome]:
    """The restart of a manager, as the command runs it."""
    lines = said if said is not None else []
    procedure = restart(world.api, machine)  # type: ignore[arg-type]
    api: Any = world.api
    return carried_out(api, procedure, lines.append, lines.append, world.clock, abandon=abandon)[0]


def test_a_manager_is_started_anew_once_and_longhorn_uses_its_disks() -> None:
    world, said = Longhorn("k3s1", "k3s2"), list[str]()
    ended = cured(world, said)
    assert [one.well for one in ended] == [True, True, True]
    assert world.deleted == ["longhorn-manager-1"]
    assert world.manager("k3s2")["metadata"]["name"] == "longhorn-manager-2"
    assert said[0] == "1/3 the manager of k3s1 is a new one"
    assert any(line.strip() == "doing: delete pod longhorn-system/longhorn-manager-1" for line in said)


def test_while_a_volume_is_rebuilt_nothing_is_restarted() -> None:
    world, said = Longhorn("k3s1"), list[str]()
    world.rebuild(until=600)
    at: list[float] = []
    world.api.after = lambda call: at.append(world.clock.at) if call == "delete pods" else None
    cured(world, said)
    assert len(at) == 1
    assert at[0] >= 600
    assert any("volume pvc-1 is being rebuilt (34 %)" in line for line in said)
    assert len(said) < 40, "what is waited for is said again only now and then"


def test_a_manager_on_a_machine_that_is_down_is_left_alone() -> None:
    world = Longhorn("k3s1")
    world.api.put(MACHINES, {"metadata": {"name": "k3s1"}, "status": {"conditions": [condition("Ready", "Unknown")]}})
    ended = cured(world)
    assert "k3s1 is not ready" in ended[0].standing.says
    assert ended[0].standing.do == "./run doctor --hosts k3s1"
    assert not world.deleted


def test_a_disk_that_gets_no_uuid_is_said_with_its_page(world: Longhorn) -> None:
    without_uuid(world)
    last = cured(world)[-1]
    assert "d1 has no UUID yet" in last.standing.says
    assert last.standing.do == "docs/tasks/longhorn-disk-cfg.md"


def without_uuid(world: Longhorn, uuid: str = "", ready: str = "True") -> None:
    disk = {"diskUUID": uuid, "conditions": [condition("Ready", ready, message="record diskUUID doesn't match")]}
    status = {"conditions": [condition("Ready")], "diskStatus": {"d1": disk}}
    world.api.put(NODES, {"metadata": {"name": "k3s1", "namespace": SPACE}, "spec": {"disks": {"d1": {}}}, "status": status})


def test_when_the_file_is_mended_the_same_command_starts_the_manager_once_more(world: Longhorn) -> None:
    """It reads the file when it starts: waiting alone cures nothing."""
    without_uuid(world)
    assert not cured(world)[-1].well
    assert not cured(world)[-1].well
    assert len(world.deleted) == 2


def test_a_disk_that_is_not_the_one_it_was_is_not_in_use(world: Longhorn) -> None:
    without_uuid(world, "u", "False")
    assert "d1 is not ready: record diskUUID doesn't match" in cured(world)[-1].standing.says


def test_what_was_begun_may_be_left_and_begun_anew(world: Longhorn) -> None:
    world.rebuild(until=10_000)
    assert not cured(world)[0].well
    world.rebuild(until=0)
    world.api.put(PODS, {**world.manager("k3s1"), "metadata": {**world.manager("k3s1")["metadata"], "uid": "another"}})
    assert cured(world)[0].standing.says == "pod longhorn-system/longhorn-manager-1"
    assert not world.deleted
    cured(world, abandon=True)
    assert world.deleted == ["longhorn-manager-1"]


def test_a_plan_says_how_it_stands_and_writes_nothing() -> None:
    world = Longhorn("k3s1")
    procedure = restart(world.api, "k3s1")  # type: ignore[arg-type]
    said = "\n".join(plan(procedure.steps(procedure.begin())))
    assert "would be done now: delete pod longhorn-system/longhorn-manager-1" in said
    assert said.count("way back:") == 3
    assert not world.api.written


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["killed", "silent", "lost"])), max_size=6), st.integers(0, 90))
def test_from_every_cut_it_goes_on_and_restarts_only_once(cuts: list[tuple[int, str]], rebuilding: int) -> None:
    """Killed before a call, an API that does not answer, an answer that is lost: at any calls, in any order."""
    world = Longhorn("k3s1", "k3s2")
    world.rebuild(until=rebuilding)
    pending, calls = list(cuts), 0

    def maybe(kind: str) -> None:
        nonlocal calls
        calls += kind != "lost"
        if pending and calls >= pending[0][0] and (pending[0][1] == "lost") == (kind == "lost"):
            how = pending.pop(0)[1]
            calls = 0
            raise CutOff if how == "killed" else Unanswered("the API gives no answer")

    world.api.before = lambda _: maybe("before")
    world.api.after = lambda _: maybe("lost")
    for _ in range(len(cuts) + 2):
        with suppress(CutOff, Unanswered, Lost):
            cured(world)
        held_now = world.api.objects.get((f"{LEASES.base}/{LEASES.plural}", "kube-system", "fluxstead-procedure"))
        if held_now and not begun_in(held_now).words:
            break
    else:
        pytest.fail("it did not come to its end")
    world.api.before = world.api.after = lambda _: None
    assert world.deleted == ["longhorn-manager-1"]
    assert world.manager("k3s1")["metadata"]["name"] == "longhorn-manager-3"
    assert world.manager("k3s2")["metadata"]["name"] == "longhorn-manager-2"


def test_what_is_refused_ends_it_at_once_and_what_gives_no_answer_is_waited_for() -> None:
    clock, tries = Hours(), list[str]()

    def refused() -> None:
        tries.append("")
        raise Refused("the API does not let this kubeconfig in")

    step = Step("a", "b", "c", lambda: due("acting"), refused)
    (one,) = run([step], Unfenced(), tries.append, clock)
    assert (one.standing.state, tries.count("")) == ("fails", 1)

    def silent() -> None:
        raise Unanswered("the API gives no answer")

    (one,) = run([step._replace(act=silent, patience=60)], Unfenced(), tries.append, clock)
    assert "not after 60 s" in one.standing.says


def test_where_it_goes_on_only_what_needs_the_failed_step_is_not_tried() -> None:
    steps = [
        Step("pods", "", "", lambda: fails("no pod runs", "kubectl get pods")),
        Step("pairs", "", "", done, after=("pods",)),
        Step("names", "", "", done, after=("pairs",)),
        Step("storage", "", "", done),
    ]
    ended = run(steps, Unfenced(), lambda _: None, Hours(), goes_on=True)
    assert [(one.well, one.skipped) for one in ended] == [(False, False), (False, True), (False, True), (True, False)]
    assert len(run(steps, Unfenced(), lambda _: None, Hours())) == 1


def test_a_fence_that_says_no_stops_before_the_act() -> None:
    class Gone(Unfenced):
        def check(self) -> None:
            raise Lost

    with pytest.raises(Lost):
        run([Step("a", "", "", lambda: due("x"), lambda: pytest.fail("it acted"))], Gone(), lambda _: None, Hours())
    assert run([Step("a", "", "", done)], Gone(), lambda _: None, Hours())[0].well


def test_patience_ends_in_words() -> None:
    (one,) = run([Step("a", "", "", lambda: waits("for nothing"), patience=5)], Unfenced(), lambda _: None, Hours())
    assert one.standing.says == "not after 5 s: for nothing"
