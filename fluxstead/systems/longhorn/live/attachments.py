"""Volumes that are to be attached, or let go, for longer than that takes.

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/volumeattachment.go: who asks for a volume, each by a ticket;
controller/volume_attachment_controller.go: `Satisfied`, and what it says; longhorn/longhorn#8339 and #10090: tickets that stay.
Kubernetes: staging/src/k8s.io/api/storage/v1/types.go, VolumeAttachment. A volume's own state says nothing of since when it is so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in
from fluxstead.systems.longhorn.live.kinds import changed_at
from fluxstead.systems.longhorn.live.node import manager_of, node_subject
from fluxstead.systems.longhorn.live.since import lasts
from fluxstead.systems.longhorn.live.volume import VOLUME, LiveVolume, volume_subject
from fluxstead.systems.longhorn.names import API, PROVISIONER

_BY_HAND, _BACKUP = "longhorn-api", "backup-controller"
_SATISFIED = "Satisfied"


class Ticket(NamedTuple):
    """Somebody who asks for a volume on a machine. `asker`: by which part of Longhorn. `since`: when it became what it is."""

    id: str
    asker: str
    machine: str
    satisfied: bool
    says: str
    since: str


class AskedFor(NamedTuple):
    """Longhorn's VolumeAttachment: all who ask for a volume."""

    namespace: str
    volume: str
    tickets: tuple[Ticket, ...]


class Leaving(NamedTuple):
    """Kubernetes' VolumeAttachment that is being deleted: a volume of Longhorn's that a machine is to let go."""

    name: str
    pv: str
    machine: str
    since: str
    says: str


def _asked(obj: Mapping[str, Any]) -> AskedFor | None:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    tickets, answers = mapping(spec, "attachmentTickets"), mapping(status, "attachmentTicketStatuses")
    read = tuple(_ticket(str(name), mapping(tickets, name), mapping(answers, name)) for name in tickets)
    if all(one.satisfied for one in read):
        return None
    return AskedFor(named(obj).namespace, str(spec.get("volume", "")), read)


def _ticket(name: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Ticket:
    return Ticket(
        name,
        str(asked.get("type", "")),
        str(asked.get("nodeID", "")),
        answer.get("satisfied") is True,
        conditions_of(answer).get(_SATISFIED, UNSAID).says,
        changed_at(answer, _SATISFIED),
    )


def _leaving(obj: Mapping[str, Any]) -> Leaving | None:
    metadata, spec = mapping(obj, "metadata"), mapping(obj, "spec")
    if spec.get("attacher") != PROVISIONER or not metadata.get("deletionTimestamp"):
        return None
    return Leaving(
        str(metadata.get("name", "")),
        str(at(spec, ("source", "persistentVolumeName")) or ""),
        str(spec.get("nodeName", "")),
        str(metadata["deletionTimestamp"]),
        " ".join(str(at(obj, ("status", "detachError", "message")) or "").split()),
    )


ASKED = Kind(Resource(API, "volumeattachments"), _asked)
LEAVING = Kind(Resource("apis/storage.k8s.io/v1", "volumeattachments", namespaced=False), _leaving)


def attachments(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each volume that somebody has been waiting for, or that a machine does not let go; of one volume, one of them."""
    del expected
    volumes = {one.name: one for one in facts.of(VOLUME)}
    by_pv = {one.pv: one for one in volumes.values() if one.pv}
    told = set()
    for one in facts.of(ASKED):
        waiting = next((ticket for ticket in one.tickets if not ticket.satisfied and lasts(facts, ticket.since)), None)
        if waiting:
            told.add(one.volume)
            yield _not_attached(one, waiting, volumes.get(one.volume))
    for leaving in facts.of(LEAVING):
        volume = by_pv.get(leaving.pv)
        name = volume.name if volume else leaving.pv
        if name not in told and lasts(facts, leaving.since):
            yield _not_let_go(leaving, name)


def _not_attached(asked: AskedFor, waiting: Ticket, volume: LiveVolume | None) -> LiveTrouble:
    holder = next((one for one in asked.tickets if one.satisfied and one.machine != waiting.machine), None)
    held = f"; {holder.machine} holds it, by the ticket {holder.id}" if holder else ""
    machines = [waiting.machine, *([holder.machine] if holder else ())]
    above = (subject for name in machines for subject in (subject_of(name), node_subject(name), manager_of(name)))
    return LiveTrouble(
        Subject("attachment of", asked.volume),
        f"does not come about on {waiting.machine}{volume.what if volume else ''}: {waiting.says or 'nothing says why'}{held}",
        "the pod that uses it does not start" if waiting.asker != _BACKUP else "the backup that needs it does not begin",
        _cure(asked, waiting, holder),
        waits_for=(volume_subject(asked.volume), *above, pods_in(asked.namespace)),
        also=volume.of_claim if volume and waiting.asker != _BACKUP else (),
    )


def _cure(asked: AskedFor, waiting: Ticket, holder: Ticket | None) -> str:
    kubectl, by = f"kubectl -n {asked.namespace}", (holder or waiting)
    if by.asker == _BACKUP:
        backup = by.id.removeprefix(f"{_BACKUP}-")
        return f"never its ticket; where it stays Pending, the backup: {kubectl} delete backups.longhorn.io {backup}"
    if by.asker == _BY_HAND:
        edit = f"{kubectl} edit volumeattachments.longhorn.io {asked.volume}"
        return f"detach it in Longhorn's UI; where nobody uses it there any more, remove that ticket: {edit}"
    if holder:
        return f"the pod on {holder.machine} that still uses it has to end: kubectl get pods -A -o wide | grep {holder.machine}"
    engines = f"{kubectl} describe engines.longhorn.io -l longhornvolume={asked.volume}"
    return f"{kubectl} describe volumes.longhorn.io {asked.volume}; {engines}"


def _not_let_go(one: Leaving, volume: str) -> LiveTrouble:
    return LiveTrouble(
        Subject("attachment of", volume),
        f"does not end on {one.machine}: {one.says or 'nothing says why'}",
        "no other machine may use the volume before",
        f"kubectl describe volumeattachments.storage.k8s.io {one.name}; pods on {one.machine} that still use it",
        waits_for=(volume_subject(volume), subject_of(one.machine), node_subject(one.machine), manager_of(one.machine)),
    )


RULES = (LiveRule(attachments, (ASKED, LEAVING, VOLUME)),)
