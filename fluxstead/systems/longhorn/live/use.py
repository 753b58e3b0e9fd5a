"""Volumes that are there, and cannot be written, enlarged, or go on as they do.

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/volume.go: conditions and reasons; controller/volume_controller.go:
requestRemountIfFileSystemReadOnly, reconcileVolumeSize, reconcileTooManySnapshotsCondition; controller/engine_controller.go, which
sets lastExpansionError. longhorn/longhorn-instance-manager: FilesystemReadOnly, of the mount on the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fluxstead.live.conditions import UNSAID
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import Gravity, LiveTrouble, Subject
from fluxstead.systems.longhorn.live.node import NODE, below, room_on
from fluxstead.systems.longhorn.live.volume import ENGINE, MEANT_READ_ONLY, VOLUME, LiveVolume, engines_of, volume_subject


class _Said(NamedTuple):
    """What a condition that is True says of a volume. `reason`: where only one of its reasons is a trouble."""

    says: str
    means: str
    do: str
    reason: str = ""
    gravity: Gravity = "error"


_SAID: Mapping[str, _Said] = {
    "TooManySnapshots": _Said(
        "has too many snapshots",
        "each slows it down, and at its limit, 250 at most, neither a snapshot nor a backup is made any more",
        "a RecurringJob with the task snapshot-cleanup or snapshot-delete; kubectl get snapshots.longhorn.io -A",
        gravity="warning",
    ),
    "WaitForBackingImage": _Said(
        "waits for its backing image",
        "no copy of it is made before",
        "kubectl get backingimages.longhorn.io -A",
        reason="GetBackingImageFailed",
    ),
    "BackingImageIncompatible": _Said(
        "is smaller than its backing image",
        "it cannot be attached",
        "a volume as large as the image: kubectl get backingimages.longhorn.io -A",
    ),
}


def use(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each volume that does not do what it is for."""
    del expected
    engines, meant, machines = engines_of(facts), set(facts.of(MEANT_READ_ONLY)), below(facts)
    room = tuple(room_on(node.name) for node in facts.of(NODE))
    for one in facts.of(VOLUME):
        engine = engines.get(one.name)
        if engine and engine.read_only and one.state == "attached" and one.pv not in meant:
            yield _read_only(one, machines)
        if engine and engine.refusal and one.grows:
            yield _grows_not(one, (*machines, *room), engine.refusal)
        yield from _conditions(one)


def _read_only(one: LiveVolume, above: tuple[Subject, ...]) -> LiveTrouble:
    return LiveTrouble(
        Subject("filesystem of volume", one.name),
        f"is mounted read-only{one.what}, which nobody asked for",
        "what uses it cannot write",
        f"dmesg on its machine says why; then delete the pods that use it, and they mount it anew; kubectl -n {one.namespace} get "
        f"volumes.longhorn.io {one.name} -o wide",
        waits_for=(volume_subject(one.name), *above),
        also=one.of_claim,
    )


def _grows_not(one: LiveVolume, above: tuple[Subject, ...], why: str) -> LiveTrouble:
    return LiveTrouble(
        Subject("size of volume", one.name),
        f"is not what its claim asks for{one.what}: {why}",
        "its filesystem fills up as if nobody had asked for more",
        f"kubectl -n {one.namespace} describe engines.longhorn.io -l longhornvolume={one.name}; room on the disks of its copies",
        waits_for=(volume_subject(one.name), *above),
    )


def _conditions(one: LiveVolume) -> Iterator[LiveTrouble]:
    for kind, of in _SAID.items():
        status, reason, says = one.conditions.get(kind, UNSAID)
        if status == "True" and of.reason in {"", reason}:
            yield LiveTrouble(
                volume_subject(one.name),
                f"{of.says}{one.what}: {says or reason}",
                of.means,
                of.do,
                gravity=of.gravity,
            )


RULES = (LiveRule(use, (VOLUME, ENGINE, NODE, MEANT_READ_ONLY)),)
