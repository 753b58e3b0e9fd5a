"""Clocks that are off, and certificates of k3s: what is wrong, what is not, and which of it explains the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.assembly import Assembled
from fluxstead.cli.doctor import expected_of
from fluxstead.live.doctor import troubles_in
from fluxstead.live.greeting import Greeting, ahead_of
from fluxstead.live.trouble import Root, roots
from tests.conftest import examples
from tests.live.all_spoilt import PLANTED
from tests.live.spoilt import changed, machine, more, together
from tests.live.world import GREETING, NOW, RULES, World, facts_of, healthy, heartbeat, notice, ready, roots_of

pytestmark = pytest.mark.reference
EXPIRED = (
    "Node certificates require attention - restart k3s on this node to trigger automatic rotation: k3s-server/client-k3s-controller"
    ".crt: certificate CN=system:k3s-controller expired at 2026-11-01T00:00:00Z"
)


def greeted(assembled: Assembled, greeting: Greeting, world: World | None = None) -> list[Root]:
    """What is wrong with a cluster that greets like this."""
    facts = facts_of(world or healthy(assembled), greeting)
    return roots(list(troubles_in(RULES, expected_of(assembled), facts)))


def several(assembled: Assembled, *renewed: str) -> World:
    """A cluster of more machines, all ready, whose kubelets wrote these times."""
    world = healthy(assembled)
    for number, at in enumerate(renewed, 7):
        world["nodes of Kubernetes"].append(ready(f"n{number}"))
        world["leases"].append(heartbeat(f"n{number}", f"2026-11-{at}Z"))
    return world


def clocks(found: list[Root]) -> list[str]:
    """Which are told to be off."""
    return [one.trouble.subject.name for one in found if one.trouble.subject.kind == "clock of"]


@pytest.mark.parametrize(("renewed", "off"), [("28T00:00:04", False), ("28T00:00:07", True), ("27T23:58:45", False)])
def test_a_heartbeat_of_the_usual_age_is_no_clock_that_is_off(assembled: Assembled, renewed: str, off: bool) -> None:
    """It is written every ten seconds; a machine counts as ready for 50 without one."""
    found = roots_of(assembled, changed("leases", "k3s1", "spec", "renewTime", to=f"2026-11-{renewed}.000000Z"))
    assert bool(found) is off
    assert all(one.trouble.gravity == "warning" for one in found), "seconds are worth knowing"


def test_a_machine_that_is_down_has_an_old_heartbeat_and_no_clock_that_is_off(assembled: Assembled) -> None:
    down = machine(Ready=("Unknown", "Kubelet stopped posting node status."))
    [root] = roots_of(assembled, down, changed("leases", "k3s1", "spec", "renewTime", to="2026-11-27T20:00:00.000000Z"))
    assert str(root.trouble.subject) == "machine k3s1"


def test_a_clock_that_is_off_explains_its_machine_and_its_certificates(assembled: Assembled) -> None:
    [root] = roots_of(
        assembled,
        PLANTED["a clock that is ahead"][0],
        machine(Ready=("False", "x509: certificate has expired or is not yet valid")),
        more("events", notice("k3s1", "CertificateExpirationWarning", EXPIRED, said="2026-11-27T23:50:00Z")),
    )
    assert str(root.trouble.subject) == "clock of k3s1"
    assert [str(one.subject) for one in root.explains] == ["machine k3s1", "k3s certificates of k3s1"]


def test_where_most_machines_are_off_it_is_the_clock_of_the_api(assembled: Assembled) -> None:
    """k3s1, whose API was asked, is ten minutes late, and nobody else is: not two other machines, nor the one here."""
    world = several(assembled, "27T23:59:55", "27T23:59:58")
    world["leases"][0] = heartbeat("k3s1", "2026-11-27T23:49:53Z")
    found = greeted(assembled, GREETING._replace(ahead=timedelta(minutes=10)), world)
    assert clocks(found) == ["the API"]
    [root] = [one for one in found if one.trouble.subject.name == "the API"]
    assert root.trouble.says == "is 0:09:58 behind those of most machines"
    assert [str(one.subject) for one in root.explains] == ["clock of this machine"]


def test_where_one_of_many_is_off_it_is_that_one(assembled: Assembled) -> None:
    found = greeted(assembled, GREETING, several(assembled, "27T23:59:55", "27T23:40:00", "27T23:59:58"))
    assert clocks(found) == ["n8"]


@pytest.mark.parametrize(("seconds", "told"), [(59, False), (-59, False), (75, True), (-75, True)])
def test_the_clock_here_is_told_where_logins_fail_by_it(assembled: Assembled, seconds: int, told: bool) -> None:
    """The API's time is the one here less that."""
    ahead = timedelta(seconds=seconds)
    world = healthy(assembled)
    world["leases"] = [heartbeat("k3s1", (NOW - ahead - timedelta(seconds=8)).isoformat())]
    found = greeted(assembled, GREETING._replace(ahead=ahead), world)
    assert clocks(found) == (["this machine"] if told else [])
    assert [one.trouble.says for one in found] == ([f"is 75 s {'ahead of' if seconds > 0 else 'behind'} the API's"] if told else [])


