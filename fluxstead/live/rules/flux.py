"""Flux: sources, layers and releases that are not ready, suspended, not there, or left behind (failures F1, F2, F17, F26)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.live.delivered import steps_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.flux import LAYERS, RELEASES, SOURCES, FluxObject, flux_object
from fluxstead.live.moments import longer_ago
from fluxstead.live.rule import LiveRule
from fluxstead.live.steady import undisturbed
from fluxstead.live.trouble import LiveTrouble, Subject, layer_subject, pods_in

LAYER = Kind(LAYERS, partial(flux_object, "Kustomization"))
RELEASE = Kind(RELEASES, partial(flux_object, "HelmRelease"))
SOURCE = Kind(SOURCES, partial(flux_object, "GitRepository"))

SOURCE_SUBJECT = Subject("source", f"{FLUX_NAMESPACE}/{FLUX_NAMESPACE}")
_HEALTH = re.compile(r"(?:timeout waiting for: |)\[?(\w+)/([\w.-]+)/([\w.-]+) (?:status: |)'?\w+'?", re.ASCII)
"""What Flux says of an object that is not healthy (fluxcd/pkg: ssa/manager_wait.go; kstatus/polling)."""
_RESET = "docs/tasks/reset-a-failed-release.md"
_CHART = re.compile(r"HelmChart '([\w.-]+)/([\w.-]+)' is not ready", re.ASCII)
"""How a release says that its chart cannot be had (fluxcd/helm-controller: internal/controller/helmrelease_controller.go)."""
_ON_ITS_WAY = ("latest generation of object has not been reconciled", "does not have an artifact")
_PATIENCE = timedelta(minutes=5)
_STARTING = frozenset({"Progressing", "ProgressingWithRetry", "ReconciliationProgressing"})


def release_subject(one: FluxObject) -> Subject:
    """A release, likewise."""
    return Subject("release", f"{one.namespace}/{one.name}")


def second_release(one: FluxObject) -> Subject:
    """That another release has its chart, where there can be only one."""
    return Subject("second release", f"{one.namespace}/{one.name}")


def sources(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Where Flux reads the tree."""
    del expected
    one = source_in(facts)
    if one is None and facts.knows(SOURCE):
        yield LiveTrouble(
            SOURCE_SUBJECT,
            "is not there: Flux reads no repository",
            "nothing that is committed arrives",
            "pulumi up, where it installs Flux; else flux bootstrap, as generated/<cluster>/README.md says",
            "docs/tasks/first-sync.md",
        )
    elif one and one.suspended:
        yield _suspended(SOURCE_SUBJECT, "source git", one)
    elif one and one.standing in {"failed", "stalled"}:
        yield LiveTrouble(
            SOURCE_SUBJECT,
            f"cannot be fetched: {one.says}",
            "nothing that is committed arrives",
            "the URL and the branch in gotk-sync.yaml, and its key: ./run secrets; then flux reconcile source git flux-system",
            "docs/tasks/first-sync.md",
        )


def source_in(facts: ClusterFacts) -> FluxObject | None:
    """What the tree is read from; None where it is not there."""
    return next((one for one in facts.of(SOURCE) if (one.namespace, one.name) == (FLUX_NAMESPACE, FLUX_NAMESPACE)), None)


def fetched_in(facts: ClusterFacts) -> str:
    """The revision that Flux fetched last; empty where it has none."""
    source = source_in(facts)
    return source.revision if source else ""


def _suspended(subject: Subject, kind: str, one: FluxObject) -> LiveTrouble:
    return LiveTrouble(
        subject,
        "is suspended",
        "somebody stopped it, and no commit changes it until it goes on",
        f"flux resume {kind} {one.name} -n {one.namespace}",
        gravity="warning",
    )


