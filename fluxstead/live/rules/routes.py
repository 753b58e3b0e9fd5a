"""Ways in that lead nowhere, or do not answer: each told once, at what is behind it.

Sources: kubernetes/api discovery/v1/types.go: an endpoint's `ready`, which counts as true where it is not said, and the label with
the Service's name. A Service with a selector has a slice even where no pod is ready, so that none at all says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from fluxstead.core.shape import entries_of, mapping
from fluxstead.live.expected import Expected, RouteWanted
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.flux import LAYER
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import Gravity, LiveTrouble, Subject, layer_subject, pods_in

if TYPE_CHECKING:
    from fluxstead.live.ways_in import RouteAnswer


_NOT_FOUND = 404


class LiveService(NamedTuple):
    """A Service, and the labels of the pods behind it."""

    namespace: str
    name: str
    selector: frozenset[tuple[str, str]]


class Slice(NamedTuple):
    """A part of the endpoints of a Service. `ready`: whether one of them is."""

    namespace: str
    service: str
    ready: bool


def _service(obj: Mapping[str, Any]) -> LiveService:
    metadata, selector = mapping(obj, "metadata"), mapping(mapping(obj, "spec"), "selector")
    labels = frozenset((str(key), str(value)) for key, value in selector.items())
    return LiveService(str(metadata.get("namespace", "")), str(metadata.get("name", "")), labels)


def _slice(obj: Mapping[str, Any]) -> Slice | None:
    metadata = mapping(obj, "metadata")
    service = mapping(metadata, "labels").get("kubernetes.io/service-name")
    ready = any(mapping(one, "conditions").get("ready") is not False for one in entries_of(obj, "endpoints"))
    return Slice(str(metadata.get("namespace", "")), str(service), ready) if service else None


SERVICE = Kind(Resource("api/v1", "services"), _service)
SLICE = Kind(Resource("apis/discovery.k8s.io/v1", "endpointslices"), _slice)


class _Seen(NamedTuple):
    """What the rules ask of all Services: which are there, and whether any pod of one is ready, where that is known."""

    there: frozenset[tuple[str, str]]
    ready: Mapping[tuple[str, str], bool]
    standing: Mapping[str, str]


def routes(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each way in of the description."""
    ready: dict[tuple[str, str], bool] = defaultdict(bool)
    for one in facts.of(SLICE):
        ready[one.namespace, one.service] |= one.ready
    seen = _Seen(frozenset(one[:2] for one in facts.of(SERVICE)), dict(ready), {one.name: one.standing for one in facts.of(LAYER)})
    silent = _silent_controllers(expected, facts, seen)
    yield from map(_silent, silent)
    for way in expected.routes:
        begun = any(seen.standing.get(name) == "waiting" for name in (way.layer, *expected.layers.get(way.layer, ())))
        if nowhere := _leads_nowhere(way, facts, seen, silent):
            yield _told(expected, way, nowhere, "warning" if begun else "error")
        elif wrong := _answers_wrong(way, facts.answers.get(way.url)):
            says, gravity = wrong
            yield _told(expected, way, says, "warning" if begun else gravity)


def _silent_controllers(expected: Expected, facts: ClusterFacts, seen: _Seen) -> list[str]:
    """The namespaces of controllers of which no pod is ready; empty if any answers."""
    silent = []
    for pods in expected.controllers:
        labels = set(pods.labels.items())
        mine = [one[:2] for one in facts.of(SERVICE) if one.namespace == pods.namespace and labels <= one.selector]
        known = [seen.ready[one] for one in mine if one in seen.ready]
        if not known or any(known):
            return []
        silent.append(pods.namespace)
    return silent


def _silent(namespace: str) -> LiveTrouble:
    return LiveTrouble(
        _controller(namespace),
        "has no pod that is ready",
        "no route is answered",
        f"kubectl -n {namespace} get pods,deployments,daemonsets; kubectl -n {namespace} get events",
        waits_for=(pods_in(namespace), Subject("secrets in", namespace)),
    )


def _controller(namespace: str) -> Subject:
    return Subject("ingress controller in", namespace)


def _leads_nowhere(way: RouteWanted, facts: ClusterFacts, seen: _Seen, silent: list[str]) -> str:
    service = (way.namespace, way.service)
    if silent:
        return "is answered by no controller"
    if facts.knows(SERVICE) and service not in seen.there:
        return f"leads to Service {way.namespace}/{way.service}, which is not there"
    if seen.ready.get(service) is False:
        return f"leads to Service {way.namespace}/{way.service}, of which no pod is ready"
    return ""


def _answers_wrong(way: RouteWanted, answer: RouteAnswer | None) -> tuple[str, Gravity] | None:
    """A name that is not known here may be known where people are; and an application may have no page at its root."""
    if answer is None or not answer.wrong:
        return None
    host = urlsplit(way.url).hostname
    says = {
        "": f"answers {answer.status}",
        "name": f"is not asked from this machine, which does not know the name {host}",
        "connection": "does not answer this machine",
        "timeout": "does not answer this machine",
        "certificate": "has a certificate that is refused",
        "answer": "gives no answer that can be read",
    }[answer.problem]
    return (
        f"{says}: {answer.says}" if answer.says else says
    ), "warning" if answer.problem == "name" or answer.status == _NOT_FOUND else "error"


def _told(expected: Expected, way: RouteWanted, says: str, gravity: Gravity) -> LiveTrouble:
    host = urlsplit(way.url).hostname
    at = [node.name for node in expected.nodes if host in {node.address, node.second_address}]
    machines = at or [node.name for node in expected.nodes if node.state == "live"]
    places = dict.fromkeys((way.namespace, *(one.namespace for one in expected.controllers)))
    return LiveTrouble(
        Subject("route", way.name),
        says,
        f"nobody gets to {way.url}",
        f"curl -vk {way.url}; kubectl -n {way.namespace} get service,endpointslices,pods",
        "docs/tasks/something-is-wrong.md",
        (
            layer_subject(way.layer),
            *(_controller(one.namespace) for one in expected.controllers),
            *(Subject(kind, place) for place in places for kind in ("pods in", "certificates in", "secrets in")),
            *map(subject_of, machines),
        ),
        gravity,
    )


RULES = (LiveRule(routes, (SERVICE, SLICE, LAYER)),)