def test_without_a_date_nothing_is_made_up(assembled: Assembled) -> None:
    world = healthy(assembled)
    world["leases"] = [heartbeat("k3s1", "2020-01-01T00:00:00Z")]
    assert greeted(assembled, GREETING._replace(ahead=None), world) == []


@pytest.mark.parametrize(
    ("ending", "subject"),
    [
        (lambda end: GREETING._replace(own_end=end), "this kubeconfig"),
        (lambda end: GREETING._replace(its_end=end), "the API at https://127.0.0.1:6443"),
    ],
)
def test_a_certificate_of_the_way_in_is_told_a_month_before(
    assembled: Assembled, ending: Callable[[datetime], Greeting], subject: str
) -> None:
    assert greeted(assembled, ending(NOW + timedelta(days=31))) == []
    [root] = greeted(assembled, ending(NOW + timedelta(days=29)))
    assert (root.trouble.subject.name, root.trouble.says) == (subject, "ends on 2026-12-27")


def test_what_k3s_said_before_it_was_restarted_is_over(assembled: Assembled) -> None:
    """The event stays for an hour."""
    before = notice("k3s1", "CertificateExpirationWarning", EXPIRED, said="2026-11-27T23:10:00Z")
    assert roots_of(assembled, more("events", before)) == []


def test_what_has_expired_is_an_error_and_what_others_say_of_nodes_is_none(assembled: Assembled) -> None:
    over = notice("k3s1", "CertificateExpirationWarning", EXPIRED, said="2026-11-27T23:50:00Z")
    [root] = roots_of(assembled, more("events", over))
    assert root.trouble.gravity == "error"
    assert "sudo systemctl restart k3s," in root.trouble.do
    assert roots_of(assembled, more("events", {**over, "involvedObject": {"kind": "Pod", "name": "k3s1"}})) == []


def test_an_authority_is_told_once_for_all_servers(assembled: Assembled) -> None:
    said = [notice(f"n{number}", "CACertificateExpirationWarning", "Certificate Authority: a/b: c") for number in range(3)]
    [root] = roots_of(assembled, together(*(more("events", one) for one in said)))
    assert str(root.trouble.subject) == "k3s authorities"


@given(st.text(max_size=40))
@examples(50)
def test_any_date_is_read_or_not(text: str) -> None:
    ahead_of(text, NOW, NOW)


def test_a_date_is_read_in_the_middle_of_its_second_and_of_the_way() -> None:
    sent, received = NOW + timedelta(seconds=100), NOW + timedelta(seconds=101)
    assert ahead_of("Sat, 28 Nov 2026 00:00:40 GMT", sent, received) == timedelta(seconds=60)
    assert ahead_of("", sent, received) is None
    assert datetime(2026, 11, 28, tzinfo=UTC) == NOW
