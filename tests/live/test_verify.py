"""What `./run verify` says of what it sees, and that it puts back its own things and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from fluxstead.live.lease import Lost, held, unfinished
from fluxstead.live.procedure import Step
from fluxstead.live.resources import CLAIMS, CLASSES, MACHINES, NAMESPACES, VOLUMES, Resource, Unanswered
from fluxstead.live.running import plan, run
from fluxstead.live.verify import storage, ways, whole
from fluxstead.live.verify.place import CORDONED, NAMESPACE, OURS, Cleaner, cordon
from fluxstead.systems.longhorn import verify as longhorn
from tests.live.memory import Hours, Json, MemoryApi
from tests.live.test_api import answering
from tests.live.test_procedure import Unfenced
from tests.live.world import condition

API = "apis/longhorn.io/v1beta2"
BACKUPS, KEPT = Resource(API, "backups"), Resource(API, "backupvolumes")
REPLICAS, LIVE = Resource(API, "replicas"), Resource(API, "volumes")
PODS = Resource("api/v1", "pods")
LONGHORN = "longhorn-system"


def put(api: MemoryApi, resource: Resource, name: str, namespace: str = "", **rest: Any) -> None:
    labels = rest.pop("labels", {})
    annotations = rest.pop("annotations", {})
    api.put(resource, {"metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}, **rest})


def names(api: MemoryApi, resource: Resource) -> list[str]:
    return sorted(one["metadata"]["name"] for one in api.list(resource))


def cluster() -> MemoryApi:
    """Two machines, and a class of Longhorn's with a claim of two copies."""
    api = MemoryApi()
    for machine in ("k3s1", "k3s2"):
        put(api, MACHINES, machine, spec={}, status={"conditions": [condition("Ready")]})
    put(api, CLASSES, "fast", provisioner=longhorn.PROVISIONER, allowVolumeExpansion=True)
    put(api, PODS, "longhorn-manager-1", LONGHORN, labels={"app": "longhorn-manager"})
    return api


def with_volume(api: MemoryApi, copies: int, wanted: int, robustness: str = "healthy") -> None:
    put(api, CLAIMS, "class-1", NAMESPACE, spec={"volumeName": "pvc-1"})
    put(api, VOLUMES, "pvc-1", spec={"csi": {"volumeHandle": "pvc-1"}})
    put(api, LIVE, "pvc-1", LONGHORN, spec={"numberOfReplicas": wanted}, status={"robustness": robustness})
    for number in range(copies):
        spec = {"healthyAt": "2026-01-01T00:00:00Z", "failedAt": ""}
        put(api, REPLICAS, f"pvc-1-r-{number}", LONGHORN, labels={"longhornvolume": "pvc-1"}, spec=spec)


def cleaner(api: MemoryApi, clock: Hours, say: Callable[[str], object] = lambda _: None) -> Cleaner:
    return Cleaner(api, (), say, clock)  # type: ignore[arg-type]


def steps(api: MemoryApi, *, deep: bool = True) -> list[Step]:
    tries = whole.Tries(["k3s1", "k3s2"], [longhorn], deep=deep)
    made = whole.procedure(api, "verify", tries, lambda _: None)  # type: ignore[arg-type]
    return list(made.steps({}))


def named(api: MemoryApi, words: str) -> Step:
    return next(one for one in steps(api) if words in one.name)


def test_a_plan_of_everything_changes_nothing() -> None:
    api = cluster()
    said = list(plan(steps(api)))
    assert "1/18 it has a namespace of its own: would be done now: make namespace fluxstead-verify" in said
    assert not api.written
    assert len(steps(api, deep=False)) < len(steps(api))


def test_without_deep_nothing_is_interrupted() -> None:
    assert not [one.name for one in steps(cluster(), deep=False) if "cordon" in one.name or "copy" in one.name]


@pytest.mark.parametrize(
    ("copies", "wanted", "robustness", "state"),
    [(2, 2, "healthy", "due"), (1, 2, "degraded", "waits"), (1, 1, "healthy", "done"), (1, 2, "healthy", "waits")],
)
def test_the_last_copy_is_never_taken_away(copies: int, wanted: int, robustness: str, state: str) -> None:
    api = cluster()
    with_volume(api, copies, wanted, robustness)
    step = named(api, "a copy is lost")
    assert step.standing().state == state
    assert step.act
    step.act()
    assert len(names(api, REPLICAS)) >= 1


