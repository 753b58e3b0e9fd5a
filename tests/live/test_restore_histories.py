"""Random histories of two claims: written, backed up, grown, lost, restored in both ways, cut off and gone on with.

The model is the tests' own (`backup_world`). Data are words; what a claim should hold is known by another way than the model's.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fluxstead.live.lease import Lost, Taken
from fluxstead.live.procedure import Procedure
from fluxstead.live.resources import Unanswered
from fluxstead.live.running import carried_out
from fluxstead.systems.longhorn.restore.commands import beside, in_place
from tests.live.backup_world import SPACE, Cluster
from tests.live.memory import CutOff

CLAIMS = st.sampled_from(["web", "wiki"])


class Histories(RuleBasedStateMachine):
    """`holds`: what each claim should hold. `kept`: each backup's claim and word. `gone`: what somebody deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster()
        self.holds: dict[str, str] = {}
        self.kept: dict[str, tuple[str, str]] = {}
        self.gone: list[str] = []
        self.words = 0
        self.sizes = {"web": 5, "wiki": 5}
        for name in ("web", "wiki"):
            self.cluster.application(name)
            self.holds[name] = "empty"

    @rule(claim=CLAIMS)
    def write(self, claim: str) -> None:
        self.words += 1
        self.holds[claim] = f"word {self.words}"
        self.cluster.write(claim, self.holds[claim])

    @rule(claim=CLAIMS)
    def back_up(self, claim: str) -> None:
        name = self.cluster.back_up(claim, self.sizes[claim] * 2**30)
        self.kept[name] = claim, self.holds[claim]

    @rule(claim=CLAIMS)
    def grow(self, claim: str) -> None:
        self.sizes[claim] += 1
        self.cluster.grow(claim, f"{self.sizes[claim]}Gi")

    @rule(claim=CLAIMS)
    def lose(self, claim: str) -> None:
        """Somebody deletes the claim, and with it the volume, as its class has it; Flux makes an empty one."""
        self.gone.append(self.holds[claim])
        self.cluster.lose(claim)
        self.holds[claim] = "empty"

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), cut=st.integers(0, 60), how=st.sampled_from(["killed", "silent", "whole"]))
    def restore_in_place(self, data: st.DataObject, cut: int, how: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.kept)))
        claim, word = self.kept[name]
        before = self.cluster.volume_of(claim)
        self._to_its_end(in_place(self.cluster.api, SPACE, claim, name), cut, how)  # type: ignore[arg-type]
        assert self.cluster.data[before] == self.holds[claim], "what was there is kept"
        self.holds[claim] = word

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), cut=st.integers(0, 30), how=st.sampled_from(["killed", "silent", "whole"]))
    def restore_beside(self, data: st.DataObject, cut: int, how: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.kept)))
        claim, word = self.kept[name]
        self.words += 1
        self._to_its_end(beside(self.cluster.api, SPACE, claim, f"old-{self.words}", name), cut, how)  # type: ignore[arg-type]
        assert self.cluster.read(f"old-{self.words}") == word

    def _to_its_end(self, procedure: Procedure, cut: int, how: str) -> None:
        """Cut off once, and gone on with by the same words."""
        api: Any = self.cluster.api
        calls = 0

        def counted(_: str) -> None:
            nonlocal calls
            calls += 1
            if calls == cut and how != "whole":
                raise CutOff if how == "killed" else Unanswered("the API gives no answer")

        self.cluster.api.before = counted
        well = False
        with suppress(CutOff, Unanswered, Lost, Taken):
            _, well = carried_out(api, procedure, lambda _: None, lambda _: None, self.cluster.clock)
        self.cluster.api.before = lambda _: None
        if well:
            return
        ended, well = carried_out(api, procedure, lambda _: None, lambda _: None, self.cluster.clock)
        assert well, [one.standing for one in ended if not one.well]

    @invariant()
    def nothing_is_lost_and_everything_runs(self) -> None:
        self.cluster.wait(20)
        assert {name: self.cluster.read(name) for name in self.holds} == self.holds
        assert self.cluster.lost == self.gone
        assert self.cluster.is_well


TestHistories = Histories.TestCase
TestHistories.settings = limits(stateful_step_count=12, deadline=None)
