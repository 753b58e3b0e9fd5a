"""A disk leaves when everything on it is elsewhere, from every cut; where something has nowhere to go, nothing is begun."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.live.lease import Lost, begun_in
from fluxstead.live.procedure import Outcome, Step, Stopped, done
from fluxstead.live.resources import LEASES, Unanswered
from fluxstead.live.running import carried_out, plan
from fluxstead.systems.longhorn.leave import leave
from tests.live.disk_world import GIB, Disks
from tests.live.memory import CutOff
from tests.live.world import condition


def world() -> Disks:
    """Two machines, three disks, two volumes on the one that leaves."""
    made = Disks(k3s1=("d1", "d2"), k3s2=("d1",))
    made.volume("pvc-1", ("k3s1", "d1"), ("k3s2", "d1"), tags=("hdd",))
    made.volume("pvc-2", ("k3s1", "d1"))
    return made


def left(made: Disks, said: list[str] | None = None, disk: str = "d1", *, described: bool = True) -> list[Outcome]:
    """The procedure, as the command runs it."""
    lines = said if said is not None else []
    api: Any = made.api
    procedure = leave(made.leaves("k3s1", disk, described=described))
    return carried_out(api, procedure, lines.append, lines.append, made.clock)[0]


def begun(made: Disks) -> str:
    lease = made.api.objects.get((f"{LEASES.base}/{LEASES.plural}", "kube-system", "fluxstead-procedure"))
    return begun_in(lease).words


def test_what_is_on_it_goes_elsewhere_and_then_it_is_forgotten() -> None:
    made, said = world(), list[str]()
    made.images["k3s1/d1"] = ["debian-12"]
    made.look()
    ended = left(made, said)
    assert [one.well for one in ended] == [True] * 6
    assert "d1" not in made.node("k3s1")["spec"]["disks"]
    assert (made.on("k3s1", "d1"), begun(made)) == ([], "")
    text = "\n".join(said)
    assert "2 copies can be placed elsewhere" not in text, "the image counts as well"
    assert "3 copies can be placed elsewhere" in text
    assert "waiting: 3 of 3 are left: backing image debian-12, volume pvc-1, volume pvc-2" in text
    assert "waiting: 1 of 3 are left: backing image debian-12" in text
    assert "on k3s1, /mnt/d1 is still mounted and in /etc/fstab, and nothing on it was deleted" in text


def test_the_key_stays_until_the_image_is_gone_too() -> None:
    made = world()
    made.images["k3s1/d1"] = ["debian-12"]
    at = dict[str, int]()
    made.api.before = lambda call: at.update({call: len(made.images["k3s1/d1"])})
    left(made)
    assert at["flux"] == 0


def test_as_long_as_a_volume_lacks_a_copy_the_old_disk_stays() -> None:
    made = world()
    made.volume("pvc-9", ("k3s2", "d1"))
    status = made.api.objects[("apis/longhorn.io/v1beta2/volumes", "longhorn-system", "pvc-9")]["status"]
    made.api.after = lambda call: status.update(robustness="degraded") if call == "flux" else None
    last = left(made)[-1]
    assert last.step.name == "no volume lacks a copy that it had"
    assert "volume pvc-9 is degraded" in last.standing.says
    assert "d1" in made.node("k3s1")["spec"]["disks"]
    assert begun(made) == "disk leave k3s1 d1"
    status["robustness"] = "healthy"
    made.api.after = lambda _: None
    assert left(made)[-1].well
    assert begun(made) == ""


def test_a_volume_that_lacked_a_copy_before_keeps_no_disk() -> None:
    """As where there is one machine for two copies."""
    made, said = world(), list[str]()
    made.volume("pvc-9", ("k3s2", "d1"))
    made.api.objects[("apis/longhorn.io/v1beta2/volumes", "longhorn-system", "pvc-9")]["status"]["robustness"] = "degraded"
    assert left(made, said)[-1].well
    assert any("as before, pvc-9 lacks one" in line for line in said)


def test_a_plan_says_how_it_stands_and_writes_nothing() -> None:
    made = world()
    procedure = leave(made.leaves("k3s1", "d1"))
    said = "\n".join(plan(procedure.steps(procedure.begin())))
    assert "1/6 what is on d1 of k3s1 has somewhere to go: is so already: 2 copies can be placed elsewhere" in said
    assert "2/6 described with evict: would be done now: write evict" in said
    assert said.count("way back:") == 6
    assert not made.api.written


def only_disk(made: Disks) -> None:
    del made.node("k3s1")["spec"]["disks"]["d2"]


def others_are_untagged(made: Disks) -> None:
    for machine, disk in (("k3s1", "d2"), ("k3s2", "d1")):
        made.node(machine)["spec"]["disks"][disk]["tags"] = []


def the_other_machine_has_a_copy(made: Disks) -> None:
    del made.node("k3s1")["spec"]["disks"]["d2"]
    made.node("k3s1")["spec"]["disks"]["d3"] = {**made.declared("d3"), "allowScheduling": False}


def others_are_full(made: Disks) -> None:
    for machine, disk in (("k3s1", "d2"), ("k3s2", "d1")):
        made.node(machine)["status"]["diskStatus"][disk]["storageMaximum"] = 9 * GIB


def the_disk_is_dead(made: Disks) -> None:
    bad = condition("Ready", "False", message="input/output error")
    made.node("k3s1")["status"]["diskStatus"]["d1"]["conditions"] = [bad]


def the_manager_is_away(made: Disks) -> None:
    made.node("k3s1")["status"]["conditions"] = [condition("Ready", "False", message="manager pod missing")]


def nothing_can_be_read(made: Disks) -> None:
    made.api.objects[("apis/longhorn.io/v1beta2/volumes", "longhorn-system", "pvc-2")]["status"]["robustness"] = "faulted"


def others_take_only_what_asks_for_them(made: Disks) -> None:
    made.set("allow-empty-disk-selector-volume", "false")


@pytest.mark.parametrize(
    ("so", "says", "do"),
    [
        (only_disk, "it is the last disk of k3s1", "another disk of k3s1 first; or state: leaving in nodes/k3s1.yaml"),
        (
            others_are_untagged,
            "volume pvc-1 has nowhere to go: no other disk with hdd takes copies",
            "another disk with hdd and 10 GiB",
        ),
        (
            the_other_machine_has_a_copy,
            "volume pvc-1 has nowhere to go: every other machine or disk with hdd has a copy",
            '"numberOfReplicas": 1',
        ),
        (others_are_full, "volume pvc-1 has nowhere to go: no other disk with hdd has 10 GiB of room", "10 GiB of room on one"),
        (the_disk_is_dead, "it cannot be read (input/output error)", "of a disk that is dead"),
        (the_manager_is_away, "Longhorn's manager of k3s1 is not at work: manager pod missing", "./run doctor"),
        (nothing_can_be_read, "volume pvc-2 has nowhere to go: no copy of it can be read", "./run doctor"),
        (
            others_take_only_what_asks_for_them,
            "volume pvc-2 has nowhere to go: no other disk takes copies",
            "another disk and 10 GiB of room",
        ),
    ],
)
def test_where_it_cannot_leave_nothing_is_begun(so: Any, says: str, do: str) -> None:
    made = world()
    so(made)
    with pytest.raises(Stopped) as stopped:
        left(made)
    assert says in str(stopped.value)
    assert do in stopped.value.do
    assert not made.api.written, "no Lease stays, so that other procedures may run"
    assert not made.node("k3s1")["spec"]["disks"]["d1"]["evictionRequested"]


def test_copies_may_share_a_machine_where_the_settings_let_them() -> None:
    made = world()
    the_other_machine_has_a_copy(made)
    made.set("replica-soft-anti-affinity", "true")
    made.volume("pvc-1", ("k3s1", "d1"), ("k3s2", "d1"), tags=("hdd",))
    assert leave(made.leaves("k3s1", "d1")).begin()["copies"] == "2"
    made.set("replica-disk-soft-anti-affinity", "false")
    with pytest.raises(Stopped, match="every other machine or disk"):
        leave(made.leaves("k3s1", "d1")).begin()


def test_what_could_go_anywhere_does_not_take_the_place_of_what_could_not() -> None:
    made = Disks(k3s1=("d1", "d2", "d3"))
    made.node("k3s1")["spec"]["disks"]["d3"]["tags"] = []
    made.volume("large", ("k3s1", "d1"), size=90)
    made.volume("tagged", ("k3s1", "d1"), size=80, tags=("hdd",))
    assert left(made)[-1].well


def test_room_is_counted_for_all_that_goes_there() -> None:
    """Each by itself has room, both have not."""
    made = Disks(k3s1=("d1", "d2"))
    made.volume("pvc-1", ("k3s1", "d1"), size=60)
    made.volume("pvc-2", ("k3s1", "d1"), size=70)
    with pytest.raises(Stopped, match="volume pvc-1 has nowhere to go: no other disk has 60 GiB of room"):
        leave(made.leaves("k3s1", "d1")).begin()


def test_an_empty_disk_that_is_dead_may_leave() -> None:
    made = Disks(k3s1=("d1", "d2"))
    the_disk_is_dead(made)
    assert left(made)[-1].well


def test_a_disk_that_nobody_knows_is_told_with_those_that_there_are() -> None:
    made = world()
    with pytest.raises(Stopped, match="k3s1 has no disk d7") as stopped:
        left(made, disk="d7", described=False)
    assert stopped.value.do == "one of d1, d2"


def test_longhorn_that_is_not_asked_is_not_waited_for() -> None:
    """The description says it, and nobody rendered it."""
    made = world()
    of = made.leaves("k3s1", "d1")._replace(emptied=[Step("described", "", "", done, lambda: None)])
    api: Any = made.api
    last = carried_out(api, leave(of), str, str, made.clock)[0][-1]
    assert "Longhorn is not asked to empty it" in last.standing.says
    assert "evict: true for d1 in nodes/k3s1.yaml, ./run render" in last.standing.do


def test_a_key_that_somebody_else_wrote_as_well_is_taken_out() -> None:
    """Flux lets go of it, and it stays."""
    made = world()
    made.kept_by_another = True
    assert left(made)[-1].well
    assert any(one == "merge nodes k3s1" for one in made.api.written)
    made = world()
    made.kept_by_another = True
    fields: Any = {"f:spec": {"f:disks": {"f:d1": {}}}}
    made.node("k3s1")["metadata"]["managedFields"] = [{"manager": "kustomize-controller", "fieldsV1": fields}]
    last = left(made)[-1]
    assert "Flux has not taken it out" in last.standing.says
    assert "merge nodes k3s1" not in made.api.written


@given(st.lists(st.tuples(st.integers(0, 80), st.sampled_from(["killed", "silent", "lost"])), max_size=6))
def test_from_every_cut_it_goes_on(cuts: list[tuple[int, str]]) -> None:
    """Killed before a call, an API that does not answer, an answer that is lost."""
    made = world()
    pending, calls = list(cuts), 0

    def maybe(kind: str) -> None:
        nonlocal calls
        calls += kind != "lost"
        if pending and calls >= pending[0][0] and (pending[0][1] == "lost") == (kind == "lost"):
            how = pending.pop(0)[1]
            calls = 0
            raise CutOff if how == "killed" else Unanswered("the API gives no answer")

    made.api.before = lambda _: maybe("before")
    made.api.after = lambda _: maybe("lost")
    for _ in range(len(cuts) + 2):
        with suppress(CutOff, Unanswered, Lost):
            described = "d1" in made.node("k3s1")["spec"]["disks"]
            if left(made, described=described)[-1].well and not begun(made):
                break
    else:
        pytest.fail("it did not come to its end")
    assert "d1" not in made.node("k3s1")["spec"]["disks"]
    assert sorted(made.on("k3s1", "d2") + made.on("k3s2", "d1")) == ["pvc-1", "pvc-1", "pvc-2"]