def test_one_copy_is_lost_once_however_often_it_is_tried() -> None:
    api = cluster()
    with_volume(api, 2, 2)
    step = named(api, "a copy is lost")
    assert step.act
    step.act()
    assert names(api, REPLICAS) == ["pvc-1-r-1"]
    assert step.standing().state == "waits"
    step.act()
    assert names(api, REPLICAS) == ["pvc-1-r-1"]
    spec = {"healthyAt": "2026-01-01T00:00:00Z", "failedAt": ""}
    put(api, REPLICAS, "pvc-1-r-9", LONGHORN, labels={"longhornvolume": "pvc-1"}, spec=spec)
    assert step.standing().says == "2 copies again"


def test_a_machine_that_it_cordoned_itself_still_counts_as_one_that_takes_pods() -> None:
    """Of two machines one is left, and the application has to come up there before it is said to have moved."""
    api = cluster()
    with_volume(api, 2, 2)
    pod: Json = {"spec": {"nodeName": "k3s1"}, "status": {"conditions": [condition("Ready")]}}
    put(api, Resource("apis/apps/v1", "deployments"), "class-1-moves", NAMESPACE)
    put(api, PODS, "class-1-moves-1", NAMESPACE, labels={"app": "class-1-moves"}, **pod)
    step = named(api, "its machine is cordoned")
    assert step.standing().says == "cordon k3s1, and delete the pod there"
    assert step.act
    step.act()
    assert step.standing().state == "waits"
    put(api, PODS, "class-1-moves-2", NAMESPACE, labels={"app": "class-1-moves"}, **{**pod, "spec": {"nodeName": "k3s2"}})
    assert step.standing().says == "from k3s1 to k3s2"
    release = named(api, "takes pods again")
    assert release.act
    release.act()
    assert not [one for one in api.list(MACHINES) if one["spec"].get("unschedulable")]


def test_only_its_own_backups_are_removed() -> None:
    api = cluster()
    put(api, BACKUPS, "fluxstead-verify-class-1", LONGHORN, labels={"fluxstead/verify": "true", "backup-volume": "pvc-1"})
    put(api, BACKUPS, "backup-of-the-wiki", LONGHORN, labels={"backup-volume": "pvc-wiki"})
    put(api, KEPT, "pvc-1-abc", LONGHORN, spec={"volumeName": "pvc-1"})
    put(api, KEPT, "pvc-wiki-def", LONGHORN, spec={"volumeName": "pvc-wiki"})
    put(api, CLASSES, "fluxstead-verify-class-1", labels={"fluxstead/verify": "true"})
    longhorn.put_back(api)  # type: ignore[arg-type]
    assert names(api, BACKUPS) == ["backup-of-the-wiki"]
    assert names(api, KEPT) == ["pvc-wiki-def"]
    assert names(api, CLASSES) == ["fast"]


def test_only_what_it_cordoned_is_let_go_and_kept_volumes_of_its_own_go_too() -> None:
    api, clock = cluster(), Hours()
    put(api, MACHINES, "k3s1", annotations={CORDONED: NAMESPACE}, spec={"unschedulable": True})
    put(api, MACHINES, "k3s2", spec={"unschedulable": True})
    put(api, NAMESPACES, NAMESPACE)
    for volume, space in (("ours", NAMESPACE), ("theirs", "wiki")):
        put(api, VOLUMES, volume, spec={"claimRef": {"namespace": space}, "persistentVolumeReclaimPolicy": "Retain"})

    def collected(resource: Resource, obj: Json) -> None:
        del obj
        if resource == NAMESPACES:
            policy = api.objects[f"{VOLUMES.base}/{VOLUMES.plural}", "", "ours"]["spec"]["persistentVolumeReclaimPolicy"]
            assert policy == "Delete"
            del api.objects[f"{VOLUMES.base}/{VOLUMES.plural}", "", "ours"]

    api.on_delete = collected
    with held(api, "verify", dict, lambda _: None, clock) as lease, cleaner(api, clock).left_as_it_was(lease):  # type: ignore[arg-type]
        pass
    assert unfinished(api).words == ""  # type: ignore[arg-type]
    cordoned = [one["metadata"]["name"] for one in api.list(MACHINES) if one["spec"].get("unschedulable")]
    assert cordoned == ["k3s2"]
    assert names(api, VOLUMES) == ["theirs"]
    assert names(api, NAMESPACES) == []


