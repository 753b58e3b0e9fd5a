"""Which chart a release takes, in which version, and what Helm calls it."""

from __future__ import annotations

from typing import NamedTuple

from fluxstead.checks.reading.applied_tree import HELM, SOURCES, AppliedObject, AppliedTree
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping


def chart_of(tree: AppliedTree, item: AppliedObject) -> tuple[str, str]:
    """A release's chart and its version; empty where the files do not say."""
    chart = mapping(mapping(item.spec, "chart"), "spec")
    if chart:
        return str(chart.get("chart", "")).rpartition("/")[2], str(chart.get("version", ""))
    source = chart_source(tree, item)
    if source is None:
        return "", ""
    url, tag = str(source.spec.get("url", "")), str(mapping(source.spec, "ref").get("tag", ""))
    return url.rstrip("/").rpartition("/")[2], tag


def chart_source(tree: AppliedTree, item: AppliedObject) -> AppliedObject | None:
    """The OCIRepository that is a release's chart, where it is one."""
    reference = mapping(item.spec, "chartRef")
    if reference.get("kind") != "OCIRepository":
        return None
    namespace = str(reference.get("namespace") or item.ref.namespace)
    return tree.one(ObjectRef(SOURCES, "OCIRepository", namespace, str(reference.get("name"))))


class HelmIdentity(NamedTuple):
    """What Helm knows a release by, and where it keeps its history.

    Source: fluxcd/helm-controller api/v2/helmrelease_types.go, `GetReleaseName` and what follows it.
    """

    name: str
    namespace: str
    history: str


def helm_identity(item: AppliedObject) -> HelmIdentity:
    """That of a HelmRelease; of k3s's own kinds, whose release has the object's name."""
    own, target = item.ref.namespace, item.spec.get("targetNamespace")
    if item.ref.group != HELM:
        return HelmIdentity(item.ref.name, str(target or own), str(target or own))
    name = item.spec.get("releaseName") or (f"{target}-{item.ref.name}" if target else item.ref.name)
    return HelmIdentity(str(name), str(target or own), str(item.spec.get("storageNamespace") or own))
