"""Clocks that are off, as it can be seen without a login.

A kubelet writes its own time into its Lease every ten seconds (kubernetes/kubernetes: staging/src/k8s.io/component-helpers/
apimachinery/lease/controller.go; pkg/kubelet/kubelet.go, nodeLeaseRenewIntervalFraction). Whether it is Ready is told from when the
Lease changed, by the clock of who watches it (pkg/controller/nodelifecycle, probeTimestamp): one whose clock is off stays Ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.moments import moment_of
from fluxstead.live.resources import LEASES
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import MACHINE
from fluxstead.live.trouble import LiveTrouble, clock_of

_AHEAD = timedelta(seconds=5)
_BEHIND = timedelta(seconds=90)
"""A Lease may be 50 s old before its machine counts as not ready (kubernetes: --node-monitor-grace-period)."""
_GRAVE = timedelta(seconds=60)
_MANY = 3
"""Machines of which most can be right against the API."""
_API = clock_of("the API")
_MEANS = "certificates and tokens are taken as over, or as not valid yet, and etcd and backups go by the time"
_SET = "timedatectl; sudo timedatectl set-ntp true (where nothing can: sudo apt-get install systemd-timesyncd)"


class Heartbeat(NamedTuple):
    """When a machine last said that it is there, by its own clock."""

    machine: str
    renewed: datetime


def _heartbeat(obj: Mapping[str, Any]) -> Heartbeat | None:
    renewed = moment_of(mapping(obj, "spec").get("renewTime"))
    return Heartbeat(str(mapping(obj, "metadata").get("name", "")), renewed) if renewed else None


HEARTBEAT = Kind(LEASES._replace(within="kube-node-lease"), _heartbeat)


def clocks(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Those of the machines, and the one here, each against the API's."""
    del expected
    ahead = facts.greeting.ahead
    if ahead is None:
        return
    off = _off(facts, ahead)
    ready = sum(one.ready for one in facts.of(MACHINE))
    early = [by for by in off.values() if by > timedelta()]
    for alike in (early, [by for by in off.values() if by < timedelta()]):
        if ready >= _MANY and 2 * len(alike) > ready:
            yield _of_api(facts.server, sorted(alike)[len(alike) // 2])
            off = {name: by for name, by in off.items() if by not in alike}
    for name, by in off.items():
        yield LiveTrouble(
            clock_of(name),
            f"is {_said(by)} the API's",
            _MEANS,
            f"on {name}: {_SET}",
            waits_for=(_API,),
            gravity="error" if abs(by) > _GRAVE else "warning",
        )
    if abs(ahead) > _GRAVE:
        yield LiveTrouble(
            clock_of("this machine"),
            f"is {_said(ahead)} the API's",
            "certificates and tokens look as if they were over, or not valid yet",
            f"here: {_SET}",
            waits_for=(_API,),
            gravity="warning",
        )


def _off(facts: ClusterFacts, ahead: timedelta) -> dict[str, timedelta]:
    """How far the clocks that are off are ahead of the API's; a machine that is not ready writes nothing, so its Lease is old."""
    first, last = facts.greeting.asked - ahead, facts.taken
    ready = {one.name for one in facts.of(MACHINE) if one.ready}
    found = {}
    for one in facts.of(HEARTBEAT):
        if one.renewed - last > _AHEAD:
            found[one.machine] = one.renewed - last
        elif first - one.renewed > _BEHIND and one.machine in ready:
            found[one.machine] = one.renewed - first
    return found


def _of_api(server: str, by: timedelta) -> LiveTrouble:
    return LiveTrouble(
        _API,
        f"is {_said(-by)} those of most machines",
        _MEANS,
        f"on the server that answers at {server}: {_SET}",
        gravity="error" if abs(by) > _GRAVE else "warning",
    )


def _said(by: timedelta) -> str:
    seconds = round(abs(by).total_seconds())
    long = f"{seconds} s" if abs(by) < timedelta(minutes=5) else str(timedelta(seconds=seconds))
    return f"{long} {'ahead of' if by > timedelta() else 'behind'}"


RULES = (LiveRule(clocks, (HEARTBEAT, MACHINE)),)
