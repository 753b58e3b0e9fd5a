"""What was backed up comes back as it was, by the commands of the page, judged by the checksums of a tree of files.

Pods, kubelet, API server and the mounting are real; Longhorn is played, and keeps its backups in an S3 server.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster.description import PROJECT

from .fixtures import STAND_IN, Site, whole_site
from .played import until
from .played_store import PLAYED
from .played_store.archives import Archives, of_url
from .played_store.cluster import cluster_with, stored
from .played_store.objects import SPACE as HOME
from .played_store.store import Store
from .restored import APP, SPACE, Restored

pytestmark = pytest.mark.machine
CLAIM = f"{SPACE}/{APP}"


@pytest.fixture(scope="module")
def whole(need: Callable[..., object]) -> Iterator[tuple[Site, Store]]:
    with whole_site(need) as site, stored(site) as store:
        yield site, store


@pytest.fixture(scope="module")
def site(whole: tuple[Site, Store]) -> Iterator[Restored]:
    with cluster_with(*whole) as cluster:
        made = Restored(cluster, whole[0].home / "project")
        made.start()
        yield made


@pytest.fixture(scope="module")
def monday(site: Restored) -> tuple[str, dict[str, str]]:
    """A backup, and the tree that was in it; the claim holds another one now."""
    before = site.write("monday")
    name = site.back_up()
    assert site.write("tuesday") != before
    return name, before


def done(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout


def test_the_list_names_the_claim_and_its_backup(
    site: Restored, monday: tuple[str, dict[str, str]], record_property: Callable[[str, object], None]
) -> None:
    record_property("k3s", STAND_IN)
    record_property("played", PLAYED)
    (row,) = json.loads(done(site.run("backup", "--format", "json")))
    assert (row["namespace"], row["claim"], row["backup"], row["target"]) == (SPACE, APP, monday[0], "default")
    assert row["volume"] == site.volume


def test_beside_the_claim_another_one_holds_the_backup(site: Restored, monday: tuple[str, dict[str, str]]) -> None:
    volume, now = site.volume, site.holds
    said = done(site.run("backup", "restore", CLAIM, "--as", "site-old"))
    assert "all of it is done" in said
    api = site.cluster.api
    found = api.get("v1", "PersistentVolumeClaim", "site-old", SPACE)
    assert found
    assert found["status"]["phase"] == "Bound"
    assert _read_beside(site, "site-old") == monday[1]
    assert (site.volume, site.holds) == (volume, now)
    api.delete("v1", "PersistentVolumeClaim", "site-old", SPACE)
    restored = found["spec"]["volumeName"]
    until(lambda: restored not in site.cluster.longhorn.objects.all("Volume"), 60)


def _read_beside(site: Restored, claim: str) -> dict[str, str]:
    """By the application with this claim in the place of its own, as somebody would mount it."""
    api = site.cluster.api
    found = api.get("apps/v1", "Deployment", APP, SPACE) or {}
    volumes = found["spec"]["template"]["spec"]["volumes"]
    for one in volumes:
        if "persistentVolumeClaim" in one:
            one["persistentVolumeClaim"]["claimName"] = claim
    api.patch("apps/v1", "Deployment", APP, {"spec": {"template": {"spec": {"volumes": volumes}}}}, namespace=SPACE)
    until(lambda: _mounts(site, claim), 120)
    try:
        return site.holds
    finally:
        site.apply("apps/site-live-workload")
        until(lambda: _mounts(site, APP), 120)


def _mounts(site: Restored, claim: str) -> bool:
    pods = site.pods()
    return bool(pods) and all(
        any(one.get("persistentVolumeClaim", {}).get("claimName") == claim for one in pod["spec"]["volumes"]) for pod in pods
    )


def test_in_its_place_the_claim_holds_the_backup_and_the_volume_from_before_is_kept(
    site: Restored, monday: tuple[str, dict[str, str]], record_property: Callable[[str, object], None]
) -> None:
    before, lost, began = site.volume, site.holds, time.monotonic()
    said = done(site.run("backup", "restore", CLAIM, "--in-place", APP, "--at", monday[0]))
    record_property("restored in place, until the pod is ready", f"{time.monotonic() - began:.0f} s")
    assert site.holds == monday[1]
    assert f"the volume from before is {before}" in said
    assert (site.policy_of(before), site.policy_of(site.volume)) == ("Retain", "Delete")
    place = site.cluster.longhorn.volumes.place(before)
    assert sum(1 for one in place.rglob("*") if one.is_file()) >= len(lost) - 1, "its data are where they were"


@pytest.mark.parametrize("after", ["is made from backup", "nothing writes to", "has the volume from the backup", "runs again"])
def test_killed_anywhere_the_same_command_goes_on(site: Restored, monday: tuple[str, dict[str, str]], after: str) -> None:
    """Where the step is first told of."""
    site.write(f"before {after}")
    words = ("backup", "restore", CLAIM, "--in-place", APP, "--at", monday[0])
    process = subprocess.Popen(site.command(*words), cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    for line in process.stdout:
        if after in line:
            os.kill(process.pid, signal.SIGKILL)
            break
    assert process.wait(60) == -signal.SIGKILL, "it was killed in the middle"
    done(site.run(*words))
    assert site.holds == monday[1]


def test_a_backup_that_is_spoilt_stops_nothing(site: Restored, monday: tuple[str, dict[str, str]]) -> None:
    """It is read before anything is touched."""
    del monday
    bucket = site.cluster.store.bucket
    spoilt, now, volume = site.back_up(), site.holds, site.volume
    url = (site.cluster.longhorn.objects.one("Backup", spoilt) or {})["status"]["url"]
    name, of = of_url(url)
    for block in Archives(bucket).blocks(of, name):
        bucket.remove(block)
    ended = site.run("backup", "restore", CLAIM, "--in-place", APP, "--at", spoilt)
    assert ended.returncode == 1
    assert "the backup was not restored: All replica restore failed" in ended.stdout
    assert "then another backup: --at, and --abandon" in ended.stdout
    assert (site.volume, site.holds) == (volume, now)
    site.cluster.longhorn.objects.delete(site.cluster.longhorn.objects.one("Backup", spoilt) or {})
    ended = site.run("backup", "restore", CLAIM, "--as", "other")
    assert "has not ended: run it again, and it goes on" in ended.stderr, "what was begun is not forgotten"
    done(site.run("backup", "restore", CLAIM, "--as", "other", "--abandon"))


def test_the_drill_reads_every_backup_and_leaves_nothing(site: Restored, monday: tuple[str, dict[str, str]]) -> None:
    del monday
    before = set(site.cluster.longhorn.objects.all("Volume"))
    answer = json.loads(done(site.run("verify", "--restore", "--format", "json")))
    read = [one for one in answer["steps"] if "every file of backup" in one["name"]]
    assert [one["state"] for one in read] == ["done"]
    assert "files and" in read[0]["says"]
    until(lambda: set(site.cluster.longhorn.objects.all("Volume")) == before, 60)
    assert site.cluster.api.get("v1", "Namespace", "fluxstead-verify") is None


def test_a_new_cluster_begins_with_what_the_old_one_backed_up(
    whole: tuple[Site, Store], site: Restored, record_property: Callable[[str, object], None]
) -> None:
    """Its machine, its API and its Longhorn are new; it has the repository and the store."""
    expected = site.write("the last day")
    site.back_up()
    with cluster_with(*whole, every=None) as cluster:
        new = Restored(cluster, whole[0].home / "again", waits=True)
        ended = new.run("backup", "restore", "--all")
        assert ended.returncode == 1
        assert "nobody knows yet what there is to restore: there is no backup target" in ended.stderr
        cluster.point("10s")
        _await_plan(new)
        (row, *_) = json.loads(new.run("backup", "--format", "json").stdout)
        assert row["gone"]
        new.apply("infrastructure/longhorn-storage")
        began = time.monotonic()
        process = subprocess.Popen(
            new.command("backup", "restore", "--all"), cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        until(lambda: _opened(new), 120)
        new.start()
        said, _ = process.communicate(timeout=300)
        record_property("a new cluster's claim restored and bound", f"{time.monotonic() - began:.0f} s")
        assert process.returncode == 0, said
        assert new.holds == expected
        assert new.policy_of(new.volume) == "Delete"


def _await_plan(new: Restored) -> None:
    """Longhorn reads a target step by step, and until it has, nobody knows what there is."""
    end = time.monotonic() + 60
    while (planned := new.run("backup", "restore", "--all", "--plan")).returncode:
        assert time.monotonic() < end, planned.stderr
        time.sleep(1)


def _opened(new: Restored) -> bool:
    found = new.cluster.api.get("v1", "ConfigMap", "longhorn-restored", HOME)
    return bool(found and found["data"]["restored"] == "true")
