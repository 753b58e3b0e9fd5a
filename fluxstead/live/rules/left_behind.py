"""What goes on running, though what brought it is gone: Helm releases without a HelmRelease, objects without their Kustomization.

Sources: fluxcd/helm-controller internal/controller/helmrelease_controller.go: a HelmRelease that is deleted while it is suspended
uninstalls nothing; helm/helm pkg/storage/driver/secrets.go: the records; fluxcd/pkg ssa: the labels of what is applied;
docs.k3s.io/add-ons/helm: what k3s installs itself, by HelmCharts. Namespaces and accounts of applications that left the description
stay on purpose (docs/architecture.md, decision 13), so that this is worth knowing and no error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.findings import some
from fluxstead.core.shape import mapping
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.flux import keeper_of
from fluxstead.live.resources import NAMESPACES, Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.flux import LAYER, RELEASE
from fluxstead.live.rules.missing_pods import WORKLOADS
from fluxstead.live.rules.workloads import SECRET
from fluxstead.live.trouble import LiveTrouble, Subject, layer_subject

_SHOWN = 4


class LeftNamespace(NamedTuple):
    """A namespace that a Kustomization, by `namespace/name`, applies."""

    name: str
    keeper: str


def _namespace(obj: Mapping[str, Any]) -> LeftNamespace | None:
    metadata = mapping(obj, "metadata")
    keeper = keeper_of(metadata)
    return LeftNamespace(str(metadata.get("name", "")), keeper) if keeper and not metadata.get("deletionTimestamp") else None


def _of_k3s(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """The release that k3s makes of a HelmChart, wherever it does: its pages and its code differ where no namespace is named."""
    metadata, target = mapping(obj, "metadata"), mapping(obj, "spec").get("targetNamespace")
    return tuple(f"{place}/{metadata.get('name')}" for place in ([target] if target else (metadata.get("namespace"), "default")))


NAMESPACE = Kind(NAMESPACES, _namespace, names=True)
K3S_CHART = Kind(Resource("apis/helm.cattle.io/v1", "helmcharts"), _of_k3s)


def helm_releases(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Releases of Helm that neither Flux nor k3s has: their HelmRelease is gone, or somebody installed them by hand."""
    del expected
    if not facts.knows(RELEASE) or not facts.knows(K3S_CHART):
        return
    known = {name for one in facts.of(RELEASE) for name in one.installed}
    known |= {name for names in facts.of(K3S_CHART) for name in names}
    found = dict.fromkeys((one.namespace, one.release) for one in facts.of(SECRET) if one.release)
    for namespace, name in found:
        if f"{namespace}/{name}" in known:
            continue
        yield LiveTrouble(
            Subject("Helm's release", f"{namespace}/{name}"),
            "is deployed, and no HelmRelease is there for it",
            "what it installed goes on running, and no commit changes it",
            f"its HelmRelease put back, which takes it over; or, if what it installed may go: helm uninstall {name} -n {namespace}",
            gravity="warning",
        )


def objects(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Namespaces and workloads whose Kustomization is gone, told once for each Kustomization."""
    del expected
    if not facts.knows(LAYER):
        return
    known = {f"{one.namespace}/{one.name}" for one in facts.of(LAYER)}
    left: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in facts.of(NAMESPACE):
        left[one.keeper].append((f"Namespace {one.name}", f"kubectl delete namespace {one.name}"))
    for of in (of for kind in WORKLOADS for of in facts.of(kind) if of.keeper):
        where = f"{of.kind.lower()} {of.name} -n {of.namespace}"
        left[of.keeper].append((f"{of.kind} {of.namespace}/{of.name}", f"kubectl delete {where}"))
    for keeper, things in left.items():
        if keeper in known:
            continue
        yield LiveTrouble(
            Subject("kustomization", keeper),
            f"is gone, and what it applied is there: {some([name for name, _ in things], _SHOWN)}",
            "nothing keeps it as it was described, and volumes in it hold data that nobody looks after",
            f"nothing, if it is kept for its data; else, which deletes that: {'; '.join(do for _, do in things[:_SHOWN])}",
            waits_for=(layer_subject(keeper.partition("/")[2]),),
            gravity="warning",
        )


RULES = (
    LiveRule(helm_releases, (SECRET, RELEASE, K3S_CHART)),
    LiveRule(objects, (NAMESPACE, *WORKLOADS, LAYER)),
)
