"""`./run disk leave NODE DISK`: what is on a disk goes elsewhere, and then Longhorn, Flux and the description forget the disk.

Copies are only ever moved: Longhorn makes the new one before it takes the old one away (longhorn-manager: controller/
replica_controller.go and volume_controller.go, EvictionRequested; of detached volumes volume_eviction_controller.go; of backing
images backing_image_controller.go, since 1.7), and the disk's key goes only once nothing is left on it. The webhook holds the same
(webhook/resources/node/validator.go): not while it takes copies, nor while any is promised to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from fluxstead.core.findings import counted
from fluxstead.core.shape import at, entries_of, mapping, named
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.leaving import DiskLeaves, refuse_at_once
from fluxstead.live.procedure import Procedure, Step, StepState, Stopped, done, due, fails, waits
from fluxstead.systems.longhorn.live.kinds import shown, whole
from fluxstead.systems.longhorn.live.node import NODE
from fluxstead.systems.longhorn.resources import ENGINES, LIVE
from fluxstead.systems.longhorn.room import copies_on, nowhere_to_go

_PAGE = "docs/tasks/take-a-disk-out.md"
_KNOWN, _COPIES, _PATH, _LACKED = "known", "copies", "path", "lacked"
"""Noted when it begins: that there was such a disk, how many copies it had, where it is mounted, and which volumes lacked some."""
_DAYS = 3 * 24 * 3600
_FLUX = "kustomize-controller"


def leave(of: DiskLeaves) -> Procedure:
    """The procedure for one disk."""
    return Procedure(of.words, partial(_begin, of), partial(_steps, of))


def _begin(of: DiskLeaves) -> Mapping[str, str]:
    node = _node(of)
    path = str(at(node, ("spec", "disks", of.disk, "path")) or "")
    known = of.described or not _forgotten(of, node)
    lacked = " ".join(sorted(_not_whole(of)))
    notes = {_KNOWN: "yes" if known else "", _COPIES: str(_number(of, node)), _PATH: path, _LACKED: lacked}
    refuse_at_once(_steps(of, notes))
    return notes


def _steps(of: DiskLeaves, notes: Mapping[str, str]) -> Sequence[Step]:
    disk = f"{of.disk} of {of.machine}"
    return (
        Step(
            f"what is on {disk} has somewhere to go",
            "what has nowhere to go would keep the disk for ever, half empty",
            "nothing has been done yet",
            partial(_can_leave, of, notes),
            patience=60,
        ),
        *of.emptied,
        Step(
            f"nothing is on {disk}",
            "a copy is only moved: Longhorn makes the next one before it takes this one away",
            f"no `evict` for {of.disk} in nodes/{of.machine}.yaml, and what is there by then stays",
            partial(_empty, of, notes),
            patience=_DAYS,
        ),
        Step(
            "no volume lacks a copy that it had",
            "the old ones are the way back as long as the new ones are not whole",
            "the same",
            partial(_whole, of, notes),
            patience=_DAYS,
        ),
        *of.removed,
        Step(
            f"Longhorn has forgotten {disk}",
            "what it knows and nobody describes, nobody looks after",
            "the disk described again: its copies are gone, and it takes new ones",
            partial(_is_forgotten, of, notes),
            partial(_take_out, of),
        ),
    )


def _node(of: DiskLeaves) -> Mapping[str, Any]:
    """Longhorn's Node of the machine; empty where there is none."""
    return next((one for one in of.api.list(NODE.resource) if named(one).name == of.machine), {})


def _declared(of: DiskLeaves, node: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(mapping(node, "spec"), "disks"), of.disk)


def _seen(of: DiskLeaves, node: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(mapping(node, "status"), "diskStatus"), of.disk)


def _forgotten(of: DiskLeaves, node: Mapping[str, Any]) -> bool:
    return not _declared(of, node) and not _seen(of, node)


def _number(of: DiskLeaves, node: Mapping[str, Any]) -> int:
    return sum(map(len, copies_on(of.api, node, of.disk).values()))


def _can_leave(of: DiskLeaves, notes: Mapping[str, str]) -> StepState:
    node = _node(of)
    if not node:
        return fails(f"Longhorn has no Node {of.machine}", "./run doctor")
    others = [name for name in mapping(mapping(node, "spec"), "disks") if name != of.disk]
    if _forgotten(of, node) and not notes.get(_KNOWN):
        return fails(f"{of.machine} has no disk {of.disk}", f"one of {', '.join(sorted(others))}")
    if _forgotten(of, node):
        return done("Longhorn does not know it")
    if not others:
        return fails(
            f"it is the last disk of {of.machine}: without one, the whole machine would leave Longhorn (F18)",
            f"another disk of {of.machine} first; or state: leaving in nodes/{of.machine}.yaml",
        )
    return _in_order(of, node) or _moves(of, node)


def _in_order(of: DiskLeaves, node: Mapping[str, Any]) -> StepState | None:
    """Why nothing would be moved from there."""
    if not _number(of, node):
        return done("nothing is on it")
    ready = conditions_of(mapping(node, "status")).get("Ready", UNSAID)
    if ready.status != "True":
        return fails(f"Longhorn's manager of {of.machine} is not at work: {ready.says or ready.reason}", "./run doctor")
    disk = conditions_of(_seen(of, node)).get("Ready", UNSAID)
    if disk.status == "False":
        return fails(
            f"it cannot be read ({disk.says or disk.reason}), so that nothing is moved from it", f"{_PAGE}, of a disk that is dead"
        )
    return None


