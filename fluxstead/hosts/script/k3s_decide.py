"""The rules for k3s: what happens to it on this host, as a pure function of what is told and what is found.

This is the only place that decides that something is begun. It is asked again before every task, with the host read anew.
What runs and was not begun by this script, or has been of use since, gets no task.
"""

from __future__ import annotations

from typing import Iterator, List, Tuple

from fluxstead.hosts.script.k3s_differs import contradictions, differences
from fluxstead.hosts.script.k3s_files import BIRTH, K3S, K3S_HOME, K3S_RECORD, K3S_SENT, K3S_UNIT_FOLDER, birth_of
from fluxstead.hosts.script.k3s_model import ACTS_OWN, LOADED, Begun, Foreign, FoundK3s, K3sVerdict, ToldK3s
from fluxstead.hosts.script.k3s_settings import same_setting
from fluxstead.hosts.script.model import MARK

IN_ORDER = ("binary", "links", "images", "token", "configuration", "registries", "unit", "start")
SECRET = ("token", "agent-token", "datastore-endpoint")
"""Keys whose values are shown to nobody."""
DECIDING = (*ACTS_OWN, "datastore-endpoint", "disable-apiserver", "disable-etcd", "disable-agent")
"""Keys that make a k3s begin otherwise than it is told to, whoever sets them."""


def decide_k3s(told: ToldK3s, node: str, found: FoundK3s) -> K3sVerdict:
    """What happens to k3s on this host, to be this node."""
    state = "running" if found.running else "stopped" if found.units or found.data else "absent"
    if found.running and not (found.begun and _by_us(found)):
        return K3sVerdict(state, (), tuple(differences(told, found)), tuple(contradictions(told, node, found)))
    if not found.begun:
        return _to_begin(state, told, node, found)
    refused = list(contradictions(told, node, found))
    if member(found):
        tasks = ("ready",) if found.running else ("start", "ready")
        told_of = tuple(differences(told, found)) if found.running else ()
        return K3sVerdict(state, () if refused else tasks, told_of, tuple(refused))
    refused += [*_otherwise_begun(told, found.begun, found), *_whatever_begins(told, node, found)]
    return K3sVerdict(state, () if refused else _to_do(found), (), tuple(refused))


def _by_us(found: FoundK3s) -> bool:
    """What runs is what this script begins, and not one that somebody started after it, or by hand."""
    return all(unit.ours for unit in found.units if unit.active in LOADED) and any(unit.active in LOADED for unit in found.units)


def member(found: FoundK3s) -> bool:
    """It has become a node of a cluster: nothing of it is written any more."""
    return found.answers or found.used


def _to_do(found: FoundK3s) -> Tuple[str, ...]:
    return (*(task for task in IN_ORDER if task in found.due), "ready")


def _to_begin(state: str, told: ToldK3s, node: str, found: FoundK3s) -> K3sVerdict:
    refused = list(_somebody_elses(found)) if state == "stopped" else []
    if not refused:
        refused = [*_whatever_begins(told, node, found), *_files_of_others(told, found)]
    return K3sVerdict(state, () if refused else _to_do(found), (), tuple(refused))


def _somebody_elses(found: FoundK3s) -> Iterator[str]:
    """k3s that does not run, and that nothing says this script is in the middle of beginning."""
    for unit in found.units:
        if unit.active == "masked":
            yield f"{unit.name} is masked: somebody wants no k3s here; where it may be, type: sudo systemctl unmask {unit.name}"
            continue
        whose = "" if unit.ours else ", which this script did not write,"
        yield (
            f"k3s is here and does not run ({unit.file or unit.name}{whose} is {unit.active}); nothing was done: who stopped it "
            f"knows why; to go on with it: sudo systemctl start {unit.name}; what it said: sudo journalctl -u {unit.name} -n 50"
        )
    if not found.units:
        lies = ", ".join(f"{K3S_HOME}/{path}" for path in found.data)
        yield (
            f"a k3s left its data here ({lies}), and no unit starts it: data are never removed or taken over by themselves; "
            f"where nobody needs them any more, type: sudo mv {K3S_HOME} {K3S_HOME}.old"
        )


