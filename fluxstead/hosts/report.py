"""A host's answer as a person reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from fluxstead.hosts.answer import Answer, DiskAnswer, K3sAnswer
from fluxstead.nodes.model import Node


class HostProblem(NamedTuple):
    """One thing that is wrong with a host. `do`: what to do; `how`: to type it, here or on the host, or to write it.

    `disk`: which disk it is about, if it is about one.
    """

    says: str
    do: str
    disk: str = ""
    how: str = "type"


_HAPPENS = {
    "nothing": "nothing",
    "mend": "mended, no data touched",
    "adopt": "adopted, no data touched",
    "prepare": "partitioned and formatted",
    "resume": "preparation taken up again",
    "wipe": "WIPED, partitioned and formatted",
    "refuse": "refused",
}


def plan(node: Node, answer: Answer) -> str:
    """One host's plan: a table of its disks, the rest of the host, and what stands against it."""
    return "\n".join([f"{node.name} ({node.address}): {_headline(answer)}", *_disks(answer.disks), *_rest(answer)])


NEW_INITIATOR = "echo InitiatorName=$(sudo iscsi-iname) | sudo tee /etc/iscsi/initiatorname.iscsi; sudo systemctl restart iscsid"
"""What to type on all but one of the hosts that have one initiator name."""


def same_initiator(answers: Mapping[str, Answer]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The iSCSI initiator names that several hosts have, as copies of one installation do, and these hosts.

    A target tells initiators apart by this name alone (RFC 7143 §4.2.7).
    """
    hosts: dict[str, list[str]] = {}
    for name, answer in answers.items():
        for item in answer.system:
            if item["item"] == "initiator name" and item["state"] == "fine":
                hosts.setdefault(item["why"], []).append(name)
    yield from ((initiator, tuple(names)) for initiator, names in hosts.items() if len(names) > 1)


_PREPARATION, _K3S = "command:remote:Command", "pulumi-python:dynamic/fluxstead:K3s"


def replace_hint(stack: str, names: Sequence[str], without_k3s: Collection[str] = ()) -> str:
    """How to make `up` run the script where the description did not change since the last time.

    `without_k3s`: those of them on which k3s is to be begun, too, as on a machine that was installed anew.
    """
    resources = [(kind, name) for kind, some in ((_PREPARATION, names), (_K3S, without_k3s)) for name in some]
    targets = " ".join(
        f"--target-replace 'urn:pulumi:{stack}::fluxstead::fluxstead:nodes:Node${kind}::{name}'" for kind, name in resources
    )
    return f"`pulumi up` does this. Where it says that nothing changed: pulumi up {targets}"


def _headline(answer: Answer) -> str:
    if answer.refused:
        return answer.status
    return "work to do" if answer.work else "as declared"


def _disks(disks: Sequence[DiskAnswer]) -> list[str]:
    rows = [("disk", "declared", "found", "what happens", "why")]
    rows += [(disk.name, disk.mount_path, disk.seen, _HAPPENS[disk.action], "; ".join(disk.why)) for disk in disks]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows]
    return lines if disks else []


def _k3s(k3s: K3sAnswer | None) -> Iterator[str]:
    if k3s is None:
        return
    runs = " ".join(filter(None, (k3s.running, k3s.role, k3s.datastore, f"as {k3s.node_name}" if k3s.node_name else "")))
    ready = "" if k3s.state != "running" else ", Ready" if k3s.ready else ", not Ready"
    yield f"  k3s: {k3s.state}{f' ({runs})' if runs else ''}{ready}"
    if k3s.begun:
        yield "  k3s: its beginning was interrupted, and is carried on with"
    if k3s.tasks:
        yield f"  k3s: what happens: {', '.join(k3s.tasks)}"
    yield from (f"  k3s: differs: {line}" for line in k3s.differs)


def _rest(answer: Answer) -> Iterator[str]:
    yield from _k3s(answer.k3s)
    for item in answer.system:
        if item["state"] != "fine":
            yield f"  {item['item']}: {item['why']}"
    for disk in answer.disks:
        yield from (f"  {disk.name}: note: {note}" for note in disk.notes)
    if answer.copies:
        kept = f"{answer.copies.count}, the newest of {answer.copies.newest}" if answer.copies.newest else "none yet"
        yield f"  copies of the cluster's state: {kept}"
        yield from (f"  copies of the cluster's state: {says}" for says, _ in answer.copies.wrong)
    if answer.restart:
        yield f"  a restart of k3s is due: {answer.restart}"
    for why in dict.fromkeys(answer.why):
        yield f"  {answer.status}: {why}"
    for disk in answer.disks:
        if disk.action == "refuse" and disk.write:
            yield f"  write, at disk {disk.name}: {disk.write}"


def problems(node: Node, answer: Answer) -> Iterator[HostProblem]:
    """What is wrong with one host now."""
    prepare = (
        "pulumi up"
        if not node.why_not_prepared
        else f"{node.why_not_prepared}: change that in nodes/{node.name}.yaml, then pulumi up"
    )
    look = f"./run hosts plan {node.name}" if answer.status != "failed" else f"what it says; then ./run doctor --hosts {node.name}"
    for why in answer.why:
        yield HostProblem(why, look)
    for disk in answer.disks:
        if disk.action not in {"nothing", "refuse"}:
            yield HostProblem("; ".join(disk.why), prepare, disk.name)
        if disk.found and disk.found.get("smart") == "failing":
            yield HostProblem("SMART says that it is failing", "evict: true at the disk, then replace it", disk.name, "write")
    for item in answer.system:
        if item["state"] != "fine":
            yield HostProblem(f"{item['item']}: {item['why']}", prepare)
    for full in answer.pressure:
        yield HostProblem(full, "sudo journalctl --vacuum-size=500M; sudo k3s crictl rmi --prune", how="type, on the host")
    if answer.restart:
        yield HostProblem(answer.restart, f"sudo {answer.restart.rpartition(': ')[2]}", how="type, on the host")
    for says, words in answer.copies.wrong if answer.copies else ():
        yield HostProblem(says, words, how="type, on the host")
