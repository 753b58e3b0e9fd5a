"""Patience: a Kustomization that waits for a release must wait as long as the release may take (failure F17)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.duration import Duration
from fluxstead.core.findings import Finding
from fluxstead.core.helm import release_seconds
from fluxstead.core.shape import entries_of, mapping

TIMEOUT_TOO_SHORT = warns(
    "releases/timeout", "F17", "Kustomization flux-system/web waits 5m for HelmRelease web/site, which may take 20m"
)
RELEASE_TOO_SHORT = warns("releases/short-timeout", "F17", "HelmRelease web/site gives up after 20s")

_LEAST = Duration("1m")
"""A first image alone may take as long."""


def findings(context: CheckContext) -> Iterator[Finding]:
    """For each Kustomization, the slowest release that may take longer than the Kustomization waits."""
    for kustomization in context.tree.kustomizations.values():
        waited = [item for item in kustomization.objects if item.ref.kind == "HelmRelease" and item.is_final and _waits_for(item)]
        if not waited or kustomization.document is None:
            continue
        # Flux uses the interval where no timeout is set (kustomize-controller: Kustomization.GetTimeout).
        patience = Duration.read(kustomization.spec.get("timeout") or kustomization.spec.get("interval"))
        longest = max(waited, key=lambda item: release_seconds(item.object))
        needed = release_seconds(longest.object)
        if patience and 0 < patience.seconds < needed:
            yield TIMEOUT_TOO_SHORT(
                line_with(context.tree.store, kustomization.document, "timeout:"),
                what=f"{kustomization.ref} waits {patience} for {longest.ref}, which may take {needed / 60:g}m",
                why="a slow start, such as a first image pull, is reported as failed while Helm is still working (F17)",
                fix=f"timeout: {int(-(-needed // 60)) + 1}m",
            )


def releases(context: CheckContext) -> Iterator[Finding]:
    """Releases that are told to give up before their chart can be there."""
    for one in context.chart_values:
        item = one.item
        if item.ref.kind != "HelmRelease" or not item.is_final:
            continue
        least = context.facts.charts[one.chart].takes or _LEAST
        for holder in (item.spec, mapping(item.spec, "install"), mapping(item.spec, "upgrade")):
            written = Duration.read(holder.get("timeout"))
            if written and written.seconds < least.seconds:
                yield RELEASE_TOO_SHORT(
                    line_with(context.tree.store, item.document, f"timeout: {written}"),
                    what=f"{item} gives up after {written}",
                    why="images, jobs and volumes take longer at a first start, and Flux reports a failure while Helm works (F17)",
                    fix="no timeout, for Flux's 5m, or a longer one",
                )
                break


def _waits_for(item: AppliedObject) -> bool:
    spec = item.kustomization.spec
    if spec.get("wait"):
        return True
    return any(
        check.get("kind") == "HelmRelease" and (check.get("namespace"), check.get("name")) == (item.ref.namespace, item.ref.name)
        for check in entries_of(spec, "healthChecks")
    )


RULES = (Rule(findings, (TIMEOUT_TOO_SHORT,)), Rule(releases, (RELEASE_TOO_SHORT,)))
