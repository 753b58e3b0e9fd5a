"""The rule for applications that talk to one another: both have to allow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.settings import Peer

ONE_SIDED = warns(
    "applications/one-sided", "F21", "`web-prod` may call `db-prod`, which lets nobody in from there", "the description"
)
CHECKS = (ONE_SIDED,)


def findings_of(instances: Sequence[Instance]) -> Iterator[Finding]:
    """Connections that only the caller allows; a namespace that nothing makes is found in the policies."""
    known = {instance.name: instance for instance in instances}
    for instance in instances:
        for peer in (*instance.app.allow.egress, *instance.environment.allow.egress):
            other = known.get(peer.namespace or "")
            if other and other is not instance and not _admits(other, instance.name):
                yield ONE_SIDED(
                    peer.source_of("namespace"),
                    what=f"`{instance.name}` may call `{other.name}`, which lets nobody in from there",
                    why="the policy of its namespace drops the connection, and the caller sees no more than a timeout",
                    fix=f"allow: {{ingress: [{{namespace: {instance.name}}}]}} for `{other.app.name}`",
                )


def _admits(other: Instance, name: str) -> bool:
    """Whether its policy lets pods of a namespace in; networks may hold them too."""
    admitted: tuple[Peer, ...] = (*other.app.allow.ingress, *other.environment.allow.ingress)
    return any(peer.namespace == name or peer.cidr is not None for peer in admitted)
