"""Routes that are asked, and what explains that they do not answer."""

from __future__ import annotations

import copy

import pytest

from fluxstead.assembly import Assembled
from fluxstead.cli.doctor import expected_of
from fluxstead.live.doctor import troubles_in
from fluxstead.live.trouble import Root, roots
from fluxstead.live.ways_in import RouteAnswer
from tests.live.all_spoilt import PLANTED
from tests.live.around import endpoints, thing
from tests.live.spoilt import Spoil, machine, more, says
from tests.live.spoilt_workloads import instead
from tests.live.world import RULES, facts_of, healthy

pytestmark = pytest.mark.reference
PROD = "https://example-app.local:30443/"
NO_PORT = RouteAnswer(problem="connection", says="Connection refused")


def told(assembled: Assembled, answer: RouteAnswer, *spoil: Spoil) -> list[Root]:
    """What is wrong, where the production application is answered like this."""
    world = copy.deepcopy(healthy(assembled))
    for change in spoil:
        change(world)
    return roots(list(troubles_in(RULES, expected_of(assembled), facts_of(world)._replace(answers={PROD: answer}))))


def test_every_link_of_what_is_to_run_is_a_way_in(assembled: Assembled) -> None:
    """Staging is offline: nobody answers there, and that is nothing wrong."""
    links = {link.url for plan in assembled.plans.values() for link in plan.links}
    assert links - {way.url for way in expected_of(assembled).routes} == {"https://staging.example-app.local:30443/"}


@pytest.mark.parametrize("status", [200, 302, 401, 403])
def test_an_answer_is_nothing_wrong(assembled: Assembled, status: int) -> None:
    assert told(assembled, RouteAnswer(status)) == []


@pytest.mark.parametrize(
    ("answer", "words", "gravity"),
    [
        (RouteAnswer(503), "answers 503", "error"),
        (RouteAnswer(404), "answers 404", "warning"),
        (NO_PORT, "does not answer this machine: Connection refused", "error"),
        (RouteAnswer(problem="timeout", says="no answer within 5 s"), "no answer within 5 s", "error"),
        (RouteAnswer(problem="certificate", says="certificate has expired"), "certificate has expired", "error"),
        (RouteAnswer(problem="answer", says="WRONG_VERSION_NUMBER"), "no answer that can be read", "error"),
        (RouteAnswer(problem="name", says="Name or service not known"), "does not know the name example-app.local", "warning"),
    ],
)
def test_what_is_no_answer_is_told_once(assembled: Assembled, answer: RouteAnswer, words: str, gravity: str) -> None:
    """A name may be known where people are, and not here."""
    [root] = told(assembled, answer)
    assert (str(root.trouble.subject), root.trouble.gravity) == ("route example-app-prod", gravity)
    assert words in root.trouble.says


BROKEN = {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}


def test_what_is_wrong_behind_it_explains_it(assembled: Assembled) -> None:
    """The pods; the machine."""
    broken = more("pods", thing("app-1", "example-app-prod", spec={"nodeName": "k3s1"}, status=BROKEN))
    unready = instead("endpointslices", endpoints("example-app", "example-app-prod", ready=False))
    [root] = told(assembled, RouteAnswer(503), broken, unready)
    assert str(root.trouble.subject) == "pod example-app-prod/app-1"
    assert [str(one.subject) for one in root.explains] == ["route example-app-prod"], "once, though both say it"
    [root] = told(assembled, NO_PORT, machine(Ready=("Unknown", "Kubelet stopped posting node status.")))
    assert str(root.trouble.subject) == "machine k3s1"


def test_the_controller_explains_every_route(assembled: Assembled) -> None:
    [root] = told(assembled, NO_PORT, PLANTED["a controller without a pod that is ready"][0])
    assert len([one for one in root.explains if one.subject.kind == "route"]) == len(expected_of(assembled).routes)


def test_a_certificate_that_is_not_there_explains_what_browsers_are_shown(assembled: Assembled) -> None:
    refused = RouteAnswer(problem="certificate", says="IP address mismatch")
    [root] = told(assembled, refused, PLANTED["a certificate that does not come"][0])
    assert root.trouble.subject.kind == "certificate"


def test_a_service_without_any_slice_says_nothing(assembled: Assembled) -> None:
    """Nobody has looked for its pods yet."""
    assert told(assembled, RouteAnswer(200), lambda world: world.update(endpointslices=[])) == []


def test_a_route_of_a_layer_that_is_being_applied_is_no_error(assembled: Assembled) -> None:
    """It answers 503 for a moment after each commit."""
    starting = says("kustomizations", "example-app-prod", "Unknown", "Progressing", "running health checks")
    found = told(assembled, RouteAnswer(503), starting)
    assert {one.trouble.gravity for one in found} == {"warning"}
