"""Keeping: what holds data, and what pruning or a Helm remediation could delete (failures F17, U10)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.catalog.chart import Chart
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.claims import volumes_by_namespace
from fluxstead.checks.reading.applied_tree import PRUNE, AppliedObject, annotation
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import mapping

PRUNABLE = refuses("storage/prunable", "U10", "PersistentVolumeClaim web/data holds data, and Flux may prune it")
SYSTEM_NAMESPACE = warns("ownership/system-namespace", "U10", "Flux may prune Namespace flux-system, which is its own")
REMEDIATION = refuses("storage/remediation", "F17", "HelmRelease storage/volumes lets Helm rollback it when upgrade fails")


def findings(context: CheckContext) -> Iterator[Finding]:
    """Storage that pruning or a Helm remediation could delete."""
    for item in context.tree.of("HelmRelease"):
        chart = context.facts.chart(context.tree, item)
        if chart.holds_volumes:
            yield from _remedies(context, item, chart)
    if not context.described:
        return
    inside = volumes_by_namespace(context.facts, context.tree)
    for item in context.tree.objects:
        if annotation(item, PRUNE) == "disabled" or not item.kustomization.spec.get("prune", True):
            continue
        held = inside.get(item.ref.name) if item.ref.kind == "Namespace" else None
        if held is not None or _holds_data(context, item):
            yield PRUNABLE(
                item.source,
                what=f"{item} holds {held.ref if held else 'data'}, and Flux may prune it",
                why="everything in the namespace goes with it, whatever the claims themselves say (U10)"
                if held
                else "a renamed file or a changed path would delete it and its volumes within seconds (U10)",
                fix=f"the annotation {PRUNE}: disabled",
            )


def system_namespaces(context: CheckContext) -> Iterator[Finding]:
    """Namespaces of Kubernetes and of Flux itself in a Kustomization that prunes; one with `namespace:` renames those in it."""
    for item in context.tree.of("Namespace"):
        own = item.ref.name == FLUX_NAMESPACE
        if not (own or item.ref.name in NAMESPACES) or not item.has_final_name:
            continue
        if annotation(item, PRUNE) != "disabled" and item.kustomization.spec.get("prune"):
            yield SYSTEM_NAMESPACE(
                item.source,
                what=f"Flux may prune {item}, which is {'its own' if own else 'one of Kubernetes'}",
                why="without this file, or this Kustomization, Flux would delete itself and leave everything without an owner (U10)"
                if own
                else "Kubernetes refuses to delete it, and the Kustomization would never become ready again (U10)",
                fix=f"the annotation {PRUNE}: disabled, or no such object here",
            )


def _holds_data(context: CheckContext, item: AppliedObject) -> bool:
    if item.ref.kind == "HelmRelease":
        return bool(context.facts.chart(context.tree, item).holds_volumes)
    return context.facts.is_data(item) or context.facts.registers_disks(item)


def _remedies(context: CheckContext, item: AppliedObject, chart: Chart) -> Iterator[Finding]:
    for step in ("install", "upgrade"):
        remedy = mapping(mapping(item.spec, step), "remediation")
        if remedy.get("retries") or remedy.get("remediateLastFailure"):
            yield REMEDIATION(
                line_with(context.tree.store, item.document, "remediation:"),
                what=f"{item} lets Helm {'uninstall' if step == 'install' else remedy.get('strategy', 'rollback')} {chart} when "
                f"{step} fails",
                why=f"{chart} refuses to be downgraded, and an uninstall deletes its custom resources (F17)",
                fix="remediation: {retries: 0, remediateLastFailure: false}; since Flux 2.7 strategy: {name: RetryOnFailure}",
            )


RULES = (Rule(findings, (PRUNABLE, REMEDIATION)), Rule(system_namespaces, (SYSTEM_NAMESPACE,)))
