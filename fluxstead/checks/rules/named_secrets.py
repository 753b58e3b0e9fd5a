"""Passwords and tokens, by the name of the variable or the key that holds them (failure F22).

A name proves nothing: a value that says where a secret is, or how long a token lasts, is not one. So these are warnings only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.kinds import WORKLOADS, pod_in
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.config_references import from_flux
from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.directory import GENERATED
from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.checks.reading.store import Store, line_with, normal
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.secrecy import may_be_secret
from fluxstead.core.shape import entries_of, mapping

IN_CONFIG_MAP = warns("secrets/in-config-map", "F22", "ConfigMap web/settings holds DB_PASSWORD in plain text (8 characters)")
IN_ENVIRONMENT = warns(
    "secrets/in-environment", "F22", "Deployment web/site sets the variable DB_PASSWORD to a plain-text value (8 characters)"
)
IN_VALUES = warns("secrets/in-values", "F22", "HelmRelease web/site sets auth.password to a plain-text value (8 characters)")

_WHY = "anyone who can read the repository, now or later, has it (F22)"
_LAST_WORDS = ("password", "passwd", "token", "secretkey", "apikey", "passphrase")


def findings(context: CheckContext) -> Iterator[Finding]:
    """In containers' variables, in ConfigMaps, in charts' values, and in what Kustomizations substitute."""
    yield from _variables(context)
    yield from _config_maps(context)
    for item, document, path, value in (*_of_releases(context.tree), *_of_files(context), *_of_kustomizations(context.tree)):
        if not _is_default(context, document, value):
            yield IN_VALUES(
                line_with(context.tree.store, document, path.rpartition(".")[2]),
                what=f"{item} sets {path} to a plain-text value ({len(value)} characters)",
                why=_WHY,
                fix="the chart's key for an existing Secret, or valuesFrom with one"
                if item.ref.kind == "HelmRelease"
                else "substituteFrom with a SOPS-encrypted Secret",
            )


_Found = tuple[AppliedObject, Document, str, str]
"""The object to report, the document it is in, the path of the key, and the value."""


def _of_releases(tree: AppliedTree) -> Iterator[_Found]:
    for item in tree.of("HelmRelease"):
        yield from ((item, item.document, path, value) for path, value in _in_values(item.spec.get("values"), ""))


def _of_files(context: CheckContext) -> Iterator[_Found]:
    """Values that a release takes from ConfigMaps in the tree."""
    tree = context.tree
    for reference in from_flux(context.references):
        config = tree.one(reference.ref)
        if config is None or reference.ref.kind != "ConfigMap" or reference.item.ref.kind != "HelmRelease":
            continue
        for key in reference.keys:
            for document in _documents_at(tree.store, config, key):
                yield from ((reference.item, document, path, value) for path, value in _in_values(document.data, ""))


def _documents_at(store: Store, config: AppliedObject, key: str) -> Iterator[Document]:
    """What a ConfigMap holds at a key: as text, or as the file that kustomize puts there."""
    text = mapping(config.object, "data").get(key)
    if isinstance(text, str):
        yield from (config.document._replace(data=one.data) for one in documents_in(text, config.document.path))
    files = mapping(config.object, GENERATED).get("files")
    if not isinstance(files, list):
        return
    for entry in files:
        name, _, path = str(entry).rpartition("=")
        if (name or path.rpartition("/")[2]) == key and "://" not in path:
            yield from store.documents(normal(f"{config.document.path.rpartition('/')[0]}/{path}"))


def _of_kustomizations(tree: AppliedTree) -> Iterator[_Found]:
    for item in tree.of("Kustomization"):
        for name, value in mapping(mapping(item.spec, "postBuild"), "substitute").items():
            if isinstance(value, str) and may_be_secret(name, value):
                yield item, item.document, f"postBuild.substitute.{name}", value


def _is_default(context: CheckContext, document: Document, value: str) -> bool:
    """Whether it is only the default for what Flux substitutes: `${API_KEY:=none}`."""
    text = context.tree.store.text(document.path)
    return f"={value}}}" in text or f"-{value}}}" in text


def _variables(context: CheckContext) -> Iterator[Finding]:
    for item in context.tree.of(*WORKLOADS):
        # For an application in the description, the finding is about the description.
        pod = pod_in(item.object) if not item.document.generated else None
        if pod is None:
            continue
        for container in containers_of(pod):
            for name, value in _named(entries_of(container, "env")):
                if _is_plain(context, item, name, value):
                    yield IN_ENVIRONMENT(
                        line_with(context.tree.store, item.document, name),
                        what=f"{item} sets the variable {name} to a plain-text value ({len(value)} characters)",
                        why=_WHY,
                        fix="valueFrom: {secretKeyRef: …} with a SOPS-encrypted Secret",
                    )


def _config_maps(context: CheckContext) -> Iterator[Finding]:
    for item in context.tree.of("ConfigMap"):
        for name, value in _data_of(item):
            if _is_plain(context, item, name, value):
                yield IN_CONFIG_MAP(
                    line_with(context.tree.store, item.document, name),
                    what=f"{item} holds {name} in plain text ({len(value)} characters)",
                    why=_WHY,
                    fix="a SOPS-encrypted Secret for this key",
                )


def _is_plain(context: CheckContext, item: AppliedObject, name: str, value: str) -> bool:
    return may_be_secret(name, value) and not _is_default(context, item.document, value)


def _named(variables: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for variable in variables:
        name, value = variable.get("name"), variable.get("value")
        if isinstance(name, str) and isinstance(value, str):
            yield name, value


def _data_of(item: AppliedObject) -> Iterator[tuple[str, str]]:
    """Keys with their values: as written, or as literals from which kustomize makes the object."""
    yield from ((key, value) for key, value in mapping(item.object, "data").items() if isinstance(value, str))
    literals = mapping(item.object, GENERATED).get("literals")
    if not isinstance(literals, list):
        return
    for literal in literals:
        key, _, value = str(literal).partition("=")
        yield key, value


def _in_values(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Keys of a chart's values, by their last word, and variables that the chart passes to containers."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            below = f"{path}.{key}" if path else str(key)
            if isinstance(item, str):
                named = str(key).lower().replace("_", "").replace("-", "").endswith(_LAST_WORDS)
                if named and may_be_secret(str(key), item):
                    yield below, item
            else:
                yield from _in_values(item, below)
    elif isinstance(value, list):
        for name, item in _named([one for one in value if isinstance(one, Mapping)]):
            if may_be_secret(name, item):
                yield f"{path}.{name}", item
        for index, item in enumerate(value):
            yield from _in_values(item, f"{path}[{index}]")


RULES = (Rule(findings, (IN_CONFIG_MAP, IN_ENVIRONMENT, IN_VALUES)),)
