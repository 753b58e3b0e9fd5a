"""Restores bring back what was backed up, keep what was there, and go on from every cut, whatever others do meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.core.findings import Source
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.quantity import Quantity
from fluxstead.live.flux import LAYERS
from fluxstead.live.kept import DescribedClaims
from fluxstead.live.lease import Lost, Taken, begun_in
from fluxstead.live.procedure import Outcome, Procedure
from fluxstead.live.resources import CLAIMS, CONFIG_MAPS, DEPLOYMENTS, LEASES, STATEFUL_SETS, VOLUMES, Refused, Resource, Unanswered
from fluxstead.live.running import carried_out, plan
from fluxstead.live.using import users_of
from fluxstead.systems.longhorn.resources import BACKUPS, LIVE, TARGETS
from fluxstead.systems.longhorn.restore.commands import beside, everything, in_place, listed
from fluxstead.systems.longhorn.storage import RESTORED
from fluxstead.tree.asks import VolumeClaim
from tests.live.backup_world import GIB, HOME, SPACE, Cluster, written
from tests.live.memory import CutOff


@pytest.fixture
def cluster() -> Cluster:
    """An application that wrote, was backed up, and wrote again."""
    return written()


def run(cluster: Cluster, procedure: Procedure, said: list[str] | None = None) -> list[Outcome]:
    """As the command runs it."""
    lines = said if said is not None else []
    api: Any = cluster.api
    return carried_out(api, procedure, lines.append, lines.append, cluster.clock)[0]


def in_its_place(cluster: Cluster, at: str = "", claim: str = "web") -> Procedure:
    return in_place(cluster.api, SPACE, claim, at)  # type: ignore[arg-type]


def put_beside(cluster: Cluster, name: str = "old", at: str = "") -> Procedure:
    return beside(cluster.api, SPACE, "web", name, at)  # type: ignore[arg-type]


def test_beside_nothing_changes_and_the_new_claim_reads_as_it_was_backed_up(cluster: Cluster) -> None:
    before = cluster.volume_of("web")
    assert all(one.well for one in run(cluster, put_beside(cluster)))
    assert (cluster.read("old"), cluster.read("web")) == ("monday", "tuesday")
    assert cluster.volume_of("web") == before
    assert not [line for line in cluster.api.written if line.startswith(("delete", "merge kustomizations", "merge deployments"))]
    claim = cluster.api.get(CLAIMS, "old", SPACE)
    assert claim
    assert claim["metadata"]["labels"]["recurring-job-group.longhorn.io/none"] == "enabled", "what is looked at is in no backup"
    volume = cluster.api.get(LIVE, cluster.volume_of("old"), HOME)
    assert volume
    assert (volume["spec"]["numberOfReplicas"], volume["spec"]["diskSelector"]) == (2, ["ssd"])


def test_in_place_the_claim_has_the_backup_and_the_volume_from_before_is_kept(cluster: Cluster) -> None:
    before, said = cluster.volume_of("web"), list[str]()
    ended = run(cluster, in_its_place(cluster), said)
    assert all(one.well for one in ended), said
    assert cluster.read("web") == "monday"
    assert cluster.data[before] == "tuesday"
    assert not cluster.lost
    cluster.wait(60)
    assert cluster.is_well
    claim = cluster.api.get(CLAIMS, "web", SPACE)
    assert claim
    assert claim["metadata"]["annotations"] == {"app": "mine"}, "it is as it was"
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    volume = cluster.api.get(VOLUMES, cluster.volume_of("web"))
    assert volume
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete", "as the class has it"
    assert f"kubectl delete pv {before}" in ended[-1].standing.says


def test_nothing_is_stopped_before_the_backup_is_read(cluster: Cluster) -> None:
    """A target that is away costs no minute of the application."""
    for one in cluster.api.list(TARGETS):
        cluster.api.put(TARGETS, {**one, "status": {"available": False}})
    with pytest.raises(Refused, match="default is not available"):
        run(cluster, in_its_place(cluster))
    assert not cluster.api.written
    assert cluster.is_well


def test_a_restore_that_fails_changes_nothing_and_names_another_backup(cluster: Cluster) -> None:
    def broken(call: str) -> None:
        if call == "create volumes":
            for one in cluster.api.list(LIVE):
                if one["spec"].get("fromBackup"):
                    said = {
                        "type": "Restore",
                        "status": "False",
                        "reason": "RestoreFailure",
                        "message": "All replica restore failed",
                    }
                    cluster.api.put(
                        LIVE, {**one, "status": {"robustness": "faulted", "restoreInitiated": True, "conditions": [said]}}
                    )

    cluster.api.after = broken
    ended = run(cluster, in_its_place(cluster))
    assert "All replica restore failed" in ended[-1].standing.says
    assert "--at" in ended[-1].standing.do
    assert cluster.read("web") == "tuesday"
    assert cluster.is_well


def test_a_claim_that_has_grown_since_gets_a_volume_as_large() -> None:
    big = Cluster()
    big.application(size="8Gi")
    big.write("web", "monday")
    big.back_up("web", size=5 * GIB)
    assert all(one.well for one in run(big, in_its_place(big)))
    volume = big.api.get(LIVE, big.volume_of("web"), HOME)
    assert volume
    assert volume["spec"]["size"] == str(8 * GIB)


def test_which_backup_is_said_and_another_claims_is_refused(cluster: Cluster) -> None:
    second = cluster.back_up("web")
    cluster.write("web", "wednesday")
    run(cluster, in_its_place(cluster, "backup-1"))
    assert cluster.read("web") == "monday"
    run(cluster, in_its_place(cluster, second))
    assert cluster.read("web") == "tuesday"
    with pytest.raises(Refused, match=r"backup-9 is no backup of web-prod/web; there are backup-2 \("):
        in_its_place(cluster, "backup-9").begin()
    with pytest.raises(Refused, match="no backup of web-prod/other is whole"):
        in_place(cluster.api, SPACE, "other").begin()  # type: ignore[arg-type]


def test_a_claim_that_is_gone_is_given_back_beside(cluster: Cluster) -> None:
    cluster.application("gone")
    cluster.write("gone", "all of it")
    cluster.back_up("gone")
    del cluster.described["gone"]
    cluster.api.drop(CLAIMS, {"metadata": {"name": "gone", "namespace": SPACE}})
    with pytest.raises(Refused, match="--as gone gives it back"):
        in_place(cluster.api, SPACE, "gone").begin()  # type: ignore[arg-type]
    run(cluster, beside(cluster.api, SPACE, "gone", "gone"))  # type: ignore[arg-type]
    assert cluster.read("gone") == "all of it"


def test_a_plan_says_each_step_and_writes_nothing(cluster: Cluster) -> None:
    cluster.api.written.clear()
    procedure = in_its_place(cluster)
    said = "\n".join(plan(procedure.steps(procedure.begin())))
    assert "nothing writes to web-prod/web: deployments/web (1)" in said
    assert "would be done now: suspend kustomization flux-system/web-prod" in said
    assert not cluster.api.written


def test_what_somebody_suspended_and_scaled_away_before_stays_so(cluster: Cluster) -> None:
    cluster.api.merge(LAYERS, "web-prod", {"spec": {"suspend": True}}, "flux-system")
    cluster.api.merge(DEPLOYMENTS, "web", {"spec": {"replicas": 0}}, SPACE)
    cluster.wait(5)
    assert all(one.well for one in run(cluster, in_its_place(cluster)))
    layer = cluster.api.get(LAYERS, "web-prod", "flux-system")
    assert layer
    assert layer["spec"]["suspend"] is True
    assert cluster.read("web") == "monday"


CUTS = st.lists(st.tuples(st.integers(0, 80), st.sampled_from(["killed", "silent", "lost"])), max_size=5)
OTHERS = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["resume", "scale", "backup", "write"])), max_size=4)


@given(CUTS, OTHERS)
def test_from_every_cut_whatever_others_do_nothing_is_lost_and_the_claim_is_bound(
    cuts: list[tuple[int, str]], others: list[tuple[int, str]]
) -> None:
    """Killed before a call, silence, a lost answer; and somebody who resumes Flux, scales up, backs up or writes."""
    cluster = written()
    before = cluster.volume_of("web")
    pending, calls, waiting = list(cuts), 0, sorted(others)

    def maybe(kind: str) -> None:
        nonlocal calls
        calls += kind != "lost"
        while waiting and calls >= waiting[0][0]:
            _meddle(cluster, waiting.pop(0)[1])
        if pending and calls >= pending[0][0] and (pending[0][1] == "lost") == (kind == "lost"):
            how = pending.pop(0)[1]
            calls = 0
            raise CutOff if how == "killed" else Unanswered("the API gives no answer")

    cluster.api.before, cluster.api.after = lambda _: maybe("before"), lambda _: maybe("lost")
    ended = list[Outcome]()
    for _ in range(len(cuts) + 3):
        with suppress(CutOff, Unanswered, Lost, Taken):
            ended = run(cluster, in_its_place(cluster, "backup-1"))
        held_now = cluster.api.objects.get((f"{LEASES.base}/{LEASES.plural}", "kube-system", "fluxstead-procedure"))
        if held_now and not begun_in(held_now).words and ended and ended[-1].well:
            break
    else:
        pytest.fail(f"it did not come to its end: {ended[-1].standing.says if ended else 'nothing ran'}")
    cluster.api.before = cluster.api.after = lambda _: None
    cluster.wait(60)
    assert cluster.is_well
    assert not cluster.lost, "no volume went with what it held"
    assert cluster.data[before] in {"tuesday", "meddled"}
    assert cluster.read("web") in {"monday", "meddled"}


def _meddle(cluster: Cluster, how: str) -> None:
    before, after = cluster.api.before, cluster.api.after
    cluster.api.before = cluster.api.after = lambda _: None
    if how == "resume":
        cluster.api.merge(LAYERS, "web-prod", {"spec": {"suspend": None}}, "flux-system")
    elif how == "scale" and cluster.api.get(DEPLOYMENTS, "web", SPACE):
        cluster.api.merge(DEPLOYMENTS, "web", {"spec": {"replicas": 2}}, SPACE)
    elif how == "backup" and cluster.read("web") == "tuesday":
        cluster.back_up("web")
    elif how == "write" and cluster.read("web") == "tuesday":
        cluster.write("web", "meddled")
    cluster.api.before, cluster.api.after = before, after


def described(*names: str) -> DescribedClaims:
    """The description of these applications, which waits for the restore."""
    where = Source("Pulumi.home.yaml", 1)
    claims = {(SPACE, name): VolumeClaim(SPACE, name, SPACE, "longhorn", Quantity("5Gi"), where) for name in names}
    return DescribedClaims(claims, frozenset({ObjectRef("", "ConfigMap", HOME, RESTORED), ObjectRef("", "Namespace", "", SPACE)}))


def new_cluster(old: Cluster) -> Cluster:
    """Another one, whose target holds what the old one's held; nothing has started yet."""
    new = Cluster()
    new.kept = dict(old.kept)
    for one in old.api.list(BACKUPS):
        new.api.put(BACKUPS, one)
    waiting = {"metadata": {"name": RESTORED, "namespace": HOME}, "data": {"restored": "false"}}
    new.api.put(CONFIG_MAPS, waiting)

    def opened(call: str) -> None:
        if call == "merge configmaps":
            new.api.after = lambda _: None
            for name in ("web", "wiki"):
                new.application(name)

    new.api.after = opened
    return new


