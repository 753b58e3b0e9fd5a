"""Waiting until the node is Ready, and what k3s says where it does not become so: in words, and without its secrets."""

from __future__ import annotations

import re
import time
from typing import List, Tuple

from fluxstead.hosts.script.k3s_model import ToldK3s
from fluxstead.hosts.script.k3s_read import k3s_units, node_now
from fluxstead.hosts.script.tools import StepError, answer

POLL_SECONDS = 2.0
LOOK_SECONDS_APART = 10.0
"""Between two looks into the journal."""
MOST_STARTS = 6
"""How often the unit may end and be started again: a server that joins ends a few times while another one joins."""
SHOWN_LINES = 5
CAUSES = {
    r"token CA hash does not match": (
        "the token is for another cluster, or somebody else answers at {server}: nothing was sent to whoever that is; compare, "
        "on the "
        "server: sudo cat /var/lib/rancher/k3s/server/node-token; it begins with what the k3s-token of ./run secrets has to "
        "begin with"
    ),
    r"CA cert validation failed|certificate signed by unknown authority": (
        "whoever answers at {server} shows a certificate of another authority; see that it is the server: ping, arp, and its "
        "certificate"
    ),
    r"not yet valid|certificate has expired": (
        "the clocks of this host and of the server disagree: a certificate is not valid at the time that it is here; "
        "type, on both: timedatectl; sudo timedatectl set-ntp true"
    ),
    r"Node password rejected|duplicate hostname": (
        "the cluster knows another machine by this name, or this one before it was installed anew; for this one, type, on a "
        "server: sudo k3s kubectl -n kube-system delete secret {node}.node-password.k3s; where that was another, gone for good, "
        "first: sudo k3s kubectl delete node {node}, with which Longhorn forgets the copies on its disks"
    ),
    r"encrypted with different token|bootstrap data already found": (
        "the cluster's data are encrypted by another token than the k3s-token of ./run secrets; put the one of the running "
        "servers in"
    ),
    r"401 Unauthorized|not authorized|token is not valid|invalid token|failed to normalize.*token": (
        "{server} does not take the token: it is another one, or the one that was made for this machine is older than two hours; "
        "run this again, which makes a new one"
    ),
    r"address already in use": "a port of k3s is taken; type: sudo ss -tlnp | grep -E ':(6443|6444|2379|2380|10250) '",
    r"no default routes? found|unable to select an IP": "this host has no default route; type: ip route",
    r"failed to find memory cgroup": (
        "the kernel accounts no memory by control group; see /boot/firmware/cmdline.txt: cgroup_memory=1 cgroup_enable=memory"
    ),
    r"no space left on device": "a filesystem is full; type: df -h / /var /var/lib/rancher",
    r"unknown flag|flag provided but not defined|failed to parse kubelet flag|unrecognized feature gate": (
        "an argument in the description is one that this version does not take; the lines below name it"
    ),
    r"cluster-cidr|service-cidr|dual-stack|must be from the same address family": (
        "the address ranges and the node's addresses do not fit together; look at podCidr, serviceCidr and the machine's address"
    ),
    r"critical configuration value mismatch|critical configuration mismatched": (
        "this server is told otherwise than the running ones what all servers must have alike; the lines below name it"
    ),
    r"duplicate node name found": (
        "etcd has a member of this name from before; type, on a server: sudo k3s kubectl delete node {node}, and run this again"
    ),
    r"connection refused|i/o timeout|no route to host|context deadline exceeded|network is unreachable": (
        "{server} does not answer from here; type, on this host: curl -vk {server}/ping; and see that its port is open, and its "
        "address right"
    ),
}
"""What k3s says (k3s: pkg/clientaccess, pkg/agent/config, pkg/cluster), and what to do; the first that fits."""


