"""Copies of etcd that were not made, or did not reach their bucket, as k3s says so.

Source: k3s api k3s.cattle.io/v1, ETCDSnapshotFile: one for each copy and place; of what is in a bucket `nodeName` is s3, and
`error` is the last one of a copy that failed, until it is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject
from fluxstead.systems.datastore.manifests import LAYER

_PAGE = "docs/tasks/back-up-the-cluster-state.md"
_IN_A_BUCKET = "s3"


class Copied(NamedTuple):
    """A copy of etcd at one place. `error`: empty where it is there."""

    place: str
    when: str
    name: str
    error: str


def _copied(obj: Mapping[str, Any]) -> Copied | None:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    error = mapping(status, "error")
    when = str(status.get("creationTime") or error.get("time") or mapping(obj, "metadata").get("creationTimestamp") or "")
    return Copied(str(spec.get("nodeName", "")), when, str(spec.get("snapshotName", "")), str(error.get("message") or ""))


SNAPSHOT = Kind(Resource("apis/k3s.cattle.io/v1", "etcdsnapshotfiles", namespaced=False), _copied)


def snapshots(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Of each place, the newest copy, where it failed."""
    newest = {one.place: one for one in sorted(facts.of(SNAPSHOT), key=lambda one: one.when)}
    needs = [need for need in expected.needs if need.layer == LAYER]
    for place, one in sorted(newest.items()):
        if one.error:
            bucket = place == _IN_A_BUCKET
            yield LiveTrouble(
                Subject("copies of etcd", "in the bucket" if bucket else f"on {place}"),
                f"the newest, {one.name}, failed: {one.error}",
                "a lost server, or a mistake, takes with it what was changed since the last good one",
                f"./run secrets set {needs[0].qualified_name}" if bucket and needs else "sudo k3s etcd-snapshot save, on a server",
                _PAGE,
                tuple(Subject("secret", need.qualified_name) for need in needs) if bucket else (),
            )


RULES = (LiveRule(snapshots, (SNAPSHOT,)),)
