"""The drill of `./run verify --restore`: every claim's newest backup is restored, read, compared and removed."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.live.procedure import Outcome, Step, done
from fluxstead.live.resources import MACHINES
from fluxstead.live.running import run as walk
from fluxstead.live.verify.place import READY
from fluxstead.systems.longhorn.resources import LIVE
from fluxstead.systems.longhorn.restore.commands import drill, put_back
from tests.live.backup_world import GIB, SPACE, Cluster, written


@pytest.fixture
def cluster() -> Cluster:
    """An application that wrote, was backed up, and wrote again."""
    return written()


class Unfenced:
    """Nobody else is at work."""

    def check(self) -> None:
        pass


def drilled(cluster: Cluster, inodes: int) -> dict[str, Outcome]:
    """The drill, by what its steps are about, on a machine that counts so many files in the claim now."""
    counted = {"pvcRef": {"namespace": SPACE, "name": "web"}, "inodesUsed": inodes, "usedBytes": inodes * GIB}
    cluster.api.put(MACHINES, {"metadata": {"name": "k3s1"}})
    cluster.api.counts["k3s1"] = {"pods": [{"volume": [{"name": "tmp"}, counted]}]}
    api: Any = cluster.api
    steps = [Step(READY, "", "", done), *drill(api)]
    return {one.step.name: one for one in walk(steps, Unfenced(), lambda _: None, cluster.clock, goes_on=True)}


def test_a_drill_reads_the_newest_backup_of_each_claim_and_leaves_nothing(cluster: Cluster) -> None:
    volumes = {key for key in cluster.api.objects if "volumes" in key[0]}
    ended = drilled(cluster, len("tuesday"))
    assert all(one.well for one in ended.values()), [one.standing for one in ended.values() if not one.well]
    [read] = [one for name, one in ended.items() if "every file of backup backup-1" in name]
    assert read.standing.says == "6 files and 6.00Gi; the claim has 7 files and 7.00Gi now"
    assert {key for key in cluster.api.objects if "volumes" in key[0]} == volumes
    assert cluster.read("web") == "tuesday"


def test_a_backup_of_which_more_than_half_is_missing_is_no_backup(cluster: Cluster) -> None:
    """And what was restored is removed all the same."""
    ended = drilled(cluster, 100)
    [wrong] = [one for one in ended.values() if not one.well]
    assert "it holds 6 files and 6.00Gi, and the claim 100 files and 100.00Gi now" in wrong.standing.says
    assert ended["web-prod/web: what was restored is removed"].well


def test_an_interrupted_drill_leaves_no_volume_that_nobody_claims(cluster: Cluster) -> None:
    api: Any = cluster.api
    [made] = [one for one in drill(api) if " is made from backup " in one.name]
    assert made.act
    made.act()
    assert len(cluster.api.list(LIVE)) == 2
    put_back(api)
    assert len(cluster.api.list(LIVE)) == 1
