"""The values of a HelmRelease: those of its `valuesFrom`, in their order, and its own on top.

Source: fluxcd/pkg chartutil/values.go, `ChartValuesFromReferences` and `ReplacePathValue`; helm.sh/helm pkg/strvals. What is
encrypted, patched, made by somebody else or not in the tree is not known, and neither is what it may take the place of.
"""

from __future__ import annotations

import base64
import binascii
import copy
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.directory import GENERATED, envs_of, files_of
from fluxstead.checks.reading.documents import documents_in
from fluxstead.checks.reading.sops import sops_in, sops_of
from fluxstead.checks.reading.store import line_with, normal, texts_of
from fluxstead.checks.reading.variables import substituted
from fluxstead.core.findings import Source
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import entries_of, mapping, merged

_KINDS = frozenset({"ConfigMap", "Secret"})
_DEFAULT_KEY = "values.yaml"
_UNKNOWN = object()


class ValuesOrigin(NamedTuple):
    """Values that are not in the release itself, and where their text begins.

    `searched`: whether its lines are those of the file, so that a key can be looked for.
    """

    values: Mapping[str, Any]
    source: Source
    searched: bool


class Problem(NamedTuple):
    """Values that cannot be read: in what, where, and why."""

    what: str
    source: Source
    why: str


class Values(NamedTuple):
    """What a release gives to its chart.

    `certain`: what the chart gets, whatever is not known. `said`: also what something unknown may take the place of, and the keys
    of unknown values. `complete`: whether nothing is unknown. `origins`: those from elsewhere, the strongest last.
    """

    certain: Mapping[str, Any]
    said: Mapping[str, Any]
    complete: bool = True
    origins: Sequence[ValuesOrigin] = ()
    problems: Sequence[Problem] = ()


class _Text(NamedTuple):
    text: str
    source: Source
    searched: bool


def values_of(tree: AppliedTree, item: AppliedObject) -> Values:
    """Of a HelmRelease of this tree."""
    inline, references = mapping(item.spec, "values"), entries_of(item.spec, "valuesFrom")
    if not references:
        return Values(inline, inline, complete=not item.spec.get("valuesFrom"))
    merging = _Merging(inline)
    for reference in references:
        merging.take(tree, item, reference)
    return merging.result()


class _Merging:
    """Flux's own way, step by step: also that a value at a `targetPath` lands in the release's own mapping, where that has one."""

    def __init__(self, inline: Mapping[str, Any]) -> None:
        self._inline: dict[str, Any] = copy.deepcopy(dict(inline))
        self._known: dict[str, Any] = {}
        self._overridable: dict[str, Any] = {}
        self._complete = True
        self._origins: list[ValuesOrigin] = []
        self._problems: list[Problem] = []

    def take(self, tree: AppliedTree, item: AppliedObject, reference: Mapping[str, Any]) -> None:
        """The next reference."""
        held, target = _held(tree, item, reference), reference.get("targetPath")
        if held is None:
            return
        if isinstance(target, str) and target:
            self._known = merged(self._known, self._inline)
            keys = _keys(target)
            value = _single(held.text) if held is not _ELSEWHERE and keys.whole else _UNKNOWN
            self._complete = self._complete and value is not _UNKNOWN
            _put(self._known, keys.names, value)
            if held is not _ELSEWHERE:
                only: dict[str, Any] = {}
                _put(only, keys.names, value)
                self._origins.append(ValuesOrigin(only, held.source, searched=False))
            return
        values = self._read(held, reference) if held is not _ELSEWHERE else None
        if values is None:
            self._complete = False
            self._overridable = merged(self._overridable, self._known)
            self._known = {}
        else:
            self._known = merged(self._known, values)

    def _read(self, held: _Text, reference: Mapping[str, Any]) -> Mapping[str, Any] | None:
        document = next(iter(documents_in(held.text, held.source.file)), None)
        problem = document.problem if document else None
        data = document.data if document else None
        if problem is None and data is not None and not isinstance(data, Mapping):
            problem = "it is not a mapping"
        if problem is None:
            values: Mapping[str, Any] = data or {}
            self._origins.append(ValuesOrigin(values, held.source, held.searched))
            return values
        if "${" not in held.text:
            key, kind, name = _key_of(reference), reference.get("kind"), reference.get("name")
            self._problems.append(Problem(f"{key} of {kind} {name}", held.source, problem))
        return None

    def result(self) -> Values:
        """All together, with the release's own on top."""
        known = merged(self._known, self._inline)
        said = merged(self._overridable, known)
        return Values(_without(known), _named(said), self._complete, self._origins, self._problems)


