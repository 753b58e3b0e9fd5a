"""Which chart a release takes, and in which version."""

from __future__ import annotations

from fluxstead.checks.reading.applied_tree import SOURCES, AppliedObject, AppliedTree
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping


def chart_of(tree: AppliedTree, item: AppliedObject) -> tuple[str, str]:
    """A release's chart and its version; empty where the files do not say."""
    chart = mapping(mapping(item.spec, "chart"), "spec")
    if chart:
        return str(chart.get("chart", "")).rpartition("/")[2], str(chart.get("version", ""))
    reference = mapping(item.spec, "chartRef")
    source = tree.one(
        ObjectRef(SOURCES, "OCIRepository", str(reference.get("namespace") or item.ref.namespace), str(reference.get("name")))
    )
    if source is None or reference.get("kind") != "OCIRepository":
        return "", ""
    url, tag = str(source.spec.get("url", "")), str(mapping(source.spec, "ref").get("tag", ""))
    return url.rstrip("/").rpartition("/")[2], tag
