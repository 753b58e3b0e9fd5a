"""Restores in clusters that are not as one expects: what would take data along is refused, and what was special stays so."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.live.flux import LAYERS
from fluxstead.live.pods import PODS
from fluxstead.live.resources import CLAIMS, DEPLOYMENTS, STATEFUL_SETS, VOLUMES, Refused, Resource
from fluxstead.live.running import carried_out
from fluxstead.live.using import users_of
from fluxstead.systems.longhorn.resources import BACKUPS, LIVE, TARGETS
from fluxstead.systems.longhorn.restore.commands import beside, everything, in_place
from tests.live.backup_world import HOME, SPACE, Cluster, written
from tests.live.memory import CutOff
from tests.live.test_restore import described, in_its_place, new_cluster, run


@pytest.fixture
def cluster() -> Cluster:
    """An application that wrote, was backed up, and wrote again."""
    return written()


def changed(cluster: Cluster, resource: Resource, name: str, **change: Any) -> None:
    """As somebody has made it."""
    found = cluster.api.objects[f"{resource.base}/{resource.plural}", "" if resource is VOLUMES else HOME, name]
    found["spec"] |= change


def test_a_set_that_deletes_its_claims_when_it_is_scaled_is_refused(cluster: Cluster) -> None:
    """To stop it would take all of its volumes along."""
    spec = {
        "replicas": 1,
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"},
        "template": {"spec": {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "web"}}]}},
    }
    cluster.api.put(STATEFUL_SETS, {"metadata": {"name": "db", "namespace": SPACE}, "spec": spec})
    with pytest.raises(Refused, match="statefulsets/db deletes its claims when it is scaled"):
        in_its_place(cluster).begin()


def test_a_pod_that_an_operator_runs_by_itself_is_refused(cluster: Cluster) -> None:
    owner = {"kind": "Cluster", "name": "pg", "controller": True}
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "web"}}]
    metadata = {"name": "pg-1", "namespace": SPACE, "ownerReferences": [owner]}
    cluster.api.put(PODS, {"metadata": metadata, "spec": {"volumes": volumes}, "status": {"phase": "Running"}})
    with pytest.raises(Refused, match="pod pg-1 is run by Cluster pg"):
        in_its_place(cluster).begin()


def test_a_layer_that_fails_is_suspended_all_the_same(cluster: Cluster) -> None:
    """It keeps saying that it will be tried again; and broken data are what makes layers fail."""
    again = [{"type": "Reconciling", "status": "True", "reason": "ProgressingWithRetry"}]
    layer = cluster.api.objects[f"{LAYERS.base}/{LAYERS.plural}", "flux-system", "web-prod"]
    layer["status"] = {"conditions": again}
    assert all(one.well for one in run(cluster, in_its_place(cluster)))
    assert cluster.read("web") == "monday"


def test_how_the_volume_was_mounted_kept_and_backed_up_stays_so(cluster: Cluster) -> None:
    before = cluster.volume_of("web")
    csi = {"driver": "driver.longhorn.io", "volumeHandle": before, "fsType": "xfs", "volumeAttributes": {"nfsOptions": "vers=4.2"}}
    changed(cluster, VOLUMES, before, csi=csi, mountOptions=["noatime"], persistentVolumeReclaimPolicy="Retain")
    changed(cluster, LIVE, before, backupTargetName="nas")
    assert all(one.well for one in run(cluster, in_its_place(cluster)))
    spec = (cluster.api.get(VOLUMES, cluster.volume_of("web")) or {})["spec"]
    assert (spec["csi"]["fsType"], spec["csi"]["volumeAttributes"]) == ("xfs", {"nfsOptions": "vers=4.2"})
    assert (spec["mountOptions"], spec["persistentVolumeReclaimPolicy"]) == (["noatime"], "Retain")
    assert (cluster.api.get(LIVE, cluster.volume_of("web"), HOME) or {})["spec"]["backupTargetName"] == "nas"


def test_the_volume_from_before_is_in_no_backup_any_more(cluster: Cluster) -> None:
    """A job that took it overnight would make what was left behind the newest backup of the claim."""
    before = cluster.volume_of("web")
    run(cluster, in_its_place(cluster))
    labels = (cluster.api.get(LIVE, before, HOME) or {})["metadata"]["labels"]
    assert labels == {"recurring-job-group.longhorn.io/none": "enabled"}


def test_an_encrypted_volume_is_left_to_who_has_its_key(cluster: Cluster) -> None:
    changed(cluster, LIVE, cluster.volume_of("web"), encrypted=True)
    with pytest.raises(Refused, match="web is encrypted"):
        in_its_place(cluster).begin()


def test_a_claim_that_would_not_be_let_in_again_is_not_deleted(cluster: Cluster) -> None:
    """A quota that was lowered since."""

    def refuse(call: str) -> None:
        if call == "try persistentvolumeclaims":
            raise Refused("exceeded quota: storage")

    cluster.api.before = refuse
    with pytest.raises(Refused, match="could not be made again once it is deleted: exceeded quota"):
        in_its_place(cluster).begin()
    assert not [line for line in cluster.api.written if line.startswith("delete")]


def test_what_an_abandoned_restore_had_stopped_runs_again(cluster: Cluster) -> None:
    """Begun anew, it would find nobody who uses the claim, and Flux suspended by somebody."""

    def cut(call: str) -> None:
        if call == "merge deployments":
            raise CutOff

    cluster.api.after = cut
    with pytest.raises(CutOff):
        run(cluster, in_its_place(cluster))
    cluster.api.after = lambda _: None
    assert (cluster.api.get(DEPLOYMENTS, "web", SPACE) or {})["spec"]["replicas"] == 0
    api: Any = cluster.api
    carried_out(api, in_its_place(cluster), lambda _: None, lambda _: None, cluster.clock, abandon=True)
    cluster.wait(30)
    assert cluster.is_well
    assert cluster.read("web") == "monday"


def test_a_claim_that_is_lost_comes_back_with_backups_of_its_own(cluster: Cluster) -> None:
    """What is only looked at is in none; its own name is no such thing."""
    cluster.api.merge(LAYERS, "web-prod", {"spec": {"suspend": True}}, "flux-system")
    cluster.lose("web")
    run(cluster, beside(cluster.api, SPACE, "web", "web"))  # type: ignore[arg-type]
    claim = cluster.api.get(CLAIMS, "web", SPACE)
    assert claim
    assert "labels" not in claim["metadata"]
    assert cluster.read("web") == "monday"


def test_all_of_it_waits_until_longhorn_has_read_the_target() -> None:
    """It is available before any backup in it is known, and everything would begin empty."""
    new = new_cluster(written())
    target = new.api.objects[f"{TARGETS.base}/{TARGETS.plural}", HOME, "default"]
    del target["status"]["lastSyncedAt"]
    procedure = everything(new.api, described("web"))  # type: ignore[arg-type]
    with pytest.raises(Refused, match="has not read the backup target default yet"):
        procedure.begin()
    target["status"]["lastSyncedAt"] = "2026-11-27T00:00:00Z"
    kept = Resource(BACKUPS.base, "backupvolumes")
    new.api.put(kept, {"metadata": {"name": "v", "namespace": HOME}, "spec": {"volumeName": "pvc-1"}, "status": {}})
    with pytest.raises(Refused, match="has not read the backups of pvc-1 yet"):
        procedure.begin()


def test_a_first_cluster_with_an_empty_target_is_told_the_way_on(cluster: Cluster) -> None:
    new = new_cluster(Cluster())
    with pytest.raises(Refused, match="if this is the first cluster, no waitForRestore"):
        everything(new.api, described("web")).begin()  # type: ignore[arg-type]
    with pytest.raises(Refused, match=r"\./run backup$"):
        everything(cluster.api, described("web")._replace(objects=frozenset())).begin()  # type: ignore[arg-type]


def test_a_claim_that_nobody_describes_any_more_stops_no_other() -> None:
    old = written()
    old.application("former")
    old.back_up("former")
    new = new_cluster(old)
    ended = run(new, everything(new.api, described("web")))  # type: ignore[arg-type]
    assert all(one.well for one in ended), [one.standing for one in ended if not one.well]
    assert new.read("web") == "monday"


def test_an_operator_s_number_of_pods_is_not_its_shards(cluster: Cluster) -> None:
    prometheus = Resource("apis/monitoring.coreos.com/v1", "prometheuses")
    cluster.api.put(prometheus, {"metadata": {"name": "k", "namespace": SPACE}, "spec": {"replicas": 1}})
    owner = {"kind": "Prometheus", "name": "k", "controller": True}
    spec = {"replicas": 1, "volumeClaimTemplates": [{"metadata": {"name": "db"}}], "template": {"spec": {}}}
    cluster.api.put(STATEFUL_SETS, {"metadata": {"name": "p", "namespace": SPACE, "ownerReferences": [owner]}, "spec": spec})
    [user] = users_of(cluster.api, SPACE, "db-p-0").workloads  # type: ignore[arg-type]
    assert user.typed(1) == """kubectl -n web-prod patch prometheuses/k --type=merge -p '{"spec":{"replicas":1}}'"""


def test_a_static_volume_of_another_name_has_the_backups_of_longhorns(cluster: Cluster) -> None:
    """A backup that was made by hand does not say whose claim it is."""
    before = cluster.volume_of("web")
    changed(cluster, VOLUMES, before, csi={"driver": "driver.longhorn.io", "volumeHandle": "by-hand"})
    made = cluster.api.get(BACKUPS, "backup-1", HOME)
    assert made
    cluster.api.put(BACKUPS, {**made, "status": {**made["status"], "volumeName": "by-hand", "labels": {}}})
    assert in_place(cluster.api, SPACE, "web").begin()  # type: ignore[arg-type]