_ELSEWHERE = _Text("", Source(""), searched=False)
"""Stands for what is not known."""


def _held(tree: AppliedTree, item: AppliedObject, reference: Mapping[str, Any]) -> _Text | None:
    """The text that a reference leads to; None where Flux goes on without it, as for an optional key that is not there."""
    kind = str(reference.get("kind"))
    found = tree.by_ref.get(ObjectRef("", kind, item.ref.namespace, str(reference.get("name"))), ())
    if kind not in _KINDS or len(found) != 1:
        return _ELSEWHERE
    [holder] = found
    if not holder.kustomization.has_final_names or holder.kustomization.changes(kind) or sops_of(holder.object) is not None:
        return _ELSEWHERE
    key = _key_of(reference)
    text = _generated(tree, holder, key) if GENERATED in holder.object else _written(tree, holder, key)
    if text is None and reference.get("optional") is True:
        return None
    return _ELSEWHERE if text is None or sops_in(text.text) is not None else text


def _key_of(reference: Mapping[str, Any]) -> str:
    return str(reference.get("valuesKey") or _DEFAULT_KEY)


def _written(tree: AppliedTree, holder: AppliedObject, key: str) -> _Text | None:
    secret = holder.ref.kind == "Secret"
    plain = mapping(holder.object, "stringData" if secret else "data").get(key)
    encoded = mapping(holder.object, "data").get(key) if secret else None
    place = line_with(tree.store, holder.document, f"{key}:", f'{key}":', f"{key}':")
    if isinstance(plain, str):
        return _Text(plain, place, searched=True)
    if plain is not None or not isinstance(encoded, str):
        return _ELSEWHERE if plain is not None or encoded is not None else None
    try:
        return _Text(base64.b64decode(encoded, validate=True).decode(), place, searched=False)
    except (binascii.Error, UnicodeDecodeError):
        return _ELSEWHERE


def _generated(tree: AppliedTree, holder: AppliedObject, key: str) -> _Text | None:
    """Of what kustomize generates: a file, or a text in the list itself."""
    entry = mapping(holder.object, GENERATED)
    folder = posixpath.dirname(holder.document.path)
    files = {name: normal(posixpath.join(folder, path)) for name, path in files_of(entry)}
    if key in files and tree.store.is_file(files[key]):
        return _Text(_with_variables(holder, tree.store.text(files[key])), Source(files[key]), searched=True)
    literals = dict(one.partition("=")[::2] for one in texts_of(entry, "literals"))
    if key in literals:
        return _Text(_with_variables(holder, literals[key]), line_with(tree.store, holder.document, f"{key}="), searched=False)
    return _ELSEWHERE if key in files or envs_of(entry) else None


def _with_variables(holder: AppliedObject, text: str) -> str:
    spec = holder.kustomization.spec
    return str(substituted(text, mapping(mapping(spec, "postBuild"), "substitute"))) if "postBuild" in spec else text


class _Keys(NamedTuple):
    names: tuple[str, ...]
    whole: bool
    """Whether the path leads to a key, and not into a list."""


def _keys(target: str) -> _Keys:
    """A path as strvals reads it: names between dots, a backslash before a dot that belongs to a name; up to the first list."""
    names = [name.replace("\\.", ".") for name in re.split(r"(?<!\\)\.", target)]
    into = next((place for place, name in enumerate(names) if "[" in name), None)
    if into is None:
        return _Keys(tuple(names), whole=True)
    return _Keys((*names[:into], names[into].partition("[")[0]), whole=False)


def _single(text: str) -> Any:
    """The value at a path, as strvals types it; unknown where it would read a list, or more than one."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text.strip("'\"")
    if re.search(r"[,\\]|^\{|\$\{", text):
        return _UNKNOWN
    truth = {"true": True, "false": False, "null": None}
    if text.lower() in truth:
        return truth[text.lower()]
    return int(text) if re.fullmatch(r"0|[-+]?[1-9]\d{0,17}", text, re.ASCII) else text


def _put(values: dict[str, Any], way: Sequence[str], value: Any) -> None:
    for key in way[:-1]:
        inside = values.get(key)
        if not isinstance(inside, dict):
            inside = values[key] = {}
        values = inside
    values[way[-1]] = value


def _without(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is known."""
    return {key: _without(value) if isinstance(value, Mapping) else value for key, value in values.items() if value is not _UNKNOWN}


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the keys of what is not."""
    return {
        key: _named(value) if isinstance(value, Mapping) else None if value is _UNKNOWN else value for key, value in values.items()
    }