def test_a_new_cluster_gets_all_claims_back_before_anything_starts() -> None:
    old = written()
    old.application("wiki")
    old.write("wiki", "pages")
    old.back_up("wiki")
    new = new_cluster(old)
    said: list[str] = []
    ended = run(new, everything(new.api, described("web", "wiki", "never")), said)  # type: ignore[arg-type]
    assert all(one.well for one in ended), [one.standing for one in ended if not one.well]
    assert any("may start; in no backup, and so empty: web-prod/never" in line for line in said)
    assert (new.read("web"), new.read("wiki")) == ("monday", "pages")
    assert new.is_well


def test_a_claim_that_has_a_volume_already_is_left_alone(cluster: Cluster) -> None:
    """Run on the old cluster by mistake, it restores nothing."""
    cluster.api.written.clear()
    only = described("web")._replace(objects=frozenset())
    with pytest.raises(Refused, match="nothing is to be restored"):
        run(cluster, everything(cluster.api, only))  # type: ignore[arg-type]
    assert cluster.read("web") == "tuesday"
    assert not cluster.api.written


def test_the_list_says_what_has_a_backup_and_what_has_none(cluster: Cluster) -> None:
    cluster.application("wiki")
    rows = {row.claim: row for row in listed(cluster.api)}  # type: ignore[arg-type]
    assert (rows["web"].backup, rows["web"].lacks) == ("backup-1", False)
    assert (rows["wiki"].made, rows["wiki"].lacks) == (None, True)
    cluster.api.put(BACKUPS, _of_another("vault", "data"))
    gone = [row for row in listed(cluster.api) if row.gone]  # type: ignore[arg-type]
    assert [(row.namespace, row.claim) for row in gone] == [("vault", "data")]


