"""Variables: what Flux would substitute and has no value for (failure U6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject, annotation
from fluxstead.checks.reading.directory import GENERATED, envs_of, files_of
from fluxstead.checks.reading.store import line_with, normal, texts_of
from fluxstead.checks.reading.variables import variables_in
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import entries_of, mapping

UNDEFINED_VARIABLE = refuses(
    "substitution/undefined", "U6", "ConfigMap web/script holds ${HOME}, and Kustomization flux-system/web has no value for it"
)

_CONTROL = "kustomize.toolkit.fluxcd.io/substitute"


def undefined(context: CheckContext) -> Iterator[Finding]:
    """`${…}` in an object whose Kustomization substitutes, without a value or a default. Values from outside are not known."""
    for kustomization in context.tree.kustomizations.values():
        build = mapping(kustomization.spec, "postBuild")
        if (
            not build
            or kustomization.patched
            or not kustomization.has_final_names
            or not _all_known(context, kustomization.namespace, entries_of(build, "substituteFrom"))
        ):
            continue
        known = {
            *mapping(build, "substitute"),
            *_from_config(context, kustomization.namespace, entries_of(build, "substituteFrom")),
        }
        for item in kustomization.objects:
            if annotation(item, _CONTROL) == "disabled" or item.document.generated:
                continue
            for name in sorted({name for name, default in variables_in(item.object) if not default and name not in known}):
                yield UNDEFINED_VARIABLE(
                    line_with(context.tree.store, item.document, f"${{{name}"),
                    what=f"{item} holds ${{{name}}}, and {kustomization.ref} has no value for it",
                    why="Flux replaces it with nothing, and since 2.9 refuses the whole Kustomization (U6)",
                    fix=f"$${{{name}}} for the text itself, a value in postBuild.substitute, or {_CONTROL}: disabled",
                )


def _all_known(context: CheckContext, namespace: str, sources: object) -> bool:
    return all(_is_known(context, namespace, one) for one in (sources if isinstance(sources, list) else []))


def _is_known(context: CheckContext, namespace: str, one: Mapping[str, Any]) -> bool:
    config = (
        context.tree.one(ObjectRef("", "ConfigMap", namespace, str(one.get("name")))) if one.get("kind") == "ConfigMap" else None
    )
    return config is not None and all(context.tree.store.is_file(path) for path in _environments(config))


def _from_config(context: CheckContext, namespace: str, sources: object) -> Iterator[str]:
    for one in sources if isinstance(sources, list) else []:
        config = context.tree.one(ObjectRef("", "ConfigMap", namespace, str(one.get("name"))))
        if config:
            yield from mapping(config.object, "data")
            yield from _generated(context, config)


def _generated(context: CheckContext, config: AppliedObject) -> Iterator[str]:
    """The keys that kustomize's generator takes from literals and from files (kustomize: api/kv)."""
    generator = mapping(config.object, GENERATED)
    lines = [*texts_of(generator, "literals")]
    for path in _environments(config):
        lines += context.tree.store.text(path).splitlines()
    yield from (line.partition("=")[0].strip() for line in lines if not line.lstrip().startswith("#"))
    yield from (key for key, _ in files_of(generator))


def _environments(config: AppliedObject) -> Iterator[str]:
    """The files with a variable a line that it is generated from."""
    generator, folder = mapping(config.object, GENERATED), config.document.path.rpartition("/")[0]
    yield from (normal(f"{folder}/{path}") for path in envs_of(generator))


RULES = (Rule(undefined, (UNDEFINED_VARIABLE,)),)
