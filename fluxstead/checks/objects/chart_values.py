"""What the files say to charts: the values of Flux's releases, of charts that k3s installs, and of those that it brings itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.catalog.brings.k3s import bundled_charts
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.charts import chart_of, helm_identity
from fluxstead.checks.reading.documents import documents_in
from fluxstead.checks.reading.store import Store
from fluxstead.core.findings import Source
from fluxstead.core.shape import at, mapping
from fluxstead.core.version import Version

_K3S = "helm.cattle.io"
_HOLDERS = ("values", "valuesContent")


class ChartValues(NamedTuple):
    """One object that gives values to a chart.

    `chart` and `version`: empty where the files do not say. `complete`: whether these are all the values that the chart gets
    besides its defaults; not where others come from a ConfigMap or a Secret, or where k3s gives its own chart some.
    """

    item: AppliedObject
    chart: str
    version: str
    values: Mapping[str, Any]
    complete: bool
    problem: str = ""
    """Why the values cannot be read."""

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
        values = mapping(item.spec, "values")
        yield ChartValues(item, chart, version, values, complete=item.is_final and not item.spec.get("valuesFrom"))
    for item in tree.of("HelmChart", "HelmChartConfig"):
        if item.ref.group == _K3S:
            yield _of_k3s(item)


def _of_k3s(item: AppliedObject) -> ChartValues:
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
    return ChartValues(item, chart, str(item.spec.get("version", "")) if own else "", data or {}, complete, problem)


def chart_versions(one: ChartValues, kubernetes: Version | None) -> tuple[str, str]:
    """The oldest and the newest release that these values may be for; empty where that is not known."""
    return bundled_charts(one.chart, kubernetes) if one.bundled else (one.version, one.version)


def place_of(store: Store, item: AppliedObject, keys: Sequence[str]) -> Source:
    """Where a chart's value stands: in the file that people wrote, or among the `values` of what was described.

    A part of the path that stands nowhere was left to its default, or has a key of its own in the description; then it is the
    last part that does, or where the object was described.
    """
    start = item.document.source
    lines = store.text(start.file).splitlines()
    first = start.line - 1
    if not 0 <= first < len(lines):
        return start
    end = _end_of_section(lines, first) if item.document.generated else _end_of_document(lines, first)
    found = next((number for number in range(first, end) if _names(lines[number], _HOLDERS)), None)
    if found is None:
        return start
    for key in keys:
        following = next((number for number in range(found, end) if _names(lines[number], (key,))), None)
        if following is None:
            break
        found = following
    else:
        return Source(start.file, found + 1)
    return start if item.document.generated else Source(start.file, found + 1)


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
