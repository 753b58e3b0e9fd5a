"""What the files say to charts: the values of Flux's releases, of charts that k3s installs, and of those that it brings itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.catalog.brings.k3s import bundled_charts
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.charts import chart_of, helm_identity
from fluxstead.checks.reading.documents import documents_in
from fluxstead.checks.reading.store import Store, line_with
from fluxstead.checks.reading.values_from import Problem, ValuesOrigin, values_of
from fluxstead.core.findings import Source
from fluxstead.core.shape import at, mapping
from fluxstead.core.version import Version

_K3S = "helm.cattle.io"
_HOLDERS = ("values", "valuesContent")


class ChartValues(NamedTuple):
    """One object that gives values to a chart.

    `chart` and `version`: empty where the files do not say. `values`: what the chart gets for certain. `complete`: whether that
    is all that it gets besides its defaults; not where others come from what is not known, or where k3s gives its own chart some.
    `said`: every value that is written, also where something unknown may take its place. `origins`: those outside the object.
    """

    item: AppliedObject
    chart: str
    version: str
    values: Mapping[str, Any]
    complete: bool
    said: Mapping[str, Any]
    origins: Sequence[ValuesOrigin] = ()
    problems: Sequence[Problem] = ()

    @property
    def exact(self) -> Version | None:
        """The version, where it is an exact one."""
        return Version.read(self.version)

    @property
    def release_name(self) -> str:
        """What Helm calls the release."""
        return helm_identity(self.item).name

    @property
    def namespace(self) -> str:
        """Where the chart's objects are."""
        return helm_identity(self.item).namespace

    @property
    def bundled(self) -> bool:
        """Whether these configure a chart that k3s brings itself."""
        return self.item.ref.kind == "HelmChartConfig"

    def at(self, *keys: str) -> Any:
        """The value at a path of keys; None where there is none."""
        return at(self.values, keys)


def chart_values_in(tree: AppliedTree) -> Iterator[ChartValues]:
    """What each release, each HelmChart and each HelmChartConfig of a tree says to its chart."""
    for item in tree.of("HelmRelease"):
        chart, version = chart_of(tree, item)
        said = values_of(tree, item)
        complete = item.is_final and said.complete
        yield ChartValues(item, chart, version, said.certain, complete, said.said, said.origins, said.problems)
    for item in tree.of("HelmChart", "HelmChartConfig"):
        if item.ref.group == _K3S:
            yield _of_k3s(tree.store, item)


def _of_k3s(store: Store, item: AppliedObject) -> ChartValues:
    """`valuesContent` is YAML in a text; `set` overrides it (k3s: docs, Helm)."""
    own = item.ref.kind == "HelmChart"
    chart = str(item.spec.get("chart", "")).rpartition("/")[2] if own else item.ref.name
    text = item.spec.get("valuesContent")
    document = next(iter(documents_in(text, item.document.path)), None) if isinstance(text, str) else None
    problem = document.problem or "" if document else ""
    data = document.data if document and not problem else None
    if data is not None and not isinstance(data, Mapping):
        problem, data = "it is not a mapping", None
    complete = own and item.is_final and not item.spec.get("set") and not item.spec.get("valuesSecrets")
    problems = [Problem("valuesContent", line_with(store, item.document, "valuesContent"), problem)] if problem else []
    return ChartValues(
        item, chart, str(item.spec.get("version", "")) if own else "", data or {}, complete, data or {}, problems=problems
    )


def chart_versions(one: ChartValues, kubernetes: Version | None) -> tuple[str, str]:
    """The oldest and the newest release that these values may be for; empty where that is not known."""
    return bundled_charts(one.chart, kubernetes) if one.bundled else (one.version, one.version)


def place_of(store: Store, one: ChartValues, keys: Sequence[str]) -> Source:
    """Where a chart's value stands: in the file that people wrote, or among the `values` of what was described.

    A part of the path that stands nowhere was left to its default, or has a key of its own in the description; then it is the
    last part that does, or where the object was described.
    """
    start = one.item.document.source
    origin = _origin_of(one, keys)
    if origin and not origin.searched:
        return origin.source
    lines = store.text((origin.source if origin else start).file).splitlines()
    first = (origin.source if origin else start).line - 1
    if origin:
        return _innermost(lines, first, _end_of_document(lines, first), keys, origin.source)[0]
    if not 0 <= first < len(lines):
        return start
    end = _end_of_section(lines, first) if one.item.document.generated else _end_of_document(lines, first)
    found = next((number for number in range(first, end) if _names(lines[number], _HOLDERS)), None)
    if found is None:
        return start
    place, whole = _innermost(lines, found, end, keys, start)
    return place if whole or not one.item.document.generated else start


def _origin_of(one: ChartValues, keys: Sequence[str]) -> ValuesOrigin | None:
    """What says it outside the object; None where the object does, or nothing."""
    own = _depth(mapping(one.item.spec, "values"), keys)
    found = max(reversed(one.origins), key=lambda origin: _depth(origin.values, keys), default=None)
    return found if found and _depth(found.values, keys) > own else None


def _depth(values: Any, keys: Sequence[str]) -> int:
    """How much of a path of keys is there; below a list, all of it may be."""
    for depth, key in enumerate(keys):
        if not isinstance(values, Mapping):
            return len(keys) if isinstance(values, list) else depth
        if key not in values:
            return depth
        values = values[key]
    return len(keys)


def _innermost(lines: Sequence[str], found: int, end: int, keys: Sequence[str], file: Source) -> tuple[Source, bool]:
    """The line of the last key of a path that is there, and whether that is its last one."""
    for key in keys:
        following = next((number for number in range(found, end) if _names(lines[number], (key,))), None)
        if following is None:
            return Source(file.file, found + 1), False
        found = following
    return Source(file.file, found + 1), True


def _names(line: str, keys: Sequence[str]) -> bool:
    """Whether a line has one of these keys, in any style of YAML."""
    return any(key in line and re.search(rf"(?:^|[\s{{,\"']){re.escape(key)}[\"']?\s*:", line) for key in keys)


def _end_of_section(lines: Sequence[str], first: int) -> int:
    """The line after what is indented below a key."""
    depth = len(lines[first]) - len(lines[first].lstrip())
    following = range(first + 1, len(lines))
    return next(
        (number for number in following if lines[number].strip() and len(lines[number]) - len(lines[number].lstrip()) <= depth),
        len(lines),
    )


def _end_of_document(lines: Sequence[str], first: int) -> int:
    return next((number for number in range(first + 1, len(lines)) if lines[number].startswith("---")), len(lines))
