"""What the hosts answered, as troubles beside those of the cluster: a disk that is not mounted explains what storage says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fluxstead.hosts.answer import Answer
from fluxstead.hosts.report import NEW_INITIATOR, problems, same_initiator
from fluxstead.live.trouble import LiveTrouble, Subject, reach_of
from fluxstead.nodes.model import Node

_PAGE = "docs/tasks/prepare-hosts.md"


def host_troubles(nodes: Sequence[Node], answers: Mapping[str, Answer]) -> Iterator[LiveTrouble]:
    """Each thing that is wrong with a host; of one that cannot be reached it is not known whether anything is."""
    for node in nodes:
        answer = answers[node.name]
        for one in problems(node, answer):
            place = {"type, on the host": f"on {node.name}: ", "write": f"in nodes/{node.name}.yaml: "}.get(one.how, "")
            do = f"{place}{one.do}"
            if one.disk:
                name = f"{one.disk} of {node.name}"
                yield LiveTrouble(
                    Subject("disk", name),
                    f"on its host: {one.says}",
                    "its copies are in danger, or not where they are thought to be",
                    do,
                    _PAGE,
                    also=(Subject("host's disk", name), Subject("disks of", node.name)),
                )
            else:
                yield LiveTrouble(
                    Subject("host", node.name),
                    one.says,
                    "nothing is known of it" if answer.status == "failed" else "what runs there is less safe than it looks",
                    do,
                    _PAGE,
                    gravity="warning" if one.says == answer.restart else "error",
                    also=(reach_of(node.name),) if answer.status == "failed" else (),
                )
    for initiator, names in same_initiator(answers):
        yield LiveTrouble(
            Subject("hosts", " and ".join(names)),
            f"have one iSCSI initiator name, {initiator}, as copies of one installation do",
            "a target tells initiators apart by this name alone",
            f"on all but one: {NEW_INITIATOR}",
            _PAGE,
        )


def counted_hosts(answers: Mapping[str, Answer]) -> str:
    """How many answer."""
    return f"hosts {sum(answer.status != 'failed' for answer in answers.values())} of {len(answers)} answer"
