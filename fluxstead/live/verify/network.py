"""Pods on every two machines reach each other, also with large answers; Services are reached by address and by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping
from fluxstead.live.conditions import is_ready
from fluxstead.live.making import make
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, fails, waits
from fluxstead.live.resources import MACHINES, Resource
from fluxstead.live.verify.place import GOES_TOO, NAMESPACE, READY
from fluxstead.live.verify.pods import last_words, on, pod, spec_of, why_not

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

SERVICES = Resource("api/v1", "services")
_SERVERS = {"app": "verify-servers"}
_ASKERS = {"app": "verify-askers"}
_SERVERS_RUN, _PAIRS = "a pod runs on every machine", "every two machines reach each other"
_REACHED = (
    ("peer", _PAIRS, "an application and what it needs may be on any two"),
    (
        "address",
        "a Service is reached by its address from every machine",
        "that is how pods reach each other, and how requests reach them",
    ),
    ("name", "the cluster's DNS answers on every machine", "applications know each other by name"),
)
_ANYWHERE = [{"operator": "Exists"}]
_EVERY_READY = "every machine is ready"


def steps(api: LiveApi, described: Sequence[str]) -> tuple[Step, ...]:
    """All of it. `described`: the machines that the description says are there."""
    return (
        Step(
            _EVERY_READY,
            "what is not ready is not tried either",
            GOES_TOO,
            partial(_machines, api, described),
        ),
        Step(
            _SERVERS_RUN,
            "without it no pod of yours does",
            GOES_TOO,
            partial(_servers, api),
            partial(_serve, api),
            after=(READY,),
        ),
        *(
            Step(name, why, GOES_TOO, partial(_asked, api, how), partial(_ask, api), after=(_SERVERS_RUN,))
            for how, name, why in _REACHED
        ),
    )


def _ready(api: LiveApi) -> list[str]:
    found = api.list(MACHINES)
    ready = [one for one in found if is_ready(one)]
    return sorted(str(mapping(one, "metadata")["name"]) for one in ready)


def _machines(api: LiveApi, described: Sequence[str]) -> StepState:
    ready = _ready(api)
    missing = [name for name in described if name not in ready]
    if missing:
        return fails(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not", "./run doctor")
    return done(", ".join(ready) if len(ready) <= _SHOWN else f"{len(ready)} machines")


def _servers(api: LiveApi) -> StepState:
    pods = {str(mapping(one, "metadata")["name"]): one for one in _those(api, _SERVERS)}
    machines, up = _ready(api), _addresses(api)
    if any(_named("serve", machine) not in pods for machine in machines) or api.get(SERVICES, "servers", NAMESPACE) is None:
        return due("run a pod on each, and a Service for them")
    lacking = [name for name in machines if name not in up]
    if not lacking:
        return done(f"{len(up)} pods" if len(up) != 1 else "one pod")
    more = f", and {len(lacking) - 1} machines more" if len(lacking) > 1 else ""
    return waits(f"on {lacking[0]}: {why_not(api, pods[_named('serve', lacking[0])])}{more}", "./run doctor")


def _those(api: LiveApi, labels: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    return api.list(PODS, NAMESPACE, ",".join(f"{key}={value}" for key, value in labels.items()))


def _named(what: str, machine: str) -> str:
    return f"{what}-{machine}"


def _serve(api: LiveApi) -> None:
    """Not by a DaemonSet: its pods on a machine that is down would never end."""
    for machine in _ready(api):
        spec = {**spec_of("serve.sh", {}, affinity=on([machine])), "tolerations": _ANYWHERE}
        spec["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/large", "port": 8080}, "periodSeconds": 1}
        make(api, PODS, pod(_named("serve", machine), spec, _SERVERS))
    ports = {"selector": _SERVERS, "ports": [{"port": 8080}]}
    meta = {"name": "servers", "namespace": NAMESPACE}
    make(api, SERVICES, {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": ports})


def _addresses(api: LiveApi) -> dict[str, str]:
    """By machine, the address of the pod there that is ready."""
    found = {}
    for one in _those(api, _SERVERS):
        if is_ready(one) and not mapping(one, "metadata").get("deletionTimestamp"):
            found[str(mapping(one, "spec").get("nodeName"))] = str(mapping(one, "status").get("podIP"))
    return found


def _ask(api: LiveApi) -> None:
    """One pod on each machine asks all others."""
    servers = _addresses(api)
    service = str(at(api.get(SERVICES, "servers", NAMESPACE), ("spec", "clusterIP")))
    asked = {
        "PEERS": " ".join(f"{name}={_host(address)}" for name, address in sorted(servers.items())),
        "ADDRESS": _host(service),
        "NAME": f"servers.{NAMESPACE}.svc",
    }
    for machine in sorted(servers):
        spec = {**spec_of("ask.sh", asked, affinity=on([machine])), "tolerations": _ANYWHERE}
        make(api, PODS, pod(_named("ask", machine), spec, _ASKERS))


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _asked(api: LiveApi, what: str) -> StepState:
    """What the pods that asked have said about one kind of thing."""
    askers = _those(api, _ASKERS)
    if not askers or len(askers) < len(_addresses(api)):
        return due("ask from each machine")
    open_ones = [one for one in askers if mapping(one, "status").get("phase") not in {"Succeeded", "Failed"}]
    if open_ones:
        return waits(why_not(api, open_ones[0]))
    wrong = [line for one in askers for line in _said(one, what)]
    if not wrong:
        return done(f"{len(askers) ** 2} of {len(askers) ** 2}" if what == "peer" else "")
    return fails(f"{'; '.join(wrong[:_SHOWN])}{f'; and {len(wrong) - _SHOWN} more' if len(wrong) > _SHOWN else ''}", _CURES[what])


_SHOWN = 6
_CURES = {
    "peer": "on both machines: the firewall, for k3s' network between them (UDP 8472, for vxlan); docs/tasks/verify.md",
    "address": "on that machine: systemctl status k3s* ; sudo iptables-save | grep -c KUBE-SVC",
    "name": "kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide; kubectl -n kube-system logs -l k8s-app=kube-dns",
}


def _said(asker: Mapping[str, Any], what: str) -> Iterator[str]:
    machine = str(mapping(asker, "spec").get("nodeName"))
    words = last_words(asker)
    lines = [line.split() for line in words.splitlines()]
    if mapping(asker, "status").get("phase") == "Failed" and not any(len(line) == _WORDS for line in lines):
        yield f"the pod on {machine} failed: {words or 'without a word'}"
    for line in lines:
        if len(line) == _WORDS and line[0] == what:
            got = "nothing came" if line[2] == "0" else f"only {line[2]} of 262144 bytes came, as where large packets are lost"
            yield f"from {machine} to {f'the pod on {line[1]}' if what == 'peer' else line[1]}: {got}"


_WORDS = 3
