"""Numbers and truths in fields that take nothing but text, as they are written or once Flux has substituted (failures F20, U6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.kinds import pod_in
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.shape import entries_of, mapping

NO_TEXT = refuses("tree/no-text", "F20, U6", "ConfigMap web/settings has the number 5 at data.vlan, where only text may stand")


def texts(context: CheckContext) -> Iterator[Finding]:
    """Where there is a description, the schemas of the cluster's version find the same, and more."""
    if context.described:
        return
    for item in context.tree.objects:
        if not item.is_final:
            continue
        for path, key, value in _text_fields(item.object):
            if isinstance(value, (bool, int, float)):
                word = f"the truth value {str(value).lower()}" if isinstance(value, bool) else f"the number {value}"
                yield NO_TEXT(
                    line_with(context.tree.store, item.document, f"{key}:"),
                    what=f"{item} has {word} at {path}, where only text may stand",
                    why="the API server refuses the object, and nothing after it in the Kustomization is applied",
                    fix=_instead(item, value),
                )


def _instead(item: AppliedObject, value: object) -> str:
    """Quotes in the object are not enough for a value that Flux substitutes: they have to be a part of the value."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    known = mapping(mapping(item.kustomization.spec, "postBuild"), "substitute")
    name = next((name for name, said in known.items() if str(said) == text), None)
    return f'"{text}"' if name is None else f"""{name}: '"{text}"' in postBuild.substitute, with quotes inside the value"""


def _text_fields(obj: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """The fields of well-known kinds in which nothing but text may stand: path, key and what stands there."""
    metadata = mapping(obj, "metadata")
    holders = {f"metadata.{key}": mapping(metadata, key) for key in ("labels", "annotations")}
    if obj.get("apiVersion") == "v1" and obj.get("kind") in ("ConfigMap", "Secret"):
        holders |= {key: mapping(obj, key) for key in ("data", "stringData")}
    for name, holder in holders.items():
        yield from ((f"{name}.{key}", key, value) for key, value in holder.items())
    for container in containers_of(pod_in(obj) or {}):
        for entry in entries_of(container, "env"):
            yield f"the value of the variable {entry.get('name')}", "value", entry.get("value")


RULES = (Rule(texts, (NO_TEXT,)),)
