"""`./run backup restore CLAIM --in-place CLAIM`: the claim gets the backup's data, and the volume that it had is kept.

Everything is restored before anything that runs is stopped. The claim is deleted, which its name was typed twice for, and made
again as it was, with the volume that was restored: whoever made it, Flux, a chart or a StatefulSet, finds its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.conditions import is_ready
from fluxstead.live.left_alone import Applier, is_suspended, resume, still_at_work, suspend
from fluxstead.live.pods import PODS, trouble_of
from fluxstead.live.procedure import Procedure, Step, StepState, done, due, fails, waits
from fluxstead.live.resources import CLAIMS, VOLUMES
from fluxstead.live.using import ScaledWorkload, ask_for, asked_for, pods_with
from fluxstead.systems.longhorn.keeping import GROUP, JOB, NONE
from fluxstead.systems.longhorn.resources import LIVE
from fluxstead.systems.longhorn.restore.before import Before, begin
from fluxstead.systems.longhorn.restore.claim import bound, make_claim
from fluxstead.systems.longhorn.restore.volume import given_back, keep, volume_steps

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi


def in_place(api: LiveApi, namespace: str, claim: str, at_: str = "") -> Procedure:
    """The procedure. `at_`: which backup, by its name; the newest without it."""
    words = f"backup restore {namespace}/{claim} --in-place {claim}{f' --at {at_}' if at_ else ''}"
    return Procedure(words, partial(begin, api, namespace, claim, at_), partial(_steps, api))


def _steps(api: LiveApi, notes: Mapping[str, str]) -> Sequence[Step]:
    before = Before(notes)
    return (*volume_steps(api, before.wish), _kept(api, before), *_quiet(api, before), *_changed(api, before), *_again(api, before))


def _quiet(api: LiveApi, before: Before) -> Iterator[Step]:
    wish = before.wish
    names = ", ".join(one.label for one in before.appliers)
    yield Step(
        f"Flux leaves {wish.label} alone: {names or 'nobody applies it'}",
        "it would start again what is stopped here",
        "; ".join(f"flux resume {one.typed}" for one in before.suspended_here) or "none is needed",
        partial(_left_alone, api, before),
        partial(_leave_alone, api, before),
        patience=900,
    )
    running = ", ".join(f"{one.label} ({one.replicas})" for one in before.users)
    yield Step(
        f"nothing writes to {wish.label}: {running or 'nobody uses it'}",
        "a volume cannot be taken from under a program that runs",
        "; ".join(one.typed(one.replicas) for one in before.users) or "none is needed",
        partial(_stopped, api, before),
        partial(_stop, api, before),
        patience=900,
    )


def _taken_over(api: LiveApi, before: Before) -> bool:
    """Whether the claim has the restored volume by now, so that what was stopped for it may run again."""
    return bound(api, before.wish).state == "done"


def _left_alone(api: LiveApi, before: Before) -> StepState:
    if _taken_over(api, before):
        return done()
    awake = _awake(api, before)
    if awake:
        return due(f"suspend {', '.join(one.label for one in awake)}")
    busy = [said for one in before.appliers if (said := still_at_work(api, one))]
    return waits(busy[0]) if busy else done()


def _leave_alone(api: LiveApi, before: Before) -> None:
    for one in _awake(api, before):
        suspend(api, one)


def _awake(api: LiveApi, before: Before) -> list[Applier]:
    return [one for one in before.appliers if not is_suspended(api, one) and still_at_work(api, one)]


def _stopped(api: LiveApi, before: Before) -> StepState:
    wish = before.wish
    if _taken_over(api, before):
        return done()
    asked = _running(api, before)
    if asked:
        return due(f"scale {', '.join(one.label for one in asked)} to 0")
    pods = list(pods_with(api, wish.namespace, wish.claim))
    alone = [one.name for one in pods if one.alone]
    if alone:
        do = f"kubectl -n {wish.namespace} delete pod {' '.join(alone)}, or wait for its end; then the same command"
        return waits(f"pod {alone[0]} uses it, which nobody here may stop", do)
    if pods:
        return waits(f"{len(pods)} of its pods have not ended yet, {pods[0].name} first")
    state = _state_of_former(api, before)
    return done() if state in {"", "detached"} else waits(f"volume {before.volume} is still {state}")


def _state_of_former(api: LiveApi, before: Before) -> str:
    found = api.get(LIVE, before.handle, before.wish.home) if before.handle else None
    return str(at(found, ("status", "state")) or "")


def _stop(api: LiveApi, before: Before) -> None:
    for one in _running(api, before):
        ask_for(api, one, 0)


def _running(api: LiveApi, before: Before) -> list[ScaledWorkload]:
    return [one for one in before.users if asked_for(api, one)]


def _kept(api: LiveApi, before: Before) -> Step:
    """Before anything is stopped: what is stopped may take its claims along."""
    return Step(
        f"volume {before.volume}, which it has now, is kept whatever comes",
        "what was written since the backup is in it, and nowhere else",
        "none is needed",
        partial(_former_kept, api, before),
        partial(keep, api, before.volume),
    )


def _changed(api: LiveApi, before: Before) -> Iterator[Step]:
    wish = before.wish
    yield Step(
        f"claim {wish.label} has the volume from the backup",
        "a claim never changes its volume, so it is deleted and made again as it was",
        f"kubectl -n {wish.namespace} delete pvc {wish.claim}; then a claim of that name with volumeName: {before.volume},"
        f' and: kubectl patch pv {before.volume} --type=json -p \'[{{"op":"remove","path":"/spec/claimRef"}}]\'',
        partial(_claimed, api, before),
        partial(_claim_anew, api, before),
        patience=600,
    )


def _former_kept(api: LiveApi, before: Before) -> StepState:
    found = api.get(VOLUMES, before.volume)
    if found is None and _taken_over(api, before):
        return done("somebody has deleted it since")
    if found is None:
        return fails(
            f"volume {before.volume} is gone, and nobody here has deleted it", "./run doctor; kubectl get pv; nothing was changed"
        )
    policy = at(found, ("spec", "persistentVolumeReclaimPolicy"))
    return done() if policy == "Retain" else due(f"{policy} becomes Retain")


def _claimed(api: LiveApi, before: Before) -> StepState:
    wish = before.wish
    found = api.get(CLAIMS, wish.claim, wish.namespace)
    if found is None:
        return due(f"make claim {wish.label} again, with {wish.volume}")
    if mapping(found, "metadata").get("uid") == before.uid:
        if mapping(found, "metadata").get("deletionTimestamp"):
            return waits("the former claim is ending", f"kubectl -n {wish.namespace} describe pvc {wish.claim}")
        return due(f"delete claim {wish.label}")
    return bound(api, wish)


def _claim_anew(api: LiveApi, before: Before) -> None:
    wish = before.wish
    found = api.get(CLAIMS, wish.claim, wish.namespace)
    if found is None:
        make_claim(api, wish, before.metadata, before.more)
    elif mapping(found, "metadata").get("uid") == before.uid and _is_kept(api, before):
        api.delete(CLAIMS, wish.claim, wish.namespace, uid=before.uid)


def _is_kept(api: LiveApi, before: Before) -> bool:
    """Asked once more right before: with the claim goes a volume that is not kept."""
    found = api.get(VOLUMES, before.volume)
    return found is None or at(found, ("spec", "persistentVolumeReclaimPolicy")) == "Retain"


def _again(api: LiveApi, before: Before) -> Iterator[Step]:
    wish = before.wish
    yield given_back(api, wish)
    if before.handle:
        yield Step(
            f"volume {before.volume} is in no backup any more",
            "the next backup of it would be the newest of this claim, and hold what was left behind",
            f"kubectl -n {wish.home} label volumes.longhorn.io {before.handle} {GROUP}/{NONE}-",
            partial(_out_of_backups, api, before),
            partial(_take_out, api, before),
        )
    yield Step(
        f"{', '.join(one.label for one in before.users) or 'nobody'} runs again",
        "it was stopped for this",
        "none is needed",
        partial(_asked_again, api, before),
        partial(_ask_again, api, before),
    )
    yield Step(
        f"Flux goes on: {', '.join(one.label for one in before.suspended_here) or 'nothing was suspended'}",
        "it was suspended for this",
        "none is needed",
        partial(_goes_on, api, before),
        partial(_go_on, api, before),
    )
    yield Step(
        f"the pods of {wish.label} are ready",
        "an application that starts from the backup is the test of it",
        f"the volume from before is kept: ./run backup restore {wish.label} --in-place {wish.claim} --at another backup",
        partial(_ready, api, before),
        patience=900,
    )


def _out_of_backups(api: LiveApi, before: Before) -> StepState:
    found = api.get(LIVE, before.handle, before.wish.home)
    if found is None:
        return done()
    jobs = _jobs_of(found)
    return done() if jobs == {f"{GROUP}/{NONE}"} else due(f"take it out of {', '.join(sorted(jobs)) or 'what every volume has'}")


def _jobs_of(volume: Mapping[str, Any]) -> set[str]:
    labels = mapping(mapping(volume, "metadata"), "labels")
    return {str(one) for one in labels if str(one).startswith((f"{JOB}/", f"{GROUP}/"))}


def _take_out(api: LiveApi, before: Before) -> None:
    found = api.get(LIVE, before.handle, before.wish.home) or {}
    labels = {**dict.fromkeys(_jobs_of(found)), f"{GROUP}/{NONE}": "enabled"}
    api.merge(LIVE, before.handle, {"metadata": {"labels": labels}}, before.wish.home)


def _asked_again(api: LiveApi, before: Before) -> StepState:
    idle = _idle(api, before)
    return due(f"scale {', '.join(f'{one.label} to {one.replicas}' for one in idle)}") if idle else done()


def _ask_again(api: LiveApi, before: Before) -> None:
    for one in _idle(api, before):
        ask_for(api, one, one.replicas)


def _idle(api: LiveApi, before: Before) -> list[ScaledWorkload]:
    return [one for one in before.users if one.replicas and asked_for(api, one) == 0]


def _goes_on(api: LiveApi, before: Before) -> StepState:
    asleep = _asleep(api, before)
    return due(f"resume {', '.join(one.label for one in asleep)}") if asleep else done()


def _go_on(api: LiveApi, before: Before) -> None:
    for one in _asleep(api, before):
        resume(api, one)


def _asleep(api: LiveApi, before: Before) -> list[Applier]:
    return [one for one in before.suspended_here if is_suspended(api, one)]


def _ready(api: LiveApi, before: Before) -> StepState:
    wish = before.wish
    if not any(one.replicas for one in before.users):
        return done(f"nobody used it before; {_former(before)}")
    pods = [api.get(PODS, one.name, wish.namespace) or {} for one in pods_with(api, wish.namespace, wish.claim)]
    if any(is_ready(pod) for pod in pods):
        return done(_former(before))
    said = [line for pod in pods for line in trouble_of(pod)]
    names = [named(pod).name for pod in pods]
    why = said[0] if said else f"{names[0]} is not ready" if names else "there is none yet"
    return waits(why, f"./run doctor, then the same command; {_former(before)}")


def _former(before: Before) -> str:
    live = f"; kubectl -n {before.wish.home} delete volumes.longhorn.io {before.handle}" if before.handle else ""
    return f"the volume from before is {before.volume}; when nobody misses it: kubectl delete pv {before.volume}{live}"
