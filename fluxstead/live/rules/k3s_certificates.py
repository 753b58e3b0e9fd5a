"""Certificates of k3s that end soon: of machines, as k3s itself says; of the API, and of the operator's kubeconfig, as they are.

k3s looks as it starts and every half hour, and says what it finds as events of its Nodes, which stay for an hour (k3s-io/k3s:
pkg/certmonitor/certmonitor.go). What ends within 120 days, in older releases 90, it renews when it starts (CertificateRenewDays of
pkg/daemons/config/types.go; https://github.com/k3s-io/k3s/issues/12171); authorities, which are valid for ten years, it does not
renew (https://docs.k3s.io/advanced).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.moments import moment_of
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import Gravity, LiveTrouble, Subject, clock_of

_SOON = timedelta(days=30)
_ONE_LOOK = timedelta(minutes=1)
_SHOWN = 160
_PAGE = "docs/tasks/k3s.md"
_ENDS, _AUTHORITY_ENDS, _FINE = "CertificateExpirationWarning", "CACertificateExpirationWarning", "CertificateExpirationOK"


class Notice(NamedTuple):
    """What k3s said of a machine's certificates, and when."""

    machine: str
    reason: str
    says: str
    moment: datetime


def _notice(obj: Mapping[str, Any]) -> Notice | None:
    reason, about = str(obj.get("reason", "")), mapping(obj, "involvedObject")
    if reason not in {_ENDS, _AUTHORITY_ENDS, _FINE} or about.get("kind") != "Node":
        return None
    says = " ".join(str(obj.get("message", "")).partition(": ")[2].split())
    moment = moment_of(obj.get("lastTimestamp")) or datetime.fromtimestamp(0, UTC)
    return Notice(str(about.get("name", "")), reason, says, moment)


NOTICE = Kind(Resource("api/v1", "events", within="default"), _notice, fields="source=k3s-cert-monitor")


def of_machines(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """What k3s said at its last look; what it said before may be mended since."""
    last: dict[str, datetime] = {}
    for one in facts.of(NOTICE):
        last[one.machine] = max(one.moment, last.get(one.machine, one.moment))
    current = [one for one in facts.of(NOTICE) if last[one.machine] - one.moment < _ONE_LOOK]
    agents = {node.name for node in expected.nodes if node.role == "agent"}
    for one in current:
        if one.reason == _ENDS:
            unit = "k3s-agent" if one.machine in agents else "k3s"
            yield LiveTrouble(
                Subject("k3s certificates of", one.machine),
                f"end soon, or are over: {_shortened(one.says)}",
                "without them it is no part of the cluster any more",
                f"on {one.machine}: sudo systemctl restart {unit}, which renews them; servers first, one machine after another",
                _PAGE,
                (clock_of(one.machine),),
                _gravity(one),
            )
    authorities = [one for one in current if one.reason == _AUTHORITY_ENDS]
    for one in authorities[:1]:
        yield LiveTrouble(
            Subject("k3s", "authorities"),
            f"end within a year, or are over: {_shortened(one.says)}",
            "every certificate of the cluster ends with them, and k3s does not renew them by itself",
            "k3s certificate rotate-ca, as https://docs.k3s.io/cli/certificate says it",
            waits_for=(clock_of(one.machine),),
            gravity=_gravity(one),
        )


def _gravity(one: Notice) -> Gravity:
    return "error" if " expired at " in one.says or " is not valid before " in one.says else "warning"


def _shortened(says: str) -> str:
    return says if len(says) <= _SHOWN else f"{says[:_SHOWN]}…"


def of_the_way_in(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """The operator's own, and the one that the API shows."""
    del expected
    own, its = facts.greeting.own_end, facts.greeting.its_end
    if own and own - facts.taken < _SOON:
        yield LiveTrouble(
            Subject("certificate of", "this kubeconfig"),
            f"ends on {own:%Y-%m-%d}",
            "from then on the API does not let it in",
            "./run kubeconfig; where it brings the same one, on a server: sudo systemctl restart k3s, then again",
            _PAGE,
            (clock_of("this machine"),),
            "warning",
        )
    if its and its - facts.taken < _SOON:
        yield LiveTrouble(
            Subject("certificate of", f"the API at {facts.server}"),
            f"ends on {its:%Y-%m-%d}",
            "from then on nobody trusts it: neither kubectl nor the machines",
            "on the servers, one after another: sudo systemctl restart k3s",
            _PAGE,
            (clock_of("this machine"),),
            "warning",
        )


RULES = (LiveRule(of_machines, (NOTICE,)), LiveRule(of_the_way_in, ()))
