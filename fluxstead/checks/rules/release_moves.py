"""What a changed HelmRelease does to the Helm release that is there, and to the claims of its chart (failures F5, F28, U10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.chart import ClaimValue
from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.charts import chart_of, chart_source, helm_identity
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import mapping

RELEASE_ANEW = refuses(
    "moves/release-anew",
    "F5, U10",
    "HelmRelease web/db in HEAD is the Helm release web/db, and now default/database",
    "the tree and the commits before it",
)
CHART_CLAIM = refuses(
    "moves/chart-claim",
    "F28",
    "HelmRelease web/site in HEAD asks for 5Gi at `persistence.size`, and now for 2Gi",
    "the tree and the commits before it",
)
CLAIM_KEPT = warns(
    "moves/claim-kept",
    "F28",
    "HelmRelease monitoring/stack in HEAD asks for 10Gi at `….volumeClaimTemplate.…`, and now for 20Gi",
    "the tree and the commits before it",
)

_NAMES = ("releaseName", "targetNamespace", "storageNamespace")
_OF_FILES = ("GitRepository", "Bucket")
_SETS = ("sts", "statefulset")
_VARIABLE = "${"


def releases(move: Transition) -> Iterator[Finding]:
    """HelmReleases that are another release for Helm, and claims that their values change as no claim can be changed."""
    if move.nothing_is_left:
        return
    for old, new in move.releases():
        if new.spec.get("suspend") is True or not (old.has_final_name and new.has_final_name):
            continue
        anew = _anew(move, old, new)
        if anew:
            yield anew
        elif new.keeps("spec", "values"):
            yield from _claims(move, old, new)


def _anew(move: Transition, old: AppliedObject, new: AppliedObject) -> Finding | None:
    """Source: fluxcd/helm-controller internal/action/verify.go, `ReleaseTargetChanged`."""
    if not all(new.keeps("spec", key) for key in (*_NAMES, "chart", "chartRef")):
        return None
    was, now = helm_identity(old), helm_identity(new)
    charts = _chart_name(move.before, old), _chart_name(move.now, new)
    if _VARIABLE in f"{was}{now}{charts}":
        return None
    if was[:2] != now[:2]:
        what = f"is the Helm release {was.namespace}/{was.name}, and now {now.namespace}/{now.name}"
    elif was.history != now.history:
        what = f"keeps Helm's history in namespace {was.history}, and now in {now.history}"
    elif all(charts) and charts[0] != charts[1]:
        what = f"installs the chart {charts[0]}, and now {charts[1]}"
    else:
        return None
    return RELEASE_ANEW(
        _place(move, old, new),
        what=f"{new.ref} in {move.name} {what}",
        why="Flux uninstalls the release that is there, with the claims that its chart made, and installs another one (U10)",
        fix="what it was; or a HelmRelease of another name next to this one, what it holds moved over, and this one removed later",
    )


def _chart_name(tree: AppliedTree, item: AppliedObject) -> str:
    """Its chart's name; empty where only a folder has one."""
    source = mapping(mapping(mapping(item.spec, "chart"), "spec"), "sourceRef")
    return "" if source.get("kind") in _OF_FILES else chart_of(tree, item)[0]


def _place(move: Transition, old: AppliedObject, new: AppliedObject) -> Source:
    source = chart_source(move.now, new)
    changed = [key for key in (*_NAMES, "chart", "chartRef") if old.spec.get(key) != new.spec.get(key)]
    written = (f"chart: {chart_of(move.now, new)[0]}" if key == "chart" else f"{key}:" for key in changed)
    if not changed and source is not None:
        return line_with(move.now.store, source.document, "url:")
    return line_with(move.now.store, new.document, *written)


def _claims(move: Transition, old: AppliedObject, new: AppliedObject) -> Iterator[Finding]:
    chart = move.facts.chart(move.now, new)
    before, after = values_of(move.before, old).certain, values_of(move.now, new).certain
    if not chart.claims or before == after or chart is not move.facts.chart(move.before, old):
        return
    for claim in chart.claims:
        was, now = _at(before, claim.path), _at(after, claim.path)
        if was and now and was.get("enabled") == now.get("enabled") is not False and not now.get("existingClaim"):
            yield from _sizes(move, new, claim, was, now)
            yield from _classes(move, new, claim, was, now)


def _sizes(
    move: Transition, new: AppliedObject, claim: ClaimValue, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Finding]:
    *way, last = claim.size.split(".")
    was, now = (Quantity.read(_at(values, *way).get(last)) for values in (before, after))
    if was is None or now is None or was.amount == now.amount:
        return
    what = f"{new.ref} in {move.name} asks for {was} at `{claim.path}.{claim.size}`, and now for {now}"
    place = move.context.place_in_values(new, *claim.path.split("."), *way, last)
    if now.amount < was.amount or _is_set(claim, after):
        yield CHART_CLAIM(place, what=what, why=_why(claim, after), fix=f"{was}, as before")
    elif claim.made_by == "operator":
        yield CLAIM_KEPT(
            place,
            what=what,
            why="the claims that are there stay as they are: an operator makes its set anew, and not its claims",
            fix=f"`kubectl edit pvc` in {helm_identity(new).namespace}, with storage: {now} in each claim, once this has arrived",
        )


def _classes(
    move: Transition, new: AppliedObject, claim: ClaimValue, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Finding]:
    was, now = before.get(claim.storage_class), after.get(claim.storage_class)
    if was == now or not isinstance(was, str) or not isinstance(now, str) or _VARIABLE in was + now:
        return
    what = f"{new.ref} in {move.name} takes class {was} at `{claim.path}.{claim.storage_class}`, and now {now}"
    place = move.context.place_in_values(new, *claim.path.split("."), claim.storage_class)
    if claim.made_by != "operator":
        yield CHART_CLAIM(place, what=what, why=_why(claim, after), fix=f"{was}, as before")
    else:
        yield CLAIM_KEPT(
            place,
            what=what,
            why="the claims that are there keep their class: it is asked for once, when a claim is made",
            fix=f"{was}, as before; or the claims deleted by hand, with what they hold",
        )


def _is_set(claim: ClaimValue, values: Mapping[str, Any]) -> bool:
    return claim.made_by == "set" or values.get("type") in _SETS


def _why(claim: ClaimValue, values: Mapping[str, Any]) -> str:
    if _is_set(claim, values):
        return "the templates of a StatefulSet never change: Helm's upgrade fails, and so does every one after it (F28)"
    if claim.made_by == "operator":
        return "no volume becomes smaller: the claims keep their size, and what is written here is not what is taken on the disks"
    return "the API server refuses it for the claim that is there: Helm's upgrade fails, and so does every one after it (F28)"


def _at(data: Mapping[str, Any], *paths: str) -> Mapping[str, Any]:
    for path in paths:
        for key in path.split("."):
            data = mapping(data, key)
    return data


MOVES = (Rule(releases, (RELEASE_ANEW, CHART_CLAIM, CLAIM_KEPT)),)
