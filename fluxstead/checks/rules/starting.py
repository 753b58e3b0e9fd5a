"""What pods wait for before they start, besides their configuration: volumes and a priority (failures F1, U5)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef

MISSING_CLAIM = warns(
    "references/missing-claim", "F1", "Deployment web/site mounts PersistentVolumeClaim web/dat, which is not in the tree"
)
MISSING_PRIORITY_CLASS = refuses(
    "references/missing-priority-class", "U5", "Deployment web/site uses PriorityClass hihg, which does not exist"
)


def claims(context: CheckContext) -> Iterator[Finding]:
    """PersistentVolumeClaims that pods mount; people also create them by hand, as when they restore one."""
    tree = context.tree
    if tree.partial:
        return
    for item, claim in context.references.of(*WORKLOADS, kinds={"PersistentVolumeClaim"}):
        namespace, name = item.ref.namespace, claim.ref.name
        if namespace in context.opaque_namespaces or _is_made(context, namespace, name):
            continue
        known = [one.ref.name for one in tree.of("PersistentVolumeClaim") if one.ref.namespace == namespace]
        yield MISSING_CLAIM(
            line_with(tree.store, item.document, name),
            what=f"{item} mounts PersistentVolumeClaim {namespace}/{name}, which is not in the tree",
            why="unless somebody creates it in the cluster by hand, its pods stay pending",
            fix=nearest(name, known) or f"a PersistentVolumeClaim {name} in namespace {namespace}",
        )


def _is_made(context: CheckContext, namespace: str, name: str) -> bool:
    """Whether it is in the tree, or a StatefulSet makes it: `<template>-<set>-<number>`."""
    if context.tree.one(ObjectRef("", "PersistentVolumeClaim", namespace, name)):
        return True
    before, _, number = name.rpartition("-")
    return number.isdecimal() and (namespace, before) in context.pods.claims


def priorities(context: CheckContext) -> Iterator[Finding]:
    """PriorityClasses that pods name, where everything is known that the tree's charts bring."""
    tree = context.tree
    brought: set[str] = set()
    for item in tree.of("HelmRelease", "HelmChart"):
        brings = context.facts.brings(tree, item)
        if brings is None:
            return
        brought |= brings.priority_classes
    brought |= {item.ref.name for item in tree.of("PriorityClass")}
    if tree.partial or not all(kustomization.has_final_names for kustomization in tree.kustomizations.values()):
        return
    for item, named in context.references.of(*WORKLOADS, kinds={"PriorityClass"}):
        if not named.ref.name.startswith("system-") and named.ref.name not in brought:
            yield _no_priority(context, item, named.ref.name, brought)


def _no_priority(context: CheckContext, item: AppliedObject, name: str, known: set[str]) -> Finding:
    return MISSING_PRIORITY_CLASS(
        line_with(context.tree.store, item.document, name),
        what=f"{item} uses PriorityClass {name}, which does not exist",
        why="the API server refuses its pods",
        fix=nearest(name, known) or f"a PriorityClass {name}",
    )


RULES = (
    Rule(claims, (MISSING_CLAIM,)),
    Rule(priorities, (MISSING_PRIORITY_CLASS,)),
)
