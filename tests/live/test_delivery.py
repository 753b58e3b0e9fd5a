"""Where what is described does not get on, told once where it stops; a healthy chain says nothing."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest

from fluxstead.assembly import Assembled
from fluxstead.cli.doctor import expected_of
from fluxstead.live.delivered import Delivered, Since
from fluxstead.live.doctor import troubles_in
from fluxstead.live.trouble import Root, roots
from tests.live.spoilt import Spoil, changed, gone, says
from tests.live.world import RULES, facts_of, healthy

pytestmark = pytest.mark.reference
NOW, LONG_AGO = datetime(2026, 11, 27, 23, 58, tzinfo=UTC), datetime(2026, 11, 27, 20, tzinfo=UTC)
SAME = Since(known=True, in_head=True, in_pushed=True)
FILE, SECRET = "generated/k3s-flux/apps/site.yaml", "secrets/k3s-flux/longhorn/longhorn-backup.sops.yaml"
WELL = Delivered(head="1", pushed="origin/main", learnt=NOW, fetched=SAME, revisions={"main@sha1:1": SAME})


def told(assembled: Assembled, git: Delivered | None, *spoil: Spoil) -> list[Root]:
    """What is wrong, with this in Git."""
    world = copy.deepcopy(healthy(assembled))
    for change in spoil:
        change(world)
    return roots(list(troubles_in(RULES, expected_of(assembled), facts_of(world)._replace(delivered=git))))


@pytest.mark.parametrize("git", [None, WELL, WELL._replace(pushed="", learnt=None), Delivered(unread="it has no commit yet")])
def test_of_what_arrived_nothing_is_said(assembled: Assembled, git: Delivered | None) -> None:
    """Nor where there is no Git: what is not compared is a remark, and no trouble."""
    assert told(assembled, git) == []


@pytest.mark.parametrize(
    ("git", "subject", "words", "do"),
    [
        (WELL._replace(stale=(f"update {FILE}",)), "tree generated/k3s-flux", f"update {FILE}", "./run render"),
        (WELL._replace(edited=(FILE,)), "tree generated/k3s-flux", f"was edited by hand: {FILE}", "./run render --overwrite"),
        (WELL._replace(uncommitted=(FILE,)), "commit HEAD", f"lacks what is on the disk: {FILE}", "git commit"),
        (WELL._replace(unpushed=(FILE,)), "branch origin/main", f"lacks what is committed: {FILE}", "git push"),
        (
            WELL._replace(fetched=SAME._replace(pushed=(FILE,), head=(FILE,))),
            "source flux-system/flux-system",
            f"has not fetched what origin/main has: {FILE}",
            "flux reconcile source git flux-system",
        ),
        (WELL._replace(fetched=Since()), "clone on this machine", "does not have what Flux fetched", "git fetch"),
        (
            WELL._replace(fetched=Since(known=True)),
            "clone on this machine",
            "follows another history than what Flux fetched",
            "git fetch",
        ),
        (
            WELL._replace(fetched=Since(known=True, in_pushed=True, head=(FILE,))),
            "clone on this machine",
            f"is behind what Flux fetched, main@sha1:1: {FILE}",
            "git pull",
        ),
        (
            WELL._replace(pushed="", fetched=SAME._replace(in_pushed=False, head=(FILE,))),
            "commit HEAD",
            f"is not what Flux fetched, main@sha1:1: {FILE}",
            "git push",
        ),
        (
            WELL._replace(revisions={"main@sha1:1": SAME._replace(head=(SECRET,))}),
            "secrets of layer longhorn",
            "are older in the cluster than in Git: longhorn-backup",
            "flux reconcile kustomization longhorn",
        ),
    ],
)
def test_each_step_is_told_once_and_is_worth_knowing(
    assembled: Assembled, git: Delivered, subject: str, words: str, do: str
) -> None:
    """Somebody who is in the middle of a change is not told of errors."""
    [root] = told(assembled, git)
    assert (str(root.trouble.subject), root.trouble.gravity) == (subject, "warning")
    assert words in root.trouble.says
    assert do in root.trouble.do


def test_the_first_step_explains_the_later_ones_and_what_is_not_there_yet(assembled: Assembled) -> None:
    """A layer that is new: its file is on the disk, and nowhere else."""
    git = WELL._replace(uncommitted=(FILE,), unpushed=(FILE,), revisions={"main@sha1:1": SAME._replace(head=(SECRET,))})
    [root] = told(assembled, git, gone("kustomizations", "example-app-dev"))
    assert str(root.trouble.subject) == "commit HEAD"
    explained = {str(one.subject) for one in root.explains}
    assert {"branch origin/main", "secrets of layer longhorn", "layer example-app-dev"} <= explained


def test_what_flux_does_not_fetch_for_long_is_an_error(assembled: Assembled) -> None:
    """Its interval is a minute."""
    [root] = told(assembled, WELL._replace(learnt=LONG_AGO, fetched=SAME._replace(pushed=(FILE,))))
    assert root.trouble.gravity == "error"


BEHIND = changed("kustomizations", "dns", "status", "lastAppliedRevision", to="main@sha1:0")


def test_a_layer_behind_is_nothing_while_flux_has_it_for_minutes_only(assembled: Assembled) -> None:
    recent = changed("gitrepositories", "flux-system", "status", "artifact", "lastUpdateTime", to="2026-11-27T23:55:00Z")
    assert told(assembled, None, BEHIND, recent) == []


def test_a_layer_behind_is_nothing_where_git_says_that_nothing_differs(assembled: Assembled) -> None:
    """A commit that changed the documentation alone."""
    assert told(assembled, WELL._replace(revisions={"main@sha1:0": SAME}), BEHIND) == []
    [root] = told(assembled, WELL._replace(revisions={"main@sha1:0": SAME._replace(fetched=(FILE,))}), BEHIND)
    assert str(root.trouble.subject) == "layer dns"


def test_older_secrets_follow_from_a_layer_that_failed(assembled: Assembled) -> None:
    failed = says("kustomizations", "longhorn", "False", "BuildFailed", "decryption failed")
    [root] = told(assembled, WELL._replace(revisions={"main@sha1:1": SAME._replace(head=(SECRET,))}), failed)
    assert str(root.trouble.subject) == "layer longhorn"
    assert "secrets of layer longhorn" in [str(one.subject) for one in root.explains]


@pytest.mark.parametrize(
    "spoil",
    [
        says("kustomizations", "dns", "False", "BuildFailed", "no such file"),
        says("kustomizations", "dns", "Unknown", "Progressing", "Running health checks"),
        changed("kustomizations", "dns", "spec", "suspend", to=True),
    ],
)
def test_a_layer_that_says_why_is_not_behind_as_well(assembled: Assembled, spoil: Spoil) -> None:
    """It failed, is under way, or somebody suspended it: its former revision is no news."""
    [root] = told(assembled, None, BEHIND, spoil)
    assert str(root.trouble.subject) == "layer dns"
    assert "has applied" not in root.trouble.says
    assert root.explains == ()


@pytest.mark.parametrize(
    ("git", "root"),
    [
        (WELL._replace(stale=(f"create {FILE}",)), "tree generated/k3s-flux"),
        (WELL._replace(edited=(FILE,)), "tree generated/k3s-flux"),
        (WELL._replace(unpushed=(FILE,)), "branch origin/main"),
        (WELL._replace(pushed="", fetched=SAME._replace(in_pushed=False, head=(FILE,))), "commit HEAD"),
        (WELL, "layer dns"),
    ],
)
def test_a_layer_that_cannot_be_built_follows_from_files_that_did_not_get_on(
    assembled: Assembled, git: Delivered, root: str
) -> None:
    """Somebody removed one and pushed that: what to type is not in the layer's own words (F3)."""
    [found] = told(assembled, git, says("kustomizations", "dns", "False", "BuildFailed", "site.yaml: no such file"))
    assert str(found.trouble.subject) == root
    assert found.trouble.gravity == "error"