def _moves(of: DiskLeaves, node: Mapping[str, Any]) -> StepState:
    found = list(nowhere_to_go(of.api, of.machine, of.disk))
    if not found:
        return done(f"{counted(_number(of, node), 'copy', 'copies')} can be placed elsewhere")
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return fails(f"volume {found[0].volume} has nowhere to go: {found[0].why}{more}", found[0].help)


def _empty(of: DiskLeaves, notes: Mapping[str, str]) -> StepState:
    node = _node(of)
    if node and _forgotten(of, node):
        return done()
    declared = _declared(of, node)
    if declared.get("evictionRequested") is not True or declared.get("allowScheduling") is True:
        return fails(
            "Longhorn is not asked to empty it, whatever the description says",
            f"evict: true for {of.disk} in nodes/{of.machine}.yaml, ./run render, a commit, git push; then the same command",
        )
    left, promised = copies_on(of.api, node, of.disk), whole(_seen(of, node).get("storageScheduled"))
    if not left:
        return waits(f"Longhorn still keeps {promised} bytes of it for volumes") if promised else done()
    busy = _progress(of)
    lines = [f"{what}{busy.get(what, '')}" for what in sorted(left, key=lambda one: (one not in busy, one))]
    number, began = sum(map(len, left.values())), notes.get(_COPIES) or "?"
    return waits(f"{number} of {began} are left: {shown(lines)}", f"./run doctor; {_PAGE}")


def _progress(of: DiskLeaves) -> Mapping[str, str]:
    """How far each volume is: how much of its next copy is there, or why there is no place for one."""
    found: dict[str, str] = {}
    for one in of.api.list(LIVE):
        placed = conditions_of(mapping(one, "status")).get("Scheduled", UNSAID)
        if placed.status == "False":
            found[f"volume {named(one).name}"] = f" (no place: {placed.says or placed.reason})"
    for engine in of.api.list(ENGINES):
        status = mapping(mapping(engine, "status"), "rebuildStatus")
        rebuilt = [mapping(status, name) for name in status if mapping(status, name).get("isRebuilding") is True]
        if rebuilt:
            found[f"volume {at(engine, ('spec', 'volumeName'))}"] = f" (its next copy: {whole(rebuilt[0].get('progress'))} %)"
    return found


def _whole(of: DiskLeaves, notes: Mapping[str, str]) -> StepState:
    """What lacked a copy before this began lacks it for another reason, and its copy from here is elsewhere by now."""
    node = _node(of)
    if node and _forgotten(of, node):
        return done()
    now, before = _not_whole(of), set(notes.get(_LACKED, "").split())
    lacking = [f"volume {name} is {now[name]}" for name in sorted(now.keys() - before)]
    if lacking:
        return waits(f"not yet: {shown(lacking)}", "./run doctor")
    return done(f"as before, {shown(sorted(now))} lacks one" if now else "")


def _not_whole(of: DiskLeaves) -> Mapping[str, str]:
    robust = {named(one).name: str(mapping(one, "status").get("robustness")) for one in of.api.list(LIVE)}
    return {name: how for name, how in robust.items() if how in {"degraded", "faulted"}}


def _is_forgotten(of: DiskLeaves, notes: Mapping[str, str]) -> StepState:
    node, path = _node(of), notes.get(_PATH)
    if not node:
        return waits(f"Longhorn has no Node {of.machine}", "./run doctor")
    if _forgotten(of, node):
        return done(
            f"on {of.machine}, {path} is still mounted and in /etc/fstab, and nothing on it was deleted: {_PAGE}" if path else ""
        )
    if not _declared(of, node):
        return waits(f"its manager on {of.machine} has not taken notice yet")
    if _owned_by_flux(of, node):
        return waits("Flux has not taken it out of Longhorn's Node", "./run render --check; ./run doctor")
    if _number(of, node) or _declared(of, node).get("allowScheduling") is True:
        return fails("it takes copies again, by whoever wrote that into Longhorn's Node", f"evictionRequested, as {_PAGE} says it")
    return due("take its key out of Longhorn's Node, where somebody else than Flux wrote it as well")


def _owned_by_flux(of: DiskLeaves, node: Mapping[str, Any]) -> bool:
    """What another manager wrote as well stays when Flux lets go (kubernetes: server-side apply, field management)."""
    return any(
        at(one, ("fieldsV1", "f:spec", "f:disks", f"f:{of.disk}")) is not None
        for one in entries_of(mapping(node, "metadata"), "managedFields")
        if one.get("manager") == _FLUX
    )


def _take_out(of: DiskLeaves) -> None:
    node = _node(of)
    if _number(of, node):
        raise Stopped("something is on it again", f"./run doctor; {_PAGE}")
    of.api.merge(NODE.resource, of.machine, {"spec": {"disks": {of.disk: None}}}, named(node).namespace)


DISKS: Mapping[str, Callable[[DiskLeaves], Procedure]] = {"leave": leave}
"""By the word after `./run disk`, with the names of a machine and of its disk."""