def test_what_cannot_be_cleaned_up_is_said_and_hides_no_other_error() -> None:
    api, said = cluster(), list[str]()

    def silent(_: str) -> None:
        raise Unanswered("the API gives no answer")

    def broken() -> None:
        with (
            held(api, "verify", dict, said.append, Hours()) as lease,  # type: ignore[arg-type]
            cleaner(api, Hours(), said.append).left_as_it_was(lease),
        ):
            api.before = lambda call: silent(call) if "leases" not in call else None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert "not all of it is cleaned up" in said[-1]
    api.before = lambda _: None
    assert unfinished(api).words == "verify"  # type: ignore[arg-type]


def test_what_is_cut_off_and_cleaned_up_is_in_nobodys_way() -> None:
    api = cluster()

    def interrupted() -> None:
        with (
            held(api, "verify", dict, lambda _: None, Hours()) as lease,  # type: ignore[arg-type]
            cleaner(api, Hours()).left_as_it_was(lease),
        ):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert unfinished(api).words == ""  # type: ignore[arg-type]


def test_where_somebody_else_has_taken_over_nothing_is_cleaned_up() -> None:
    """What is there is theirs by now."""
    api, said = cluster(), list[str]()
    put(api, NAMESPACES, NAMESPACE)

    class Taken:
        def check(self) -> None:
            if said:
                raise Lost("somebody else has taken over: me@there")

        def leave_begun(self) -> None:
            said.append("left begun")

    api.on_delete = lambda *_: said.append("deleted")
    theirs: Any = Taken()
    with cleaner(api, Hours(), said.append).left_as_it_was(theirs):
        put(api, NAMESPACES, NAMESPACE)
        put(api, MACHINES, "k3s1", annotations={CORDONED: NAMESPACE}, spec={"unschedulable": True})
    assert said == ["deleted", "left begun", said[-1]]
    assert "somebody else has taken over" in said[-1]
    assert names(api, NAMESPACES) == [NAMESPACE]


def test_a_machine_that_somebody_cordoned_stays_theirs() -> None:
    api: Any = cluster()
    put(api, MACHINES, "k3s1", spec={"unschedulable": True})
    cordon(api, "k3s1")
    assert CORDONED not in api.get(MACHINES, "k3s1")["metadata"]["annotations"]


def test_a_class_that_a_killed_run_has_left_is_not_tried() -> None:
    api: Any = cluster()
    put(api, CLASSES, "fluxstead-verify-class-1", labels=OURS, provisioner=longhorn.PROVISIONER)
    assert [one.name for one in storage.classes(api)] == ["fast"]


def test_a_plan_of_what_was_never_begun_finds_nothing_done() -> None:
    api = cluster()
    assert {named(api, words).standing().state for words in ("every two", "address", "DNS")} == {"due"}
    assert named(api, "backed up").standing().state == "waits"


def test_what_askers_say_is_told_with_both_ends() -> None:
    api = cluster()
    words = "peer k3s2 0\npeer k3s1 4096\nname servers.fluxstead-verify.svc 0\n"
    ended = {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"message": words}}}]}
    put(api, PODS, "ask-0", NAMESPACE, labels={"app": "verify-askers"}, spec={"nodeName": "k3s1"}, status=ended)
    peers = named(api, "every two machines").standing()
    assert peers.says.startswith("from k3s1 to the pod on k3s2: nothing came; from k3s1 to the pod on k3s1: only 4096 of 262144")
    assert named(api, "address").standing().state == "done"
    assert named(api, "DNS").standing().state == "fails"


def test_a_route_that_does_not_answer_is_named_and_a_page_that_asks_who_it_is_answers(tmp_path: Path) -> None:
    with answering(401, "{}", tmp_path) as path:
        url = yaml.safe_load(Path(path).read_text())["clusters"][0]["cluster"]["server"]
        (step,) = ways.steps(ways.Ways([("wiki", url)]))
        assert step.standing().says == "with 401"
    assert step.standing().state == "waits"
    (one,) = run([step], Unfenced(), lambda _: None, Hours())
    assert "Connection refused" in one.standing.says
    with answering(404, "{}", tmp_path) as path:
        url = yaml.safe_load(Path(path).read_text())["clusters"][0]["cluster"]["server"]
        assert ways.steps(ways.Ways([("wiki", url)]))[0].standing().says == "it answers with 404"
