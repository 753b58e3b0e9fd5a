"""What was pushed is waited for: the commit itself or one after it, in every layer that it touches; who refuses is named."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from fluxstead.live.flux import LAYERS, SOURCES
from tests.live.git_world import FLUX, World, git
from tests.live.memory import CutOff


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A clone, its remote, and a Flux that has applied it."""
    return World(tmp_path, monkeypatch)


def applied(world: World, name: str) -> str:
    revision: str = world.flux(LAYERS, name)["status"]["lastAppliedRevision"]
    return revision.rpartition(":")[2]


def test_it_is_waited_for_until_the_layer_has_it(world: World) -> None:
    world.paint()
    assert applied(world, "colour") == world.tip
    assert world.clock.at >= 10


def test_flux_is_asked_now_and_then_not_at_every_look(world: World) -> None:
    world.refusals[FLUX] = "authentication required"
    last = world.paint()[-1]
    assert "Flux has not fetched" in last.standing.says
    assert "it says: " not in last.standing.says, "the source says nothing wrong as long as it has not tried"
    assert "is what was pushed to" not in last.standing.says
    asked = [one for one in world.api.written if one.startswith("merge gitrepositories")]
    assert 30 < len(asked) < 70


def test_a_later_commit_of_somebody_else_is_as_good(world: World) -> None:
    """They push after us, and Flux goes straight to theirs."""

    def between(call: str) -> None:
        if call == "after git push":
            world.clone.before = lambda _: None
            world.push_meanwhile()

    world.clone.before = between
    assert all(one.well for one in world.paint())
    assert applied(world, "colour") == world.tip != world.head


def test_a_later_commit_that_this_clone_does_not_know_is_fetched(world: World) -> None:
    world.paint()
    world.push_meanwhile()
    world.settle()
    git(world.root, "update-ref", "refs/remotes/origin/main", world.head)
    assert all(one.well for one in world.paint())


def test_a_layer_that_refuses_is_told_with_its_words(world: World) -> None:
    world.refusals["colour"] = "admission webhook denied the request: not blue"
    last = world.paint()[-1]
    assert last.standing.state == "fails"
    assert "Kustomization flux-system/colour cannot apply" in last.standing.says
    assert "not blue" in last.standing.says
    assert last.seconds < 300, "it is not waited for as long as a step may take"


def test_a_layer_that_refuses_for_a_moment_is_waited_for(world: World) -> None:
    world.refusals["colour"] = "spec and status of disks are being syncing and please retry later"
    passing = world.clock._passing

    def later(now: float) -> None:
        if now > 60:
            world.refusals.clear()
        passing(now)

    world.clock._passing = later
    assert all(one.well for one in world.paint())


def test_a_layer_that_has_nothing_of_it_is_not_waited_for(world: World) -> None:
    world.refusals["rest"] = "broken for weeks"
    assert all(one.well for one in world.paint())


@pytest.mark.parametrize(
    ("resource", "name", "do"),
    [(SOURCES, FLUX, "flux resume source git flux-system"), (LAYERS, "colour", "flux resume kustomization colour")],
)
def test_what_is_suspended_is_told(world: World, resource: object, name: str, do: str) -> None:
    world.flux(resource, name)["spec"]["suspend"] = True
    last = world.paint()[-1]
    assert last.standing.state == "fails"
    assert "is suspended" in last.standing.says
    assert last.standing.do.startswith(do)


def test_a_flux_that_applies_another_branch_is_told(world: World) -> None:
    world.flux(SOURCES, FLUX)["spec"]["ref"]["branch"] = "trunk"
    assert "Flux applies the branch trunk of" in world.paint()[-1].standing.says


def test_without_a_source_it_says_so(world: World) -> None:
    del world.api.objects[(f"{SOURCES.base}/{SOURCES.plural}", FLUX, FLUX)]
    assert "there is no GitRepository flux-system/flux-system" in world.paint()[-1].standing.says


def cut(world: World, at: int) -> int:
    """Run it, killed before its `at`th call of Git, of the disk or of the API; gives how many it made."""
    calls = 0

    def count(_: str) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise CutOff

    world.clone.before = world.written.before = world.api.before = world.api.after = count
    with suppress(CutOff):
        world.paint()
    world.clone.before = world.written.before = world.api.before = world.api.after = lambda _: None
    return calls


def test_from_every_cut_it_goes_on_by_the_same_words(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is killed, the next run ends with one commit, pushed and applied, and nothing else changed."""
    calls = cut(world, 0)
    assert calls > 60
    for at in range(1, calls + 1, 7):
        folder = tmp_path / f"cut-{at}"
        folder.mkdir()
        one = World(folder, monkeypatch)
        (one.root / "notes.txt").write_text("half a thought\n")
        cut(one, at)
        ended = one.paint()
        assert all(step.well for step in ended), (at, ended[-1].standing)
        assert git(one.root, "rev-list", "--count", "HEAD") == "2", at
        assert one.tip == one.head
        assert applied(one, "colour") == one.head
        assert one.changed() == [" M notes.txt"]
