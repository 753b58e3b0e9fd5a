"""The rules for applications that talk to one another: both have to allow it, under the namespace that each has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.settings import Peer

NO_NAMESPACE = warns(
    "applications/peer-namespace", "F21", "`web-prod` names the namespace db, and application `db` is in db-prod", "the description"
)
ONE_SIDED = warns(
    "applications/one-sided", "F21", "`web-prod` may call `db-prod`, which lets nobody in from there", "the description"
)
CHECKS = (NO_NAMESPACE, ONE_SIDED)


def findings_of(instances: Sequence[Instance]) -> Iterator[Finding]:
    """Namespaces that are an application's name, and connections that only one of the two ends allows."""
    known = {instance.name: instance for instance in instances}
    places: dict[str, list[str]] = {}
    for instance in instances:
        places.setdefault(instance.app.name, []).append(instance.name)
    for instance in instances:
        yield from _misnamed(instance, known, places)
        for peer in _of(instance, "egress"):
            other = known.get(peer.namespace or "")
            if other and other is not instance and not _admits(other, instance.name):
                yield ONE_SIDED(
                    peer.source_of("namespace"),
                    what=f"`{instance.name}` may call `{other.name}`, which lets nobody in from there",
                    why="the policy of its namespace drops the connection, and the caller sees no more than a timeout",
                    fix=f"allow: {{ingress: [{{namespace: {instance.name}}}]}} for `{other.app.name}`",
                )


def _of(instance: Instance, direction: str) -> list[Peer]:
    own: list[Peer] = [*getattr(instance.app.allow, direction), *getattr(instance.environment.allow, direction)]
    return own


def _admits(other: Instance, name: str) -> bool:
    """Whether its policy lets pods of a namespace in; networks may hold them too."""
    return any(peer.namespace == name or peer.cidr is not None for peer in _of(other, "ingress"))


def _misnamed(instance: Instance, known: Mapping[str, Instance], places: Mapping[str, list[str]]) -> Iterator[Finding]:
    for peer in (*_of(instance, "egress"), *_of(instance, "ingress")):
        name = peer.namespace or ""
        if name in places and name not in known:
            yield NO_NAMESPACE(
                peer.source_of("namespace"),
                what=f"`{instance.name}` names the namespace {name}, and application `{name}` is in {', '.join(places[name])}",
                why="a namespace that is not there has no pods, so nothing is let through",
                fix=f"namespace: {places[name][0]}",
            )
