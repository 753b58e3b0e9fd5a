"""Keeping: what holds data, and what pruning or a remedy of Helm could take away (failures F17, U10)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.chart import Chart
from fluxstead.checks.objects.claims import volumes_by_namespace
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.view import PRUNE, Item, annotation
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, error
from fluxstead.core.shape import mapping


def findings(subject: Subject) -> Iterator[Finding]:
    """Storage that pruning or a remedy of Helm could take away."""
    for item in subject.view.of("HelmRelease"):
        chart = subject.known.chart(subject.view, item)
        if chart.holds_volumes:
            yield from _remedies(subject, item, chart)
    inside = volumes_by_namespace(subject.known, subject.view) if subject.described else {}
    for item in subject.view.items if subject.described else ():
        if annotation(item, PRUNE) == "disabled" or not item.unit.spec.get("prune", True):
            continue
        held = inside.get(item.ref.name) if item.ref.kind == "Namespace" else None
        if held is not None or _holds_data(subject, item):
            yield error(
                "storage/prunable",
                item.source,
                what=f"{item} holds {held.ref if held else 'data'}, and Flux may prune it",
                why="with the namespace goes everything in it, whatever is written at the claims themselves (U10)"
                if held
                else "a renamed file or a changed path would delete it and its volumes within seconds (U10)",
                write=f"the annotation {PRUNE}: disabled",
            )


def _holds_data(subject: Subject, item: Item) -> bool:
    if item.ref.kind == "HelmRelease":
        return bool(subject.known.chart(subject.view, item).holds_volumes)
    return item.ref.kind == "PersistentVolumeClaim" or subject.known.registers_disks(item)


def _remedies(subject: Subject, item: Item, chart: Chart) -> Iterator[Finding]:
    for step in ("install", "upgrade"):
        remedy = mapping(mapping(item.spec, step), "remediation")
        if remedy.get("retries") or remedy.get("remediateLastFailure"):
            yield error(
                "storage/remediation",
                line_with(subject.view.store, item.document, "remediation:"),
                what=f"{item} lets Helm {'uninstall' if step == 'install' else remedy.get('strategy', 'rollback')} {chart} when "
                f"{step} fails",
                why=f"{chart} refuses to go back, and an uninstall deletes its custom resources (F17)",
                write="remediation: {retries: 0, remediateLastFailure: false}; since Flux 2.7 strategy: {name: RetryOnFailure}",
            )
