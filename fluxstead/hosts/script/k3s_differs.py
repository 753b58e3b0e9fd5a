"""What runs compared with what is described: refused with what it would cost, or only said, with the procedure."""

from __future__ import annotations

import ipaddress
from typing import Any, Iterator, List, Optional, Tuple

from fluxstead.hosts.script.k3s_files import BIRTH, K3S, K3S_CLUSTER_FILE, K3S_HOME, K3S_REGISTRIES
from fluxstead.hosts.script.k3s_model import FoundK3s, ToldK3s
from fluxstead.hosts.script.k3s_settings import same_setting

CIDR_DEFAULTS = {"cluster-cidr": "10.42.0.0/16", "service-cidr": "10.43.0.0/16"}
"""k3s's own (docs.k3s.io: cli/server)."""
CIDR_WORDS = {"cluster-cidr": "podCidr", "service-cidr": "serviceCidr"}
"""In the description."""
ANEW = "describe what runs, or make the cluster anew (docs/tasks/destroy.md: it is lost then, and all that is kept in it)"


def contradictions(told: ToldK3s, node: str, found: FoundK3s) -> Iterator[str]:
    """What of the k3s that is here no configuration changes, and is described otherwise."""
    if found.node_name and found.node_name != node:
        yield (
            f"k3s knows this host as node {found.node_name}, described is {node}: under another name it is another machine to the "
            f"cluster, and the volumes of {found.node_name} are lost to it; name it {found.node_name} in the description, or "
            "take it "
            "out of the cluster first (drain, kubectl delete node) and take the machine back (docs/tasks/destroy.md)"
        )
    if found.role and found.role != told.role:
        yield (
            f"k3s is {_article(found.role)} here, described is {_article(told.role)}: write role: {found.role}, or take the "
            "machine "
            "out of the cluster and empty it "
            f"first{', which a cluster with this one server does not outlive' * (found.role == 'server')}"
        )
        return
    if told.role == "server" and found.datastore and found.datastore != told.datastore:
        yield from _datastores(told, found)
    yield from _cidrs(told, found)


def _article(role: str) -> str:
    return f"an {role}" if role == "agent" else f"a {role}"


def _datastores(told: ToldK3s, found: FoundK3s) -> Iterator[str]:
    change = (
        "sqlite becomes etcd by a restart with cluster-init, by hand and with a copy of "
        f"{K3S_HOME}/server taken first (docs.k3s.io: datastore/ha-embedded)"
        if (found.datastore, told.datastore) == ("sqlite", "etcd")
        else "there is no way between these"
    )
    # No description has such a one, and no machine may be told to begin beside it.
    write = "take binaries out of the description" if found.datastore == "external" else f"write datastore: {found.datastore}"
    yield f"the cluster is kept in {found.datastore}, described is {told.datastore}: {change}; {write}"


def _cidrs(told: ToldK3s, found: FoundK3s) -> Iterator[str]:
    for key, default in CIDR_DEFAULTS.items():
        wanted = told.config.get(key)
        if wanted is None:
            continue
        described = _networks(wanted)
        if key == "cluster-cidr" and found.pod_cidrs:
            # The node's own share shows what the cluster really has, whatever its files say by now.
            own = _networks(list(found.pod_cidrs)) or []
            outside = [str(one) for one in own if not any(_within(one, net) for net in described or [])]
            if outside:
                yield _another(key, f"one that holds {', '.join(outside)}", wanted)
            continue
        if told.role != "server" or not found.running or (key not in found.effective and found.unreadable):
            continue
        values = found.effective.get(key, (default,))
        if values is not None and _networks(list(values)) != described:
            yield _another(key, ", ".join(values), wanted)


def _another(key: str, now: str, wanted: Any) -> str:
    text = ", ".join(map(str, wanted)) if isinstance(wanted, list) else wanted
    return (
        f"the cluster's {key} is {now}, described is {CIDR_WORDS[key]}: {text}; every pod and Service has an address of it: {ANEW}"
    )


def _networks(value: Any) -> Optional[List[Any]]:
    pieces = [piece.strip() for one in (value if isinstance(value, list) else [value]) for piece in str(one).split(",")]
    try:
        return sorted((ipaddress.ip_network(piece, strict=False) for piece in pieces if piece), key=str)
    except ValueError:
        return None


def _within(one: Any, net: Any) -> bool:
    return bool(one.version == net.version and one.subnet_of(net))


def differences(told: ToldK3s, found: FoundK3s) -> Iterator[str]:
    """What a running k3s has otherwise than described; none of it is changed here."""
    running, wanted = found.running_version, told.version
    restart = f"sudo systemctl restart {_unit_that_runs(found)}"
    if not running:
        yield "the version that runs cannot be told"
    elif running != wanted:
        yield (
            f"k3s {running} runs, described is {wanted}: machines are brought there one at a time, servers first, without "
            "leaving out a "
            f"minor version, and never back; type, on this one: sudo k3s kubectl drain {found.node_name or 'NODE'} "
            f"--ignore-daemonsets --delete-emptydir-data; put the binary in the place of {K3S}; {restart}; sudo k3s kubectl "
            "uncordon "
            f"{found.node_name or 'NODE'}"
        )
    if running and found.version and found.version != running:
        yield f"{K3S} is {found.version} by now, and {running} still runs: {restart}"
    for path in found.unreadable:
        yield f"{path} is not as simple as this script reads: what it sets is not compared"
    for key, value in told.config.items():
        yield from _setting(key, value, found, restart)
    if told.registries and "registries" in found.due:
        yield f"{K3S_REGISTRIES} is not as described; put it right by hand, then: {restart}"


def _unit_that_runs(found: FoundK3s) -> str:
    return next((unit.name for unit in found.units if unit.active == "active"), "k3s.service").replace(".service", "")


def _setting(key: str, value: Any, found: FoundK3s, restart: str) -> Iterator[str]:
    if key in CIDR_DEFAULTS and (key not in found.effective or found.role != "server"):
        return
    if key not in found.effective and found.unreadable:
        return
    values: Optional[Tuple[str, ...]] = found.effective.get(key, ())
    if key in CIDR_DEFAULTS or same_setting(value, values):
        return
    if values is None:
        yield f"{key} cannot be told: its value is more than one line or a plain list; described is {_in_words(value)}"
    elif key in BIRTH:
        yield (
            f"{key} is {_in_words(list(values))} in effect, described is {_in_words(value)}: decided at a cluster's birth; "
            "describe what runs"
        )
    else:
        yield (
            f"{key} is {_in_words(list(values))} in effect, described is {_in_words(value)}: where nothing else sets it, write "
            "it into "
            f"{K3S_CLUSTER_FILE}, then: {restart}"
        )


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "not set"
    return str(value).lower() if isinstance(value, bool) else str(value)
