"""What is there twice, each being Ready: a chart that a cluster can have only once, and an object that two layers apply (F5, F8).

Sources: fluxcd/helm-controller api/v2/helmrelease_types.go, disableTakeOwnership: by default a release takes the objects that
another one installed; internal/controller/helmrelease_controller.go: a suspended release that is deleted uninstalls nothing.
fluxcd/kustomize-controller api/v1/inventory_types.go: what a Kustomization applied, as `namespace_name_group_kind`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fluxstead.core.findings import some
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.flux import FluxObject
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.flux import LAYER, RELEASE, SOURCE, fetched_in, release_subject, second_release
from fluxstead.live.trouble import LiveTrouble, Subject, layer_subject

_SHOWN = 3


def charts(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each release beside the first of its chart, where there can be only one; the described one is the first."""
    first: dict[str, FluxObject] = {}
    for one in sorted(facts.of(RELEASE), key=lambda one: (f"{one.namespace}/{one.name}" not in expected.releases, one.name)):
        chart = expected.singles.get(one.chart)
        if chart is None or first.setdefault(chart, one) == one:
            continue
        other, kubectl = first[chart], f"kubectl -n {one.namespace}"
        kept, _, name = one.installed[-1].partition("/")
        yield LiveTrouble(
            release_subject(one),
            f"installs {one.chart}, which a cluster can have only once, as {other.namespace}/{other.name} does",
            "they take each other's objects, and whichever is uninstalled takes them all along (F5)",
            f"its file out of the tree, and never uninstalled: flux suspend helmrelease {one.name} -n {one.namespace}; "
            f"{kubectl} delete helmrelease {one.name}; kubectl -n {kept} delete secret -l owner=helm,name={name}; "
            f"flux reconcile helmrelease {other.name} -n {other.namespace} --force",
            also=(second_release(one),),
        )


def objects(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """What two Kustomizations have applied of the same revision: while one hands something over to another, they differ."""
    del expected
    owners = defaultdict[str, list[FluxObject]](list)
    for one in facts.of(LAYER):
        if one.standing == "ready" and one.revision == fetched_in(facts):
            for applied in one.applied:
                owners[applied].append(one)
    shared = defaultdict[tuple[str, ...], list[str]](list)
    for applied, of in owners.items():
        if len(of) > 1:
            shared[tuple(sorted(one.name for one in of))].append(_named(applied))
    for names, things in shared.items():
        yield LiveTrouble(
            Subject("layers", " and ".join(names)),
            f"both apply {some(things, _SHOWN)}",
            "they take it from each other, and if one leaves the tree, Flux deletes it (F8)",
            "one of the two files: ./run render, commit, push; first kustomize.toolkit.fluxcd.io/prune: disabled, if it holds data",
            "docs/tasks/take-over-a-running-cluster.md",
            tuple(map(layer_subject, names)),
        )


def _named(applied: str) -> str:
    """`Kind namespace/name`; names have no underscore, except that RBAC's colons become two."""
    namespace, _, rest = applied.partition("_")
    name, _, kind = rest.rpartition("_")
    name = name.rpartition("_")[0].replace("__", ":")
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


RULES = (LiveRule(charts, (RELEASE,)), LiveRule(objects, (LAYER, SOURCE)))
