"""The played Longhorn that keeps data: what comes back from a backup is what was there, and what goes wrong is said as it does.

Restores are tried on it, so what it does is held here to what the real one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster.api import Json, RefusedError

from .fixtures import STAND_IN, Site, whole_site
from .played import until
from .played_store import PLAYED
from .played_store.archives import Archives, of_url
from .played_store.cluster import READ, StoredCluster, cluster_with, stored, tree
from .played_store.engine import SECRET
from .played_store.objects import DRIVER, SPACE, VERSION, labels_of, status_of
from .played_store.store import Store

pytestmark = pytest.mark.machine
GIBIBYTE = 1024**3


@pytest.fixture(scope="module")
def whole(need: Callable[..., object]) -> Iterator[tuple[Site, Store]]:
    with whole_site(need) as site, stored(site) as store:
        yield site, store


@pytest.fixture(scope="module")
def cluster(whole: tuple[Site, Store]) -> Iterator[StoredCluster]:
    with cluster_with(*whole) as made:
        yield made


@pytest.fixture(scope="module")
def kept(cluster: StoredCluster) -> tuple[Json, dict[str, str]]:
    """A backup of the claim `data`, and the tree that was in it, which is another now."""
    cluster.claim("data")
    before = cluster.write_tree("data", "first")
    made = cluster.back_up("data")
    assert cluster.write_tree("data", "second") != before
    return made, before


def volume(cluster: StoredCluster, name: str) -> Json:
    return cluster.longhorn.objects.one("Volume", name) or {}


def said_of(cluster: StoredCluster, name: str, condition: str) -> Json:
    conditions = status_of(volume(cluster, name)).get("conditions", [])
    return next((one for one in conditions if one["type"] == condition), {})


def from_backup(cluster: StoredCluster, name: str, url: str) -> None:
    spec: Json = {"size": "2097152", "fromBackup": url, "frontend": "blockdev", "dataEngine": "v1", "numberOfReplicas": 1}
    metadata = {"name": name, "namespace": SPACE}
    cluster.api.create({"apiVersion": VERSION, "kind": "Volume", "metadata": metadata, "spec": spec})


def bind(cluster: StoredCluster, name: str) -> None:
    """A PersistentVolume of a Volume, and the claim that is to have it."""
    shared = {"accessModes": ["ReadWriteOnce"], "storageClassName": "restored", "volumeMode": "Filesystem"}
    bound = {
        **shared,
        "capacity": {"storage": "1Gi"},
        "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": {"namespace": "default", "name": name},
        "csi": {"driver": DRIVER, "fsType": "ext4", "volumeHandle": name},
    }
    cluster.api.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": bound})
    claim = {**shared, "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}}
    place = {"name": name, "namespace": "default"}
    cluster.api.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": place, "spec": claim})


def messages(cluster: StoredCluster, namespace: str = "default") -> str:
    return "\n".join(str(one.get("message", "")) for one in cluster.api.list("v1", "Event", namespace))


def test_a_tree_comes_back_as_it_was_backed_up(
    cluster: StoredCluster, kept: tuple[Json, dict[str, str]], record_property: Callable[[str, object], None]
) -> None:
    """And no pod has it before it is whole."""
    record_property("k3s", STAND_IN)
    record_property("played", PLAYED)
    backup, before = kept
    assert before["./a folder/1.txt"] == hashlib.sha256(b"first, file 1\n").hexdigest()
    assert len(before) == 9
    said = backup["status"]
    assert (said["state"], said["volumeSize"], said["backupTargetName"]) == ("Completed", str(GIBIBYTE), "default")
    cluster.longhorn.volumes.holding = True
    try:
        from_backup(cluster, "restored", said["url"])
        bind(cluster, "restored")
        until(lambda: said_of(cluster, "restored", "Restore").get("reason") == "RestoreInProgress")
        pod = cluster.start("restored", READ)
        until(lambda: "volume restored is not ready for workloads: volume requires restoration" in messages(cluster))
        found = volume(cluster, "restored")
        engine = cluster.longhorn.objects.one("Engine", "restored-e-0")
        (progress,) = status_of(engine)["restoreStatus"].values()
    finally:
        cluster.longhorn.volumes.holding = False
    assert (progress["isRestoring"], progress["progress"]) == (True, 50)
    assert (found["spec"]["size"], found["status"]["state"]) == (str(GIBIBYTE), "attached")
    assert found["status"]["restoreRequired"]
    assert found["status"]["kubernetesStatus"]["pvcName"] == "restored"
    assert tree(cluster.result(pod)) == before
    assert not status_of(volume(cluster, "restored"))["restoreRequired"]


def test_another_cluster_has_what_the_store_has(
    whole: tuple[Site, Store], kept: tuple[Json, dict[str, str]], record_property: Callable[[str, object], None]
) -> None:
    """By a class with `fromBackup`, too; and nothing is restored from a backup that was not listed yet."""
    backup, before = kept
    name = backup["metadata"]["name"]
    record_property("played", PLAYED)
    with cluster_with(*whole, every=None) as other:
        with pytest.raises(RefusedError, match=f'failed to get backup {name}: backup.longhorn.io "{name}" not found'):
            from_backup(other, "early", backup["status"]["url"])
        other.point()
        until(lambda: status_of(other.longhorn.objects.one("Backup", name)).get("state") == "Completed")
        listed = other.longhorn.objects.one("Backup", name) or {}
        of = of_url(listed["status"]["url"])[1]
        (found,) = other.longhorn.objects.all("BackupVolume").values()
        assert listed["status"] | {"lastSyncedAt": ""} == backup["status"] | {"lastSyncedAt": ""}
        assert found["metadata"]["name"] == f"{of}-{hashlib.sha256(f'{of}-default'.encode()).hexdigest()[:8]}"
        assert (found["spec"]["volumeName"], found["status"]["lastBackupName"]) == (of, name)
        parameters = {"fromBackup": listed["status"]["url"], "numberOfReplicas": "1"}
        of_class = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "from-backup"}}
        other.api.create({**of_class, "provisioner": DRIVER, "parameters": parameters, "reclaimPolicy": "Delete"})
        other.claim("again", of_class="from-backup")
        assert other.tree_of("again") == before


def test_a_store_that_is_not_reached_is_said_with_why(cluster: StoredCluster, kept: tuple[Json, dict[str, str]]) -> None:
    del kept
    longhorn, right = cluster.longhorn, cluster.store.credentials

    def says(*words: str) -> Callable[[], bool]:
        def holds() -> bool:
            (said,) = longhorn.target["conditions"]
            wrong = (said["type"], said["status"], said["reason"]) == ("Unavailable", "True", "Unavailable")
            return wrong and not longhorn.target["available"] and all(word in said["message"] for word in words)

        return holds

    def with_secret(**values: str | None) -> None:
        cluster.api.patch("v1", "Secret", SECRET, {"data": None, "stringData": {**right, **values}}, namespace=SPACE)

    begins = "failed to list system backups in s3://backups@us-east-1/: error listing system backup in "
    try:
        with_secret(AWS_SECRET_ACCESS_KEY="another")  # noqa: S106 -- of no store
        until(says(begins, "AWS Error: SignatureDoesNotMatch"), 10)
        with pytest.raises(RefusedError, match="backup target default is not available"):
            cluster.back_up("data")
        with_secret(AWS_ACCESS_KEY_ID="nobody")
        until(says(begins, "AWS Error: InvalidAccessKeyId"), 10)
        with_secret(AWS_ACCESS_KEY_ID=None)
        until(says(begins, "could not backup to s3, missing [AWS_ACCESS_KEY_ID] in the secret"), 10)
    finally:
        with_secret()
    until(lambda: longhorn.target["available"], 10)
    cluster.store.down()
    try:
        until(says(begins, "AWS HTTP Error: 0 request send failed", "connect: connection refused"), 10)
    finally:
        cluster.store.up()
    until(lambda: longhorn.target["available"], 10)
    assert longhorn.objects.all("Backup"), "what was listed stays"


def test_without_a_target_nothing_is_listed_and_all_is_kept(cluster: StoredCluster, kept: tuple[Json, dict[str, str]]) -> None:
    """Whoever takes the URL away loses the list, and has it back with the URL."""
    name, of = of_url(kept[0]["status"]["url"])
    objects = cluster.longhorn.objects
    target = objects.one("BackupTarget", "default") or {}
    objects.change(target, {"spec": {"backupTargetURL": ""}})
    until(lambda: not objects.all("BackupVolume") and not objects.all("Backup"))
    assert cluster.longhorn.target["conditions"][0]["message"] == "backup target URL is empty"
    assert name in Archives(cluster.store.bucket).backups(of)
    objects.change(target, {"spec": {"backupTargetURL": target["spec"]["backupTargetURL"]}})
    until(lambda: status_of(objects.one("Backup", name)).get("state") == "Completed")


def test_a_backup_that_is_spoilt_makes_its_volume_faulted(cluster: StoredCluster, kept: tuple[Json, dict[str, str]]) -> None:
    """One byte of its archive is another; or there is none."""
    del kept
    backup = cluster.back_up("data")
    name, of = of_url(backup["status"]["url"])
    (block,) = Archives(cluster.store.bucket).blocks(of, name)
    content = cluster.store.bucket.get(block)
    assert content
    cluster.store.bucket.put(block, content[:-1] + bytes([content[-1] ^ 1]))
    from_backup(cluster, "spoilt", backup["status"]["url"])
    until(lambda: status_of(volume(cluster, "spoilt")).get("robustness") == "faulted")
    until(lambda: status_of(volume(cluster, "spoilt"))["state"] == "detached")
    assert said_of(cluster, "spoilt", "Restore")["reason"] == "RestoreFailure"
    assert said_of(cluster, "spoilt", "Restore")["message"] == "All replica restore failed and the volume became Faulted"
    assert status_of(volume(cluster, "spoilt"))["restoreRequired"]
    assert "replica spoilt-r-0 failed the restore: failed to decompress and verify block" in messages(cluster, SPACE)
    cluster.store.bucket.remove(block)
    from_backup(cluster, "gone", backup["status"]["url"])
    until(lambda: status_of(volume(cluster, "gone")).get("robustness") == "faulted")
    assert "failed to read block" in messages(cluster, SPACE)
    cluster.longhorn.objects.delete(backup)
    until(lambda: name not in Archives(cluster.store.bucket).backups(of))


def test_a_backup_fails_on_demand_and_a_job_keeps_as_many_as_it_is_told(
    cluster: StoredCluster, kept: tuple[Json, dict[str, str]]
) -> None:
    del kept
    longhorn, objects = cluster.longhorn, cluster.longhorn.objects
    longhorn.backups.failure = "no space left on device"
    try:
        failed = cluster.back_up("data")
    finally:
        longhorn.backups.failure = ""
    assert (failed["status"]["state"], failed["status"]["error"]) == ("Error", "no space left on device")
    job: Json = {"name": "daily", "task": "backup", "cron": "0 3 * * *", "retain": 1, "concurrency": 1, "groups": ["default"]}
    objects.make("RecurringJob", "daily", {**job, "labels": {}, "parameters": {}})
    name = longhorn.volume_of("data")
    assert labels_of(volume(cluster, name))["recurring-job-group.longhorn.io/default"] == "enabled"
    until(lambda: status_of(volume(cluster, name))["state"] == "detached")
    assert longhorn.run_job("daily") == [], "a detached volume is passed over"
    first, second = longhorn.back_up(name, "daily", 1), longhorn.back_up(name, "daily", 1)
    until(lambda: objects.one("Backup", first["metadata"]["name"]) is None)
    assert objects.one("Backup", second["metadata"]["name"])
    assert first["metadata"]["name"] not in Archives(cluster.store.bucket).backups(name)
    until(lambda: status_of(volume(cluster, name))["lastBackup"] == second["metadata"]["name"])


def test_claims_say_which_jobs_their_volumes_have_and_volumes_grow_alone(
    cluster: StoredCluster, kept: tuple[Json, dict[str, str]]
) -> None:
    del kept
    name = cluster.longhorn.volume_of("data")
    job, group = "recurring-job.longhorn.io/hourly", "recurring-job-group.longhorn.io/default"
    labels = {"recurring-job.longhorn.io/source": "enabled", job: "enabled"}
    cluster.api.patch("v1", "PersistentVolumeClaim", "data", {"metadata": {"labels": labels}}, namespace="default")
    until(lambda: labels_of(volume(cluster, name)).get(job) == "enabled")
    assert group not in labels_of(volume(cluster, name)), "the claim's replace what was there"
    asked: Json = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    cluster.api.patch("v1", "PersistentVolumeClaim", "data", asked, namespace="default")
    until(lambda: volume(cluster, name)["spec"]["size"] == str(2 * GIBIBYTE))
    with pytest.raises(RefusedError, match="shrinking volume"):
        cluster.longhorn.objects.change(volume(cluster, name), {"spec": {"size": str(GIBIBYTE)}})


def test_what_is_left_of_a_claim_is_what_its_volume_says(cluster: StoredCluster) -> None:
    """Retained, it stays with its history; deleted, its data go."""
    for name in ("retained", "deleted"):
        cluster.claim(name)
    until(lambda: all(cluster.longhorn.volume_of(name) for name in ("retained", "deleted")))
    retained, deleted = cluster.longhorn.volume_of("retained"), cluster.longhorn.volume_of("deleted")
    cluster.api.patch("v1", "PersistentVolume", retained, {"spec": {"persistentVolumeReclaimPolicy": "Retain"}})
    until(lambda: status_of(volume(cluster, retained)).get("kubernetesStatus", {}).get("pvcName") == "retained")
    for name in ("retained", "deleted"):
        cluster.api.delete("v1", "PersistentVolumeClaim", name, "default")
    until(lambda: not volume(cluster, deleted) and cluster.api.get("v1", "PersistentVolume", deleted) is None)
    assert not cluster.longhorn.volumes.place(deleted).exists()
    until(lambda: status_of(volume(cluster, retained))["kubernetesStatus"]["pvStatus"] == "Released")
    assert status_of(volume(cluster, retained))["kubernetesStatus"]["lastPVCRefAt"]
    cluster.longhorn.objects.delete(volume(cluster, retained))
    until(lambda: not cluster.longhorn.volumes.place(retained).exists())