def _of_another(namespace: str, claim: str) -> dict[str, Any]:
    labels = {"KubernetesStatus": f'{{"namespace": "{namespace}", "pvcName": "{claim}"}}'}
    status = {"state": "Completed", "url": "s3://b@r/?backup=x&volume=y", "volumeName": "y", "volumeSize": "1", "labels": labels}
    return {"metadata": {"name": "x", "namespace": HOME}, "status": status}


def test_a_backup_that_is_not_whole_is_none(cluster: Cluster) -> None:
    """One that failed, or is being made, has a name and perhaps a URL, and no data to rely on."""
    newer = cluster.back_up("web")
    made = cluster.api.get(BACKUPS, newer, HOME)
    assert made
    cluster.api.put(BACKUPS, {**made, "status": {**made["status"], "state": "Error"}})
    assert {row.claim: row.backup for row in listed(cluster.api)} == {"web": "backup-1"}  # type: ignore[arg-type]
    with pytest.raises(Refused, match=f"{newer} is no backup"):
        in_its_place(cluster, newer).begin()


def test_a_volume_that_somebody_lets_go_meanwhile_is_not_deleted_with_its_claim(cluster: Cluster) -> None:
    """Between the look and the act: the policy is asked once more right before."""
    before = cluster.volume_of("web")
    procedure = in_its_place(cluster)
    steps = procedure.steps(procedure.begin())
    change = next(one for one in steps if one.name.endswith("has the volume from the backup"))
    assert change.act
    change.act()
    assert cluster.data[before] == "tuesday"
    claim = cluster.api.get(CLAIMS, "web", SPACE)
    assert claim
    assert "deletionTimestamp" not in claim["metadata"]