def until_ready(told: ToldK3s, node: str) -> None:
    """Returns when the node is Ready. Raises StepError with what k3s says when it is not so in time, or cannot become so."""
    began, since = time.monotonic(), int(time.time())
    restarts, looked, before = _restarts(told), began, ""
    while True:
        if is_ready(told, node):
            return
        now = time.monotonic()
        if now - began > told.seconds:
            raise StepError(_failed(told, node, since, f"the node is not Ready after {told.seconds} s, and goes on trying"))
        if now - looked > LOOK_SECONDS_APART:
            looked = now
            again = _restarts(told) - restarts
            cause = _lasting(told, node, since)
            if again >= MOST_STARTS:
                raise StepError(_failed(told, node, since, f"k3s ended {again} times, and is started again every 5 s"))
            if cause and cause == before:
                raise StepError(_failed(told, node, since, "the node does not become Ready"))
            before = cause
        time.sleep(POLL_SECONDS)


def is_ready(told: ToldK3s, node: str) -> bool:
    """Whether the API server says that this node is."""
    pid = next((unit.pid for unit in k3s_units() if unit.name == f"{told.unit}.service"), 0)
    conditions = node_now(node, told.role, pid).get("status", {}).get("conditions", [])
    return any((one.get("type"), one.get("status")) == ("Ready", "True") for one in conditions)


def _restarts(told: ToldK3s) -> int:
    said = answer(["systemctl", "show", "--property=NRestarts", "--value", f"{told.unit}.service"], looks=True)[1].strip()
    return int(said) if said.isdigit() else 0


def _journal(told: ToldK3s, since: int) -> List[str]:
    words = ["journalctl", "--unit", f"{told.unit}.service", "--lines=40", "--output=cat", "--no-pager"]
    lines = answer([*words, f"--since=@{since}"], looks=True)[1].splitlines() or answer(words, looks=True)[1].splitlines()
    return [masked(line, told.token) for line in lines if line.strip() and not line.startswith("-- ")]


def _lasting(told: ToldK3s, node: str, since: int) -> str:
    """A cause that no waiting mends."""
    pattern, words = _cause(_journal(told, since), told, node)
    return "" if pattern == next(reversed(list(CAUSES))) else words


def _cause(lines: List[str], told: ToldK3s, node: str) -> Tuple[str, str]:
    text = "\n".join(lines)
    found = next((pattern for pattern in CAUSES if re.search(pattern, text, re.IGNORECASE)), "")
    return found, CAUSES[found].format(server=told.server or "the server", node=node) if found else ""


def _failed(told: ToldK3s, node: str, since: int, what: str) -> str:
    lines = _journal(told, since)
    words = _cause(lines, told, node)[1]
    shown = " / ".join(_telling(lines)) or "nothing"
    more = f"all of it: sudo journalctl -u {told.unit} -n 100"
    return f"{what}: {words or 'what keeps it is not known'}. k3s says: {shown}; {more}"


def _telling(lines: List[str]) -> List[str]:
    """The last lines that say something, each once, as text."""
    loud = [line for line in lines if re.search(r"level=(error|fatal|warn)|\bE\d{4} |Waiting to|rror|failed|refused", line)]
    texts = []
    for line in loud or lines:
        found = re.search(r'msg="((?:[^"\\]|\\.)*)"', line)
        texts.append((found[1].replace('\\"', '"') if found else line).strip()[:300])
    return list(dict.fromkeys(reversed(texts)))[:SHOWN_LINES][::-1]


def masked(text: str, token: str) -> str:
    """A line without the token, any part of it that is secret, and whatever else looks like one."""
    parts = sorted({token, token.rpartition("::")[2], token.rpartition(":")[2], token.rpartition(".")[2]}, key=len, reverse=True)
    for part in parts:
        if len(part) >= 6:
            text = text.replace(part, "…")
    text = re.sub(r"K10[0-9a-f]{6,}(?:::\S*)?", "K10…::…", text)
    return re.sub(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b", "…", text)
