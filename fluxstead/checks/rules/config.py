"""ConfigMaps and Secrets that pods, charts and Flux take their configuration from.

A pod that names a missing one that is not `optional` stays in ContainerCreating or CreateContainerConfigError
(Kubernetes, "Configure a Pod to Use a ConfigMap" and "Secrets"). Secrets are often created by hand, so a missing one is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.config_references import ConfigReference, from_charts, from_flux, from_ingresses, from_pods
from fluxstead.checks.reading.applied_tree import KUSTOMIZE, AppliedObject, AppliedTree
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.requirement import secret
from fluxstead.core.shape import mapping

DECRYPTION_KEY = warns(
    "references/decryption-key",
    "F22",
    "Kustomization flux-system/web decrypts with Secret flux-system/sops, but the description says flux-system/sops-age",
)
MISSING_CONFIG_MAP = refuses(
    "references/missing-config-map",
    "U5",
    "Deployment web/site takes its configuration from ConfigMap web/setings, which does not exist",
)
MISSING_SECRET = warns("references/missing-secret", "U5", "HelmRelease web/site needs Secret web/admin, which is not in the tree")
MISSING_VALUES = warns(
    "references/missing-values", "U5", "HelmRelease web/site takes values from ConfigMap web/setings, which is not in the tree"
)


def findings(context: CheckContext) -> Iterator[Finding]:
    """What the tree names and does not contain."""
    if context.tree.partial:
        return
    missing: dict[ObjectRef, tuple[AppliedObject, set[str]]] = {}
    # What a described system needs is told of by itself, with what to type (fluxstead.secrets).
    needed = {secret(need.namespace, need.name) for need in context.ciphertexts.values()}
    for one in _missing(context):
        if one.ref in needed:
            continue
        missing.setdefault(one.ref, (one.item, set()))[1].update(one.keys)
    for ref, (item, keys) in missing.items():
        if ref.kind == "Secret":
            yield _secret(context, item, ref.namespace, ref.name, keys)
        elif item.ref.kind in {"HelmRelease", "Kustomization"}:
            yield _values(context, item, ref.namespace, ref.name)
        else:
            yield _config_map(context, item, ref.name, keys)


def _missing(context: CheckContext) -> Iterator[ConfigReference]:
    tree, providers, references = context.tree, context.config_providers, context.references
    for one in (*from_pods(references), *from_ingresses(references)):
        if not providers.may_provide(one.ref):
            yield one
    # A release does not create what it is installed from, though it could create anything else in its namespace.
    for one in (*from_charts(context.facts, tree), *from_flux(references)):
        if "${" not in str(one.ref) and not providers.provides(one.ref):
            yield one


def decryption(context: CheckContext) -> Iterator[Finding]:
    """The key that Kustomizations decrypt with. It can only be created by hand, and the description says what it is called."""
    known = context.sops_secret
    if known is None:
        return
    for item in context.tree.of("Kustomization"):
        name = mapping(mapping(item.spec, "decryption"), "secretRef").get("name")
        if item.ref.group != KUSTOMIZE or not item.is_final or name is None or (item.ref.namespace, name) == known:
            continue
        yield DECRYPTION_KEY(
            line_with(context.tree.store, item.document, str(name)),
            what=f"{item} decrypts with Secret {item.ref.namespace}/{name}, but the description says {'/'.join(known)}",
            why="unless both were created in the cluster by hand, nothing in this Kustomization is applied",
            fix=f"{known[1]}, for a Kustomization in namespace {known[0]}",
        )


def _values(context: CheckContext, item: AppliedObject, namespace: str, name: str) -> Finding:
    return MISSING_VALUES(
        line_with(context.tree.store, item.document, name),
        what=f"{item} takes values from ConfigMap {namespace}/{name}, which is not in the tree",
        why="unless somebody creates it in the cluster by hand, Flux applies nothing of it",
        fix=nearest(name, _config_maps_in(context.tree, namespace)) or f"a ConfigMap {name} in namespace {namespace}",
    )


def _config_maps_in(tree: AppliedTree, namespace: str) -> list[str]:
    return [one.ref.name for one in tree.of("ConfigMap") if (one.ref.namespace or "default") == namespace]


def _config_map(context: CheckContext, item: AppliedObject, name: str, keys: Iterable[str]) -> Finding:
    tree, namespace = context.tree, item.ref.namespace or "default"
    near = nearest(name, _config_maps_in(tree, namespace))
    return MISSING_CONFIG_MAP(
        line_with(tree.store, item.document, name),
        what=f"{item} takes its configuration from ConfigMap {namespace}/{name}, which does not exist",
        why="its pods wait for it forever, and never start",
        fix=near or f"a ConfigMap {name} in namespace {namespace}{_with(keys)}, or optional: true",
    )


def _secret(context: CheckContext, item: AppliedObject, namespace: str, name: str, keys: Iterable[str]) -> Finding:
    holding = _with(keys) or " with the keys that it reads"
    return MISSING_SECRET(
        line_with(context.tree.store, item.document, name),
        what=f"{item} needs Secret {namespace}/{name}, which is not in the tree",
        why="unless somebody creates it in the cluster by hand, what needs it does not start, log in or serve its certificate",
        fix=f"a SOPS-encrypted Secret {name} in namespace {namespace}{holding}, in an included directory",
    )


def _with(keys: Iterable[str]) -> str:
    names = sorted(keys)
    return f" with the key{'s' if len(names) > 1 else ''} {' and '.join(names)}" if names else ""


RULES = (
    Rule(decryption, (DECRYPTION_KEY,)),
    Rule(findings, (MISSING_CONFIG_MAP, MISSING_SECRET, MISSING_VALUES)),
)