def test_what_runs_again_is_not_stopped_a_second_time(cluster: Cluster) -> None:
    """Cut off after the claim has its volume, the same command goes on behind that."""
    procedure = in_its_place(cluster)
    notes = procedure.begin()
    assert all(one.well for one in run(cluster, procedure._replace(begin=lambda: notes)))
    cluster.api.written.clear()
    again = run(cluster, procedure._replace(begin=lambda: notes))
    assert all(one.well for one in again), [one.standing for one in again if not one.well]
    assert not [line for line in cluster.api.written if "leases" not in line]


def test_an_operator_s_own_object_is_asked_and_an_unknown_one_is_named(cluster: Cluster) -> None:
    """Prometheus' StatefulSet would be scaled back at once by its operator."""
    prometheus = Resource("apis/monitoring.coreos.com/v1", "prometheuses")
    cluster.api.put(prometheus, {"metadata": {"name": "k", "namespace": SPACE}, "spec": {"replicas": 1}})
    _owned(cluster, "Prometheus")
    assert [one.label for one in users_of(cluster.api, SPACE, "db-prometheus-0").workloads] == ["prometheuses/k"]  # type: ignore[arg-type]
    _owned(cluster, "Kafka")
    assert users_of(cluster.api, SPACE, "db-prometheus-0").others == (  # type: ignore[arg-type]
        "statefulsets/prometheus is run by Kafka k, whose object is not known here",
    )
    assert not users_of(cluster.api, SPACE, "db-prometheus-x").others  # type: ignore[arg-type]


def _owned(cluster: Cluster, kind: str) -> None:
    metadata = {"name": "prometheus", "namespace": SPACE, "ownerReferences": [{"kind": kind, "name": "k", "controller": True}]}
    spec = {"replicas": 1, "volumeClaimTemplates": [{"metadata": {"name": "db"}}], "template": {"spec": {}}}
    cluster.api.put(STATEFUL_SETS, {"metadata": metadata, "spec": spec})
