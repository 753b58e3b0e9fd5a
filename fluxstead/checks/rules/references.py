"""References: what an object names has to exist (failures F2, F3, U5)."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterable, Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.pods import CONTROLLERS_OWN
from fluxstead.checks.reading.applied_tree import HELM, KUSTOMIZE, AppliedTree, FluxKustomization, releases_before
from fluxstead.checks.reading.directory import MISSING_FILE, NOT_YAML
from fluxstead.checks.reading.documents import Document
from fluxstead.checks.reading.kustomize_files import BAD_KUSTOMIZATION, NO_OBJECT
from fluxstead.checks.reading.store import line_with, normal
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import mapping
from fluxstead.tree.entry import entry_path

DANGLING_DEPENDENCY = refuses(
    "references/dangling-dependency",
    "F2",
    "Kustomization flux-system/monitoring depends on flux-system/infrastructur, which does not exist",
)
MISSING_PATH = refuses(
    "references/missing-path", "F3", "Kustomization flux-system/whoami reconciles apps/whoam, which is not in the repository"
)
MISSING_SOURCE = refuses(
    "references/missing-source",
    "F2",
    "HelmRelease a/b takes its content from HelmRepository flux-system/charts, which does not exist",
)
NO_TARGET = refuses("references/no-target", "U9", "HorizontalPodAutoscaler web/site scales Deployment sit, which does not exist")
SELECTS_NOTHING = warns(
    "references/selects-nothing", "U9", "Service web/site selects pods with app=sit, which no pod in its namespace has"
)


def paths(context: CheckContext) -> Iterator[Finding]:
    """Files that a kustomization lists, and directories that a Flux Kustomization reconciles."""
    yield from context.tree.findings
    tree, store = context.tree, context.tree.store
    for kustomization in tree.kustomizations.values():
        path = tree.folder_of(kustomization.spec)
        if kustomization.document is None or kustomization.elsewhere or "${" in path or store.is_folder(path):
            continue
        near = _near(path, _folders(tree))
        yield MISSING_PATH(
            line_with(store, kustomization.document, "path:"),
            what=f"{kustomization.ref} reconciles {normal(str(kustomization.spec.get('path') or ''))},"
            f" which {store.left_out(path) or 'is not in the repository'}",
            why="Flux reports `path not found`, and applies nothing of it (F3)",
            fix=posixpath.join(tree.place, near) if near else "a directory of this repository",
        )


def _folders(tree: AppliedTree) -> list[str]:
    return sorted({path.rpartition("/")[0] for path in tree.files})


def dependencies(context: CheckContext) -> Iterator[Finding]:
    """`dependsOn` of Kustomizations and HelmReleases (F2)."""
    tree = context.tree
    if tree.partial:
        return
    unreached: dict[ObjectRef, Document] = {}
    for kustomization in tree.kustomizations.values():
        document = kustomization.document
        if document is not None:
            missing = [
                name for name in kustomization.dependencies if name not in tree.kustomizations and _known(kustomization, name)
            ]
            if document.generated:
                unreached.update(dict.fromkeys(missing, document))
                continue
            for name in missing:
                place = line_with(tree.store, document, name.name)
                yield _dangling(context, name.qualified_name, place, generated=False, waits=f"{kustomization.ref} depends on")
    if unreached:
        first = next(iter(unreached.values()))
        place = Source(entry_path(context.platform.cluster)) if context.platform else first.source
        names = ", ".join(sorted(one.qualified_name for one in unreached))
        yield _dangling(context, names, place, generated=True, waits="layers of the tree wait for")
    releases = {item.ref for item in tree.of("HelmRelease")}
    for item in tree.of("HelmRelease"):
        for name in releases_before(item):
            if name not in releases and item.is_final and "${" not in name.qualified_name:
                other = name._replace(group=KUSTOMIZE, kind="Kustomization") in tree.kustomizations
                yield DANGLING_DEPENDENCY(
                    line_with(tree.store, item.document, name.name),
                    what=f"{item.ref} depends on {name.qualified_name}, which "
                    + ("is a Kustomization: a release only waits for releases" if other else "does not exist"),
                    why="Flux waits forever for a release that nobody created (F2)",
                    fix=f"dependsOn in the Kustomization of this release, {item.kustomization.ref.qualified_name}"
                    if other
                    else _near(name.qualified_name, [one.qualified_name for one in releases])
                    or "the name of a HelmRelease, with its namespace where that differs",
                )


def _known(kustomization: FluxKustomization, name: ObjectRef) -> bool:
    return kustomization.has_final_names and "${" not in name.qualified_name


def _dangling(context: CheckContext, names: str, source: Source, *, generated: bool, waits: str) -> Finding:
    """In a generated tree nobody wrote a dependsOn, and none is wrong: Flux begins in only a part of it."""
    known = [kustomization.ref.qualified_name for kustomization in context.tree.kustomizations.values() if kustomization.document]
    near = _near(names, known) or "the name of a Kustomization of this tree"
    return DANGLING_DEPENDENCY(
        source,
        what=f"{waits} {names}, which Flux does not reach from here" if generated else f"{waits} {names}, which does not exist",
        why="Flux waits forever for a Kustomization that nobody created (F2)",
        fix="the path of the whole tree" if generated else near,
    )


def sources(context: CheckContext) -> Iterator[Finding]:
    """The repositories that Kustomizations and HelmReleases take their content from."""
    tree = context.tree
    if tree.partial:
        return
    known = {
        (item.ref.kind, item.ref.namespace, item.ref.name)
        for item in tree.of("GitRepository", "HelmRepository", "OCIRepository", "Bucket", "HelmChart", "ExternalArtifact")
    }
    made = any(item.ref.kind == "ArtifactGenerator" for item in tree.objects)
    for item in [*tree.of("Kustomization"), *tree.of("HelmRelease")]:
        if item.ref.group not in {KUSTOMIZE, HELM}:
            continue
        chart = mapping(mapping(item.spec, "chart"), "spec")
        source = mapping(item.spec, "chartRef") or mapping(chart, "sourceRef") or mapping(item.spec, "sourceRef")
        kind, name = str(source.get("kind", "GitRepository")), str(source.get("name", ""))
        namespace = str(source.get("namespace") or item.ref.namespace)
        moved_away = name == FLUX_NAMESPACE != namespace and item.keeps("spec", "sourceRef")
        bootstrapped = not moved_away and (name == FLUX_NAMESPACE or (item.ref.kind == "Kustomization" and not context.described))
        if not name or (kind, namespace, name) in known or bootstrapped or (made and kind == "ExternalArtifact"):
            continue
        if not item.has_final_name or "${" in name + namespace:
            continue
        choice = [f"{one[1]}/{one[2]}" for one in known if one[0] == kind]
        yield MISSING_SOURCE(
            line_with(tree.store, item.document, "sourceRef" if "sourceRef" in str(item.object) else "chartRef"),
            what=f"{item.ref} takes its content from {kind} {namespace}/{name}, which does not exist",
            why="Flux has nothing to build it from, and waits forever",
            fix=_near(f"{namespace}/{name}", choice) or f"a {kind} of this tree",
        )


def targets(context: CheckContext) -> Iterator[Finding]:
    """What autoscalers scale, and what Services and disruption budgets select."""
    tree = context.tree
    if tree.partial:
        return
    for item, one in context.references.of("HorizontalPodAutoscaler"):
        named = one.ref
        if item.ref.namespace not in context.opaque_namespaces and tree.one(named) is None:
            here = [other.ref.name for other in tree.of(named.kind) if other.ref.namespace == item.ref.namespace]
            yield NO_TARGET(
                line_with(tree.store, item.document, "scaleTargetRef"),
                what=f"{item.ref} scales {named.kind} {named.name}, which does not exist",
                why="nothing is ever scaled",
                fix=_near(named.name, here) or f"a {named.kind} of namespace {item.ref.namespace}",
            )
    for item in [*tree.of("Service"), *tree.of("PodDisruptionBudget")]:
        selector = item.spec.get("selector")
        if item.ref.kind == "PodDisruptionBudget":
            selector = selector.get("matchLabels") if isinstance(selector, dict) and not selector.get("matchExpressions") else None
        if (
            not isinstance(selector, dict)
            or not selector
            or not item.has_final_name
            or item.ref.namespace in context.opaque_namespaces
            or not context.pods.have_their_labels(item.ref.namespace)
            or "${" in str(selector)
            or any(key.startswith(CONTROLLERS_OWN) for key in selector)
        ):
            continue
        if not context.pods.with_labels(item.ref.namespace, selector):
            yield SELECTS_NOTHING(
                line_with(tree.store, item.document, "selector"),
                what=f"{item.ref} selects pods with {_pairs(selector)}, which no pod in its namespace has",
                why="it routes no traffic, or protects nothing",
                fix="labels that the pods' template has",
            )


def _pairs(labels: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())


def _near(name: str, known: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return " or ".join(found) if found else None


RULES = (
    Rule(dependencies, (DANGLING_DEPENDENCY,)),
    Rule(paths, (BAD_KUSTOMIZATION, MISSING_FILE, MISSING_PATH, NO_OBJECT, NOT_YAML)),
    Rule(sources, (MISSING_SOURCE,)),
    Rule(targets, (NO_TARGET, SELECTS_NOTHING)),
)
