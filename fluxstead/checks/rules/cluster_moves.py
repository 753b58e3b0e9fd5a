"""What cannot change about a cluster itself, or only in steps: its Kubernetes, networks, datastore and roles (failures F6, F9).

Sources: https://kubernetes.io/releases/version-skew-policy/, https://docs.k3s.io/upgrades and, for networks,
https://docs.k3s.io/networking/basic-network-options: they are set when a cluster is first started. For the others,
https://docs.k3s.io/datastore/ha-embedded and https://docs.k3s.io/cli/secrets-encrypt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fluxstead.catalog.flux_apis import GONE_SINCE
from fluxstead.checks.past import Transition
from fluxstead.checks.reading.committed import ClusterThen
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.version import Version

KUBERNETES_JUMP = refuses(
    "moves/kubernetes-version",
    "F9",
    "Kubernetes v1.33.1+k3s1 in HEAD becomes v1.36.3+k3s1, more than one minor release at once",
    "the tree and the commits before it",
)
NETWORK_CHANGED = refuses(
    "moves/network", "F9", "podCidr is 10.42.0.0/16 in HEAD, and now 10.52.0.0/16", "the tree and the commits before it"
)
BIRTH_CHANGED = refuses(
    "moves/first-start", "F9", "datastore is sqlite in HEAD, and now etcd", "the tree and the commits before it"
)
ROLE_CHANGED = refuses(
    "moves/role", "F18", "machine k3s1 is a server in HEAD, and now an agent", "the tree and the commits before it"
)
FLUX_STORED = warns(
    "moves/flux-stored-versions",
    "F6",
    "Flux 2.6.1 in HEAD becomes 2.9.5, which no longer has every API in which objects may be stored",
    "the tree and the commits before it",
)

_DISTRIBUTION = re.compile(r"\+(?:k3s|rke2r)\d")
_WHY_KEPT = {
    "datastore": "no running k3s is restarted: with `cluster-init` SQLite becomes etcd at a restart, and etcd never SQLite again",
    "secretsEncryption": "k3s takes it at its first start, and not later by this key alone",
}
_LAST_WITH_BOTH = (2, 9)
"""From 2.6 or older, the APIs of images have to be migrated by a release in between, which serves both."""
_OR_IT_WAS = "; if the cluster has been so for long, a commit with this line alone"


def described(move: Transition) -> Iterator[Finding]:
    """What the description said in a commit, and says now."""
    then, context = move.cluster, move.context
    if then is None or context.platform is None:
        return
    if then.kubernetes:
        place = context.places["version"]
        yield from _version(move.name, then.kubernetes, context.platform.kubernetes, place, _OR_IT_WAS)
    for key, networks in then.networks.items():
        now = context.networks.get(key, ())
        if now and set(now) != set(networks):
            network = ",".join(map(str, networks))
            yield NETWORK_CHANGED(
                context.places[key],
                what=f"{key} is {network} in {move.name}, and now {','.join(map(str, now))}",
                why="a cluster keeps the networks that it was first started with: its machines and Services have addresses in them",
                fix=f"{network}; another network means another cluster{_OR_IT_WAS}",
            )
    yield from _kept(move, then)
    yield from _roles(move, then)
    yield from _flux(move, then)


def _kept(move: Transition, then: ClusterThen) -> Iterator[Finding]:
    for key, was in then.kept.items():
        now = move.context.kept.get(key, was)
        if now != was:
            yield BIRTH_CHANGED(
                move.context.places[key],
                what=f"{key} is {was} in {move.name}, and now {now}",
                why=_WHY_KEPT[key],
                fix=f"{was}{_OR_IT_WAS}",
            )


def _roles(move: Transition, then: ClusterThen) -> Iterator[Finding]:
    for node in move.context.nodes:
        was = then.roles.get(node.name, node.role)
        if node.joined and was != node.role:
            article = "an" if node.role == "agent" else "a"
            yield ROLE_CHANGED(
                node.source_of("role"),
                what=f"machine {node.name} is a{'n' if was == 'agent' else ''} {was} in {move.name}, and now {article} {node.role}",
                why="k3s does not turn the one into the other: the machine has to leave the cluster, and to join it anew",
                fix=f"{was}; or 1. state: leaving, until its disks are empty; 2. `kubectl delete node {node.name}`, and k3s' own "
                f"uninstall script; 3. the machine as a new one, with state: planned{_OR_IT_WAS}",
            )


def _flux(move: Transition, then: ClusterThen) -> Iterator[Finding]:
    platform = move.context.platform
    if then.flux is None or platform is None:
        return
    was, now = then.flux.minor, platform.flux.minor
    if any(was < minor <= now for minor in GONE_SINCE.values()):
        between = "2.8 first, and " if was < min(GONE_SINCE.values()) and now >= _LAST_WITH_BOTH else ""
        yield FLUX_STORED(
            move.context.places["flux"],
            what=f"Flux {then.flux} in {move.name} becomes {platform.flux}, which no longer has every API in which objects may be "
            "stored",
            why="its CRDs are refused while their status.storedVersions names one that is gone (F6)",
            fix=f"{between}`flux migrate`, by a flux of the new version, right before each upgrade",
        )


def plans(move: Transition) -> Iterator[Finding]:
    """Plans of the system-upgrade-controller, which say what k3s the machines run where no description does."""
    for old, new in move.changed:
        if new.ref.kind != "Plan" or new.ref.group != "upgrade.cattle.io" or not new.is_final:
            continue
        was, now = (_of_kubernetes(item.spec.get("version")) for item in (old, new))
        if was and now:
            place = line_with(move.now.store, new.document, "version:")
            yield from _version(move.name, was, now, place, "")


def _of_kubernetes(value: object) -> Version | None:
    return Version.read(value) if isinstance(value, str) and _DISTRIBUTION.search(value) else None


def _version(name: str, was: Version, now: Version, place: Source, otherwise: str) -> Iterator[Finding]:
    if now.minor < was.minor:
        yield KUBERNETES_JUMP(
            place,
            what=f"Kubernetes {was} in {name} becomes {now}",
            why="an older API server does not read what a newer one stored, and its kubelets are refused",
            fix=f"{was} or newer; the way back is the older binary and a snapshot of the datastore from before{otherwise}",
        )
    elif now.numbers[0] == was.numbers[0] and now.numbers[1] > was.numbers[1] + 1:
        minors = " → ".join(f"{now.numbers[0]}.{number}" for number in range(was.numbers[1] + 1, now.numbers[1] + 1))
        yield KUBERNETES_JUMP(
            place,
            what=f"Kubernetes {was} in {name} becomes {now}, more than one minor release at once",
            why="no minor release may be skipped: what it migrates stays as it was, and kubelets and API server do not fit",
            fix=f"one commit for each, with every machine upgraded before the next: {minors}{otherwise}",
        )


MOVES = (
    Rule(described, (BIRTH_CHANGED, KUBERNETES_JUMP, NETWORK_CHANGED, ROLE_CHANGED, FLUX_STORED)),
    Rule(plans, (KUBERNETES_JUMP,)),
)