def layers(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """The layers of the tree, each with what it waits for."""
    known = {one.name: one for one in facts.of(LAYER) if one.namespace == FLUX_NAMESPACE}
    releases = {f"{one.namespace}/{one.name}": one for one in facts.of(RELEASE)}
    around = [one for one in known.values() if one.name not in expected.layers]
    calm = undisturbed(known, releases, fetched_in(facts), facts.taken)
    yield from (_around(one) for one in around if one.suspended or one.standing in {"failed", "stalled"})
    for name, awaited in expected.layers.items() if facts.knows(LAYER) else ():
        subject, one = layer_subject(name), known.get(name)
        above = (*map(layer_subject, dict.fromkeys((*awaited, *(one.waits_for if one else ())))), SOURCE_SUBJECT)
        if one is None:
            on_its_way = steps_of(expected.cluster, facts.delivered) if facts.delivered and facts.delivered.on_its_way else ()
            yield LiveTrouble(
                subject,
                "is described, and not in the cluster",
                "what it holds is not there, or nobody keeps it as it is described",
                "git push, if it is not pushed; flux reconcile kustomization flux-system --with-source",
                "docs/tasks/first-sync.md",
                (
                    *above,
                    *(Subject("kustomization", other.name) for other in around),
                    *on_its_way,
                ),
                "warning" if on_its_way else "error",
            )
        elif one.suspended:
            yield _suspended(subject, "kustomization", one)._replace(waits_for=(SOURCE_SUBJECT,))
        elif lacking := [other for other in one.waits_for if other not in known and other not in expected.layers]:
            yield _waits_for_nothing(subject, one, lacking[0])
        elif one.standing != "ready" and name not in calm:
            inside = tuple(release_subject(releases[key]) for key in one.inventory if key in releases)
            named = [] if _is_refused(one) else [*expected.watched.get(name, ()), *_HEALTH.findall(one.says)]
            places = one.namespaces if one.reason in _STARTING else ()
            held = (Subject(f"{what} in", place) for place in places for what in ("claims", "pods"))
            files = steps_of(expected.cluster, facts.delivered) if facts.delivered and cannot_be_built(one) else ()
            yield _not_ready(subject, one, (*above, *inside, *(_subject_of(*of) for of in named), *held, *files))


def _is_refused(layer: FluxObject) -> bool:
    """Whether the API takes what it holds for wrong, which the health of what is there already explains as little as it cures.

    An admission webhook that does not answer is another matter (kubernetes/apiserver: pkg/admission/plugin/webhook/errors).
    """
    return layer.standing == "failed" and layer.reason == "ReconciliationFailed" and "failed calling webhook" not in layer.says


def cannot_be_built(layer: FluxObject) -> bool:
    """Whether its files are no kustomization, as where one of them is missing (fluxcd/kustomize-controller: BuildFailed)."""
    return layer.standing in {"failed", "stalled"} and layer.reason == "BuildFailed"


def _around(one: FluxObject) -> LiveTrouble:
    """A group of layers, the entry, or what people wrote themselves."""
    if one.suspended:
        return _suspended(Subject("kustomization", one.name), "kustomization", one)
    return LiveTrouble(
        Subject("kustomization", one.name),
        f"is not ready: {one.says or one.reason}",
        "what it lists is not changed by any commit, or not there",
        f"flux events --for Kustomization/{one.name} -n {one.namespace}",
        "docs/tasks/first-sync.md",
        (SOURCE_SUBJECT, *(layer_subject(name) for name in one.waits_for)),
    )


def _waits_for_nothing(subject: Subject, one: FluxObject, other: str) -> LiveTrouble:
    return LiveTrouble(
        subject,
        f"waits for a Kustomization that neither is there nor is described: {other}",
        "it is never applied again, nor what depends on it (F2)",
        f"dependsOn in its file: ./run render, commit, push; kubectl -n {one.namespace} get kustomizations",
        waits_for=(SOURCE_SUBJECT,),
    )


def _not_ready(subject: Subject, one: FluxObject, waits_for: tuple[Subject, ...]) -> LiveTrouble:
    if one.reason == "DependencyNotReady":
        says = f"waits: {one.says}"
    elif one.standing == "waiting":
        says = f"is being applied: {one.says}" if one.reason in _STARTING else "is being applied"
    else:
        says = f"is not ready: {one.says or one.reason}"
    return LiveTrouble(
        subject,
        says,
        "what depends on it is not applied either",
        f"flux events --for Kustomization/{one.name} -n {one.namespace}; mend the description, ./run render, commit, push",
        "docs/tasks/a-machine-stands-still.md" if one.reason in {"HealthCheckFailed", "Progressing"} else "",
        waits_for,
        "warning" if _passes(one) else "error",
    )


def _passes(one: FluxObject) -> bool:
    """Whether it is under way, or waits for another, and says nothing of a failure of its own."""
    return one.reason in _STARTING or one.standing == "waiting"


def _subject_of(kind: str, namespace: str, name: str) -> Subject:
    """By what a trouble with an object is named, or with all of its kind there."""
    if kind in {"Deployment", "StatefulSet", "DaemonSet", "Job"}:
        return pods_in(namespace)
    names = {
        "HelmRelease": ("release", f"{namespace}/{name}"),
        "PersistentVolumeClaim": ("claim", f"{namespace}/{name}"),
        "Node": ("disks of", name),
        "ClusterIssuer": ("issuer", name),
    }
    return Subject(*names.get(kind, (kind.lower(), f"{namespace}/{name}")))


def releases(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Releases that failed, stopped trying, or belong to no layer any more."""
    del expected
    owned = {key for one in facts.of(LAYER) for key in one.inventory}
    for one in facts.of(RELEASE):
        if f"{one.namespace}/{one.name}" not in owned and facts.knows(LAYER):
            yield _nobodys(one)
        elif one.suspended:
            yield _suspended(release_subject(one), "helmrelease", one)
        elif one.standing != "ready":
            yield _release_not_ready(one, facts)


def _nobodys(one: FluxObject) -> LiveTrouble:
    """Whatever else it is, that is the first thing to decide. Of one that is suspended, Flux uninstalls nothing."""
    if not one.revisions:
        means, look = "its file is gone, and it has installed nothing", ""
    else:
        means = "its file is gone, and what it installed goes on running as it was"
        where = one.namespaces[0] if one.namespaces else one.namespace
        look = f" (kubectl -n {where} get all,pvc,secret -l helm.toolkit.fluxcd.io/name={one.name})"
    kept, _, name = one.installed[-1].partition("/")
    rest = f", which leaves that there: then helm uninstall {name} -n {kept}" if one.suspended and one.revisions else ""
    return LiveTrouble(
        release_subject(one),
        f"is in the cluster{', suspended' if one.suspended else ''}, and no layer applies it",
        means,
        f"its file in its layer's folder, if it is wanted (git log --diff-filter=D --name-only); if it may go{look}: "
        f"kubectl delete helmrelease {one.name} -n {one.namespace}{rest}",
        waits_for=(second_release(one),),
        gravity="warning",
    )


def _release_not_ready(one: FluxObject, facts: ClusterFacts) -> LiveTrouble:
    stalled = one.standing == "stalled"
    return LiveTrouble(
        release_subject(one),
        f"{'has stopped trying' if stalled else 'is not ready'}: {one.says or one.reason or 'nothing is said yet'}",
        "its chart is not, or not wholly, in the cluster",
        f"flux reconcile helmrelease {one.name} -n {one.namespace} --reset" if stalled else _look_at(one),
        _RESET,
        tuple(Subject(kind, one.namespace) for kind in ("pods in", "claims in", "secrets in")),
        "warning" if _passes(one) or _fetches(one, facts.taken) else "error",
    )


def _fetches(one: FluxObject, now: datetime) -> bool:
    """Whether its chart is only on its way, as after each commit that changes its version."""
    return one.says.endswith(_ON_ITS_WAY) and not longer_ago(one.since, _PATIENCE, now)


def _look_at(one: FluxObject) -> str:
    if chart := _CHART.search(one.says):
        fetch = f"flux reconcile source chart {chart[2]} -n {chart[1]}"
        return f"./run check --online, for its version and its repository; then, since Flux may have given it up: {fetch}"
    return f"kubectl -n {one.namespace} get pods,pvc; mend its values in the description, ./run render, commit, push"


def counted(expected: Expected, facts: ClusterFacts) -> str:
    """How many of the tree's layers are ready."""
    ready = {one.name for one in facts.of(LAYER) if one.namespace == FLUX_NAMESPACE and one.standing == "ready"}
    return f"layers {len(ready & expected.layers.keys())} of {len(expected.layers)} ready" if facts.knows(LAYER) else ""


COUNTS = (counted,)
RULES = (
    LiveRule(sources, (SOURCE,)),
    LiveRule(layers, (LAYER, RELEASE, SOURCE)),
    LiveRule(releases, (RELEASE, LAYER)),
)