def _otherwise_begun(told: ToldK3s, begun: Begun, found: FoundK3s) -> Iterator[str]:
    """What was decided when this script began k3s here, and is told otherwise now."""
    unit = "k3s.service" if begun.role == "server" else "k3s-agent.service"
    away = f"sudo mv {K3S_HOME} {K3S_HOME}.old; sudo rm -f {K3S_UNIT_FOLDER}/{unit} {K3S_RECORD}; sudo systemctl daemon-reload"
    again = f"this node was never seen Ready; where nothing is to be kept of it, type: sudo systemctl disable --now {unit}; {away}"
    if begun.role != told.role:
        yield f"k3s was begun here as {begun.role}, described is {told.role}; {again}"
        return
    if told.begin not in ("look", begun.begin) and "server/db" in found.data:
        words = {"first": "a cluster of its own", "join": "a server that joins"}
        yield f"k3s was begun here as {words.get(begun.begin, begun.begin)}, and is to be {words[told.begin]} now; {again}"
    birth = birth_of(told)
    for key in BIRTH if "server/db" in found.data and begun.begin == "first" else ():
        if birth.get(key) != begun.birth.get(key):
            now, then = birth.get(key, "not set"), begun.birth.get(key, "not set")
            yield f"k3s was begun here with {key} {then}, and it is {now} now: a cluster keeps what it was born with; {again}"
    if "server/db" in found.data and found.token == "other":  # noqa: S105 -- a state
        yield f"k3s was begun here with another token, by which its data are encrypted; put the old one back, or: {again}"


def _whatever_begins(told: ToldK3s, node: str, found: FoundK3s) -> Iterator[str]:
    """What keeps k3s from beginning, be it for the first time or again."""
    yield from found.problems
    if not told.digest:
        yield (
            f"no SHA-256 of k3s {told.version} is described for this machine's architecture; type: ./run upgrade kubernetes --lock"
        )
    elif told.token and not told.url and told.digest not in (found.digest, found.sent):
        what = f"another file than described lies there (SHA-256 {found.sent})" if found.sent else "it was not sent"
        yield f"the binary of k3s {told.version} is to come from the operator's machine, to {K3S_SENT}, and {what}"
    elif found.digest == told.digest and found.version and found.version != told.version:
        yield (
            f"the binary with the described SHA-256 says that it is {found.version}, described is {told.version}; "
            "type: ./run upgrade kubernetes --lock"
        )
    if found.will_be != node:
        yield (
            f"k3s would register this host as {found.will_be}, described is {node}: prepare the host first, which writes its "
            "node-name"
        )
    for unit in found.units:
        if not unit.ours:
            yield (
                f"{unit.file or unit.name} is somebody else's; type: sudo systemctl disable --now {unit.name}, and move the "
                "file away"
            )
        elif unit.role and unit.role != told.role:
            yield (
                f"{unit.file} starts k3s as {unit.role}, described is {told.role}; type: sudo systemctl disable --now "
                f"{unit.name}; sudo rm {unit.file}"
            )
    yield from _contrary_lines(told, found)


def _contrary_lines(told: ToldK3s, found: FoundK3s) -> Iterator[str]:
    for told_there in found.environment:
        yield f"{told_there}, which k3s would take for its own; take it out, or move the file away"
    for path in found.unreadable:
        yield (
            f"{path} is not as simple as this script reads (a key and its value, or a plain list): move it away, or describe "
            "it in config"
        )
    for line in found.foreign:
        if line.key in told.config:
            right = line.adds or same_setting(told.config[line.key], line.value)
        elif line.key == "node-name":
            right = line.value == (found.will_be,)
        else:
            right = line.key not in DECIDING
        if not right:
            yield _contrary(line)


def _contrary(line: Foreign) -> str:
    value = "…" if line.key in SECRET else "more than a line" if line.value is None else ", ".join(line.value)
    value = value if value.isprintable() else "more than text"
    return (
        f"{line.path}:{line.number} sets {line.key}: {value}, which is not what is described, and it would decide how k3s begins; "
        "take the line out, or describe the same"
    )


def _files_of_others(told: ToldK3s, found: FoundK3s) -> List[str]:
    """Files in our places that this script did not write."""
    reasons = []
    if found.digest not in ("", told.digest) and "binary" in found.due:
        reasons.append(
            f"{K3S} is {found.version or 'no k3s that says its version'}, not the described binary, and nothing says whose it is; "
            f"type: sudo mv {K3S} {K3S}.old"
        )
    whose = f"is somebody's (it does not begin with `{MARK}`), and not as described; describe the same, or move it away"
    return [*reasons, *(f"{path} {whose}" for path in found.taken)]
