"""What Flux's own objects name: health checks, where alerts go, and what image automation reads and writes (failures F2, F26)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import KUSTOMIZE, AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef, group_of
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import entries_of

MISSING_FLUX_OBJECT = refuses(
    "references/missing-flux-object", "F2", "Alert flux-system/all names Provider flux-system/slak, which does not exist"
)
MISSING_HEALTH_CHECK = refuses(
    "references/missing-health-check", "F26", "Kustomization flux-system/web waits for Deployment web/sit, which does not exist"
)


def objects(context: CheckContext) -> Iterator[Finding]:
    """Flux objects that name others; only files create those."""
    tree = context.tree
    if tree.partial:
        return
    for item, one in context.references.of("Alert", "ImagePolicy", "ImageUpdateAutomation"):
        named = one.ref
        if _bootstrapped(context, named) or tree.one(named):
            continue
        known = [other.ref.name for other in tree.of(named.kind) if other.ref.namespace == named.namespace]
        yield MISSING_FLUX_OBJECT(
            line_with(tree.store, item.document, one.field),
            what=f"{item} names {named.kind} {named.namespace}/{named.name}, which does not exist",
            why="Flux only says so in its status, and does nothing",
            fix=nearest(named.name, known) or f"a {named.kind} {named.name} in namespace {named.namespace}",
        )


def _bootstrapped(context: CheckContext, named: ObjectRef) -> bool:
    """Whether bootstrapping creates it, under a name that only a description tells."""
    return named.kind == "GitRepository" and (named.name == FLUX_NAMESPACE or not context.described)


def health_checks(context: CheckContext) -> Iterator[Finding]:
    """Objects that a Kustomization waits for and nothing creates."""
    tree = context.tree
    if tree.partial:
        return
    for item in tree.of("Kustomization"):
        # With `wait` Flux ignores them; what is in another cluster, nobody knows here.
        ours = item.ref.group == KUSTOMIZE and item.is_final and not item.spec.get("wait") and "kubeConfig" not in item.spec
        if not ours:
            continue
        for check in entries_of(item.spec, "healthChecks"):
            if _is_nowhere(context, check):
                yield _waits_for_nothing(context, item, check)


def _is_nowhere(context: CheckContext, check: Mapping[str, Any]) -> bool:
    group, namespace = group_of(str(check.get("apiVersion", ""))), str(check.get("namespace") or "")
    ref = ObjectRef(group, str(check.get("kind")), namespace, str(check.get("name")))
    # Without a namespace, it is in the one that it is applied to.
    if "${" in str(ref) or context.tree.one(ref) or context.tree.one(ref._replace(namespace="")):
        return False
    if group.endswith(".toolkit.fluxcd.io"):
        return True
    return namespace not in context.opaque_namespaces if namespace else not context.opaque_namespaces.exist


def _waits_for_nothing(context: CheckContext, item: AppliedObject, check: Mapping[str, Any]) -> Finding:
    kind, namespace, name = str(check.get("kind")), check.get("namespace"), str(check.get("name"))
    known = [one.ref.name for one in context.tree.of(kind) if one.ref.namespace == (namespace or "")]
    return MISSING_HEALTH_CHECK(
        line_with(context.tree.store, item.document, name),
        what=f"{item} waits for {kind} {f'{namespace}/{name}' if namespace else name}, which does not exist",
        why="it never becomes ready, and nothing that depends on it is applied (F26)",
        fix=nearest(name, known) or "wait: true, or an object in the directory that it reconciles",
    )


RULES = (
    Rule(objects, (MISSING_FLUX_OBJECT,)),
    Rule(health_checks, (MISSING_HEALTH_CHECK,)),
)
