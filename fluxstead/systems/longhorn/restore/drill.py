"""`./run verify --restore`: the newest backup of every claim is restored, opened, read to the end, compared and removed.

What the claim holds now is what its kubelet counts (kubernetes: pkg/kubelet/apis/stats/v1alpha1, VolumeStats: by statfs, as the pod
here does it); of a claim that no pod has, nothing is known. Files may belong to anybody, so the pod that reads them is root's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.shape import at, entries_of, mapping, named
from fluxstead.live.making import make
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, fails, waits
from fluxstead.live.resources import CLAIMS, MACHINES, VOLUMES, Refused
from fluxstead.live.verify.place import GOES_TOO, NAMESPACE, OURS, READY
from fluxstead.live.verify.pods import last_words, pod, run_once, spec_of
from fluxstead.systems.longhorn.resources import LIVE
from fluxstead.systems.longhorn.restore.claim import bound, make_claim, new_name
from fluxstead.systems.longhorn.restore.store import StoredBackup, backups_of
from fluxstead.systems.longhorn.restore.volume import given_back, volume_steps
from fluxstead.systems.longhorn.restore.wish import Wish, wish_for

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_GIB = 2**30
_HALF = 2


class _Counted(NamedTuple):
    """Of a filesystem: inodes and bytes in use."""

    inodes: int
    used: int

    def __str__(self) -> str:
        return f"{self.inodes} files and {self.used / _GIB:.2f}Gi"


def drill(api: LiveApi) -> Sequence[Step]:
    """The steps for every claim that has a backup. Raises Unanswered."""
    newest: dict[tuple[str, str], StoredBackup] = {}
    for one in backups_of(api):
        newest.setdefault(one.claim, one)
    claims = {named(one): one for one in api.pages(CLAIMS)}
    return [
        step
        for number, (key, claim) in enumerate(sorted(claims.items()), 1)
        if tuple(key) in newest
        for step in _steps(api, newest[key.namespace, key.name], claim, number)
    ]


def _steps(api: LiveApi, kept: StoredBackup, claim: Mapping[str, Any], number: int) -> Iterator[Step]:
    label = f"{named(claim).namespace}/{named(claim).name}"
    own = {**claim, "metadata": {"namespace": NAMESPACE, "name": f"restore-{number}"}}
    try:
        wish = wish_for(api, kept, own, new_name(named(claim).name))._replace(reclaim="Delete")
    except Refused as problem:
        yield Step(
            f"{label}: its backup is restored",
            "a backup that nobody restored is a hope",
            GOES_TOO,
            partial(done, f"not tried: {problem}"),
        )
        return
    read = f"{label}: every file of backup {kept.name} of {kept.at} is read"
    after = READY
    for step in (*volume_steps(api, wish, OURS), _claimed(api, wish), given_back(api, wish)):
        yield step._replace(name=f"{label}: {step.name}", after=(after,))
        after = f"{label}: {step.name}"
    if not wish.block:
        yield Step(
            read,
            "a backup that nobody restored is a hope",
            GOES_TOO,
            partial(_read, api, wish, claim),
            partial(_look, api, wish),
            patience=6 * 3600,
            after=(after,),
        )
    # Also where it could not be read: the next one may need the space.
    yield Step(
        f"{label}: what was restored is removed",
        "it takes as much space as the volume",
        GOES_TOO,
        partial(_removed, api, wish),
        partial(_remove, api, wish),
        after=(READY,),
    )


def _claimed(api: LiveApi, wish: Wish) -> Step:
    return Step(
        "a claim has it", "pods reach data through a claim", GOES_TOO, partial(bound, api, wish), partial(make_claim, api, wish, {})
    )


def _reader(wish: Wish) -> dict[str, Any]:
    spec = spec_of("count.sh", {}, claim=wish.claim)
    spec["securityContext"] = {"runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}}
    [container] = spec["containers"]
    container["securityContext"] = {"allowPrivilegeEscalation": False}
    for mount in container["volumeMounts"]:
        mount["readOnly"] = mount["name"] == "data"
    return pod(f"{wish.claim}-read", spec)


def _look(api: LiveApi, wish: Wish) -> None:
    make(api, PODS, _reader(wish))


def _read(api: LiveApi, wish: Wish, claim: Mapping[str, Any]) -> StepState:
    other = "./run backup, and --at with an older one; docs/tasks/backups.md"
    now = run_once(api, _reader(wish), "read it in a pod", other)
    if now.state != "done":
        return now
    restored = _counted(last_words(api.get(PODS, f"{wish.claim}-read", NAMESPACE) or {}))
    live = _now_in(api, *named(claim))
    if restored is None:
        return fails("the pod that read it did not say what it read", other)
    if live is None:
        return done(f"{restored}; no pod has the claim, so there is nothing to compare with")
    if restored.inodes * _HALF < live.inodes or restored.used * _HALF < live.used:
        return fails(f"it holds {restored}, and the claim {live} now: more than half is missing", other)
    return done(f"{restored}; the claim has {live} now")


def _counted(words: str) -> _Counted | None:
    inodes, _, used = words.strip().partition(" ")
    return _Counted(int(inodes), int(used)) if inodes.isdecimal() and used.isdecimal() else None


def _now_in(api: LiveApi, namespace: str, claim: str) -> _Counted | None:
    """As the kubelet of a machine with a pod that has it counts."""
    for machine in api.list(MACHINES):
        for one in entries_of(api.stats(named(machine).name), "pods"):
            for volume in entries_of(one, "volume"):
                of = mapping(volume, "pvcRef")
                inodes, used = volume.get("inodesUsed"), volume.get("usedBytes")
                if (
                    (of.get("namespace"), of.get("name")) == (namespace, claim)
                    and isinstance(inodes, int)
                    and isinstance(used, int)
                ):
                    return _Counted(inodes, used)
    return None


def _removed(api: LiveApi, wish: Wish) -> StepState:
    if api.get(CLAIMS, wish.claim, NAMESPACE) is not None or api.get(PODS, f"{wish.claim}-read", NAMESPACE) is not None:
        return due("delete the pod and the claim")
    if api.get(VOLUMES, wish.volume) is not None:
        return waits(f"volume {wish.volume} is still there")
    return due(f"delete volume {wish.volume}") if api.get(LIVE, wish.volume, wish.home) else done()


def _remove(api: LiveApi, wish: Wish) -> None:
    api.delete(PODS, f"{wish.claim}-read", NAMESPACE)
    api.delete(CLAIMS, wish.claim, NAMESPACE)
    if api.get(VOLUMES, wish.volume) is None:
        api.delete(LIVE, wish.volume, wish.home)


def put_back(api: LiveApi) -> None:
    """Volumes of a drill that have no PersistentVolume yet; all others go with the namespace."""
    selector = ",".join(f"{key}={value}" for key, value in OURS.items())
    for one in api.list(LIVE, labels=selector):
        if at(one, ("spec", "fromBackup")) and api.get(VOLUMES, named(one).name) is None:
            api.delete(LIVE, named(one).name, named(one).namespace)
