"""Another target for backups: described first, then every volume's; what is in the former one stays readable."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.cli.rotate import described
from fluxstead.live.procedure import Outcome, Step, Stopped, due, fails
from fluxstead.live.rotating import Rotates
from fluxstead.live.running import carried_out
from fluxstead.systems.longhorn.resources import LIVE, TARGETS
from fluxstead.systems.longhorn.restore.commands import listed
from fluxstead.systems.longhorn.retarget import ROTATIONS
from tests.live.backup_world import HOME, Cluster, written

STACK = "config:\n  fluxstead:longhorn: # storage\n    version: 1.12.1\n    backupTarget: {url: 's3://b@r/'} # here\n"
CHANGE = described(ROTATIONS["backup-target"], "backup-target", "second", "Pulumi.home.yaml")


@pytest.fixture
def cluster() -> Cluster:
    """With a volume that is backed up, one that follows another cluster, and a second target."""
    made = written()
    made.application("wiki")
    target = {
        "metadata": {"name": "second", "namespace": HOME},
        "spec": {"backupTargetURL": "nfs://n:/b"},
        "status": {"available": True},
    }
    made.api.put(TARGETS, target)
    follows = {"metadata": {"name": "follows", "namespace": HOME}, "spec": {"Standby": True, "size": "1"}, "status": {}}
    made.api.put(LIVE, follows)
    return made


def rotated(cluster: Cluster, *steps: Step, name: str = "second") -> list[Outcome]:
    api: Any = cluster.api
    of = Rotates(api, f"rotate backup-target {name}", name, steps)
    return carried_out(api, ROTATIONS["backup-target"].procedure(of), lambda _: None, lambda _: None, cluster.clock)[0]


def targets(cluster: Cluster) -> dict[str, str]:
    return {one["metadata"]["name"]: one["spec"].get("backupTargetName", "") for one in cluster.api.list(LIVE)}


def test_every_volume_is_backed_up_there_and_the_former_backups_are_listed(cluster: Cluster) -> None:
    assert all(one.well for one in rotated(cluster))
    assert targets(cluster).pop("follows") == "", "it is what another cluster writes"
    assert {name for name, target in targets(cluster).items() if target != "second"} == {"follows"}
    assert [row.backup for row in listed(cluster.api) if row.claim == "web"] == ["backup-1"]  # type: ignore[arg-type]
    cluster.api.written.clear()
    assert all(one.well for one in rotated(cluster))
    assert {line.split()[1] for line in cluster.api.written} == {"leases"}, "what is so already is left alone"


def test_no_volume_changes_before_the_description_says_so(cluster: Cluster) -> None:
    """Else a new volume of the same class would go elsewhere, and Flux would not know why."""
    refused = Step("described", "", "", lambda: fails("the clone is behind", "git pull"), None)
    assert [one.well for one in rotated(cluster, refused)] == [True, False]
    assert set(targets(cluster).values()) == {""}


def test_a_target_that_is_away_or_nowhere_stops_it_before_anything(cluster: Cluster) -> None:
    wrong = Step("described", "", "", lambda: due("write"), lambda: pytest.fail("it wrote the description"))
    with pytest.raises(Stopped, match="there is no backup target third") as refused:
        rotated(cluster, wrong, name="third")
    assert "backupTargets: {third: {url: …}}" in refused.value.do
    said = [{"type": "Unavailable", "status": "True", "message": "timed out"}]
    away = {
        "metadata": {"name": "away", "namespace": HOME},
        "spec": {"backupTargetURL": "nfs://n:/b"},
        "status": {"conditions": said},
    }
    cluster.api.put(TARGETS, away)
    [one] = rotated(cluster, wrong, name="away")
    assert "timed out" in one.standing.says


def test_the_description_names_it_in_one_line() -> None:
    [change] = CHANGE.files.values()
    assert not change.is_so(STACK)
    text = change.edit(STACK)
    assert text == f"{STACK}    backupsTo: second\n"
    assert change.is_so(text)
    assert not change.is_so("config: [")
