"""Of warnings, the newest that says why something does not start is kept of each object, and no more than people read."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.assembly import Assembled
from fluxstead.live import events
from fluxstead.live.api import LiveApi
from fluxstead.live.events import EVENT
from fluxstead.live.facts import cluster_facts, facts_in
from tests.live.around import event, thing
from tests.live.spoilt import more
from tests.live.spoilt_workloads import REFUSED, also, instead, minutes_ago, restarted
from tests.live.test_many import serving
from tests.live.world import roots_of


def test_the_newest_of_each_object_is_kept() -> None:
    """Also where a recorder of events.k8s.io wrote it, which leaves the older fields empty."""
    newer = event("Pod", "web/a", "FailedMount", "newer") | {"firstTimestamp": None, "lastTimestamp": None}
    newer |= {"eventTime": "2026-11-27T23:50:00.000001Z", "series": {"lastObservedTime": "2026-11-27T23:59:00.000001Z"}}
    told = [event("Pod", "web/a", "FailedMount", "older"), newer, event("Pod", "web/a", "FailedMount", "older as well")]
    [one] = facts_in(EVENT, told)
    assert (one.says, str(one.since)) == ("newer", "2026-11-27 23:50:00.000001+00:00")


def test_other_reasons_and_more_than_people_read_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_MOST", 10)
    told = [event("Pod", f"web/{number}", "FailedMount", "x" * 5000) for number in range(50)]
    kept = facts_in(EVENT, [event("Pod", "web/probe", "Unhealthy", "probe failed"), *told])
    assert len(kept) == 10
    assert max(len(one.says) for one in kept) == 300


def test_warnings_alone_are_asked_for(tmp_path: Path) -> None:
    told = [event("Pod", "web/a", "FailedMount", "no such volume")] * 501
    with serving(tmp_path, {"events": told}) as (path, asked), LiveApi(path) as api:
        facts = cluster_facts(api, [EVENT])
    assert len(facts.of(EVENT)) == 1
    listed = [one for one in asked if "/events" in one]
    assert len(listed) == 2
    assert all("fieldSelector=type%3DWarning" in one for one in listed)


@pytest.mark.reference
def test_what_failed_a_moment_ago_is_not_told(assembled: Assembled) -> None:
    """Its account may be applied the moment after."""
    begun = event("DaemonSet", "web/watch", "FailedCreate", "serviceaccount not found") | {"firstTimestamp": "2026-11-27T23:59:30Z"}
    lacking = {"metadata": {"name": "watch", "namespace": "web"}, "status": {"desiredNumberScheduled": 3}}
    assert roots_of(assembled, also(events=begun, daemonsets=lacking)) == []


@pytest.mark.reference
@pytest.mark.parametrize(
    ("count", "ended", "reason"),
    [(1, 10, "Error"), (9, 90, "Error"), (1, 90, "OOMKilled"), (0, 10, "Completed")],
)
def test_what_was_started_again_once_or_long_ago_is_nothing(assembled: Assembled, count: int, ended: int, reason: str) -> None:
    """A machine that was started again."""
    assert roots_of(assembled, more("pods", restarted("a", count, minutes_ago(ended), reason))) == []


@pytest.mark.reference
def test_a_release_that_was_uninstalled_and_one_of_k3s_are_no_rest(assembled: Assembled) -> None:
    kept = {"owner": "helm", "name": "tried", "status": "uninstalled"}
    record = {"metadata": {"name": "sh.helm.release.v1.tried.v1", "namespace": "web", "labels": kept}}
    assert roots_of(assembled, more("secrets", record)) == []


@pytest.mark.reference
def test_pods_that_cannot_be_deleted_are_not_called_missing(assembled: Assembled) -> None:
    """A Deployment has one condition for both."""
    failed = [REFUSED[0] | {"reason": "FailedDelete"}]
    assert roots_of(assembled, instead("deployments", thing("site", "web", spec={}, status={"conditions": failed}))) == []
