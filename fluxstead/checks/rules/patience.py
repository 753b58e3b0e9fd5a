"""Patience: a Kustomization that waits for a release must wait as long as the release may take (failure F17)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.reading.store import entries_of, line_with
from fluxstead.checks.reading.view import Item
from fluxstead.checks.rule import Rule
from fluxstead.checks.subject import Subject
from fluxstead.core.check import warns
from fluxstead.core.duration import seconds
from fluxstead.core.findings import Finding
from fluxstead.core.helm import release_seconds

TIMEOUT_TOO_SHORT = warns(
    "releases/timeout", "F17", "Kustomization flux-system/web waits 5m for HelmRelease web/site, which may take 20m"
)


def findings(subject: Subject) -> Iterator[Finding]:
    """For each Kustomization, the slowest release that may take longer than the Kustomization waits."""
    for unit in subject.view.units.values():
        waited = [item for item in unit.items if item.ref.kind == "HelmRelease" and item.whole and _waits_for(item)]
        if not waited or unit.document is None:
            continue
        # Flux uses the interval where no timeout is set (kustomize-controller: Kustomization.GetTimeout).
        said = str(unit.spec.get("timeout") or unit.spec.get("interval") or "")
        longest = max(waited, key=lambda item: release_seconds(item.object))
        needed = release_seconds(longest.object)
        if 0 < seconds(said) < needed:
            yield TIMEOUT_TOO_SHORT(
                line_with(subject.view.store, unit.document, "timeout:"),
                what=f"Kustomization {unit.key} waits {said} for {longest.ref}, which may take {needed / 60:g}m",
                why="a slow start, such as a first image pull, is reported as failed while Helm is still working (F17)",
                write=f"timeout: {int(-(-needed // 60)) + 1}m",
            )


def _waits_for(item: Item) -> bool:
    spec = item.unit.spec
    if spec.get("wait"):
        return True
    return any(
        check.get("kind") == "HelmRelease" and (check.get("namespace"), check.get("name")) == (item.ref.namespace, item.ref.name)
        for check in entries_of(spec, "healthChecks")
    )


RULES = (Rule(findings, (TIMEOUT_TOO_SHORT,)),)
