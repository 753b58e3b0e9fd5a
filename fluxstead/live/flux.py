"""What Flux says of its objects: sources, layers and releases, each as Ready, waiting or failed, and since which words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import entries_of, mapping
from fluxstead.live.moments import moment_of
from fluxstead.live.resources import Resource

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

LAYERS = Resource("apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations")
SOURCES = Resource("apis/source.toolkit.fluxcd.io/v1", "gitrepositories")
RELEASES = Resource("apis/helm.toolkit.fluxcd.io/v2", "helmreleases")
Standing = Literal["absent", "waiting", "ready", "failed", "stalled"]
WAITS = frozenset({"DependencyNotReady", "Progressing", "ProgressingWithRetry", "ArtifactNotReady", "Suspended"})
"""Reasons of `Ready: False` that pass by themselves (fluxcd/pkg: apis/meta/conditions.go; the controllers' API packages)."""


@dataclass(frozen=True, slots=True)
class FluxObject:
    """One object of Flux. `says`: its Ready condition's message. `revision`: what it applied or fetched last."""

    kind: str
    namespace: str
    name: str
    standing: Standing
    reason: str = ""
    says: str = ""
    revision: str = ""
    waits_for: tuple[str, ...] = ()
    inventory: tuple[str, ...] = ()
    """The HelmReleases that a layer applied, as `namespace/name`."""
    suspended: bool = False
    namespaces: tuple[str, ...] = ()
    """Where what it applied is, and its pods."""
    updated: datetime | None = None
    """When a source last had something new."""
    installed: tuple[str, ...] = ()
    """Of a release, Helm's releases that are its, as `namespace/name`, by the namespace that has their records."""
    revisions: int = 0
    """Of a release, how many of Helm's it keeps: none where it never installed anything."""
    chart: str = ""
    """Of a release, the name of its chart."""
    applied: tuple[str, ...] = ()
    """The ids of what a layer applied, as `namespace_name_group_kind`."""
    since: datetime | None = None
    """When its Ready condition became what it is."""

    @property
    def label(self) -> str:
        """As people name it."""
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class FluxFacts:
    """The objects of one cluster at one moment."""

    source: FluxObject
    layers: Mapping[str, FluxObject]
    releases: Mapping[str, FluxObject] = field(default_factory=dict)

    def layer(self, name: str) -> FluxObject:
        """A layer, also one that is not there yet."""
        return self.layers.get(name) or FluxObject("Kustomization", FLUX_NAMESPACE, name, "absent")

    def releases_of(self, layer: FluxObject) -> list[FluxObject]:
        """The releases that a layer waits for."""
        return [self.releases[name] for name in layer.inventory if name in self.releases]


def flux_facts(api: LiveApi) -> FluxFacts:
    """Ask a cluster. Raises Unanswered."""
    source = api.get(SOURCES, FLUX_NAMESPACE, FLUX_NAMESPACE)
    absent = FluxObject("GitRepository", FLUX_NAMESPACE, FLUX_NAMESPACE, "absent")
    layers = (flux_object("Kustomization", one) for one in api.list(LAYERS, FLUX_NAMESPACE))
    releases = (flux_object("HelmRelease", one) for one in api.list(RELEASES))
    return FluxFacts(
        flux_object("GitRepository", source) if source else absent,
        {one.name: one for one in layers},
        {f"{one.namespace}/{one.name}": one for one in releases},
    )


def flux_object(kind: str, obj: Mapping[str, Any]) -> FluxObject:
    """What an object says. A condition about another generation of it says nothing."""
    metadata, status = mapping(obj, "metadata"), mapping(obj, "status")
    conditions = {str(one.get("type")): one for one in entries_of(status, "conditions")}
    ready = conditions.get("Ready", {})
    about = ready.get("observedGeneration", status.get("observedGeneration", metadata.get("generation")))
    stale = about != metadata.get("generation")
    spec, entries = mapping(obj, "spec"), entries_of(mapping(status, "inventory"), "entries")
    return FluxObject(
        kind=kind,
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        standing="waiting" if stale else _standing(ready, conditions),
        reason=str(ready.get("reason", "")),
        says=" ".join(str(ready.get("message", "")).split()),
        revision=str(status.get("lastAppliedRevision") or mapping(status, "artifact").get("revision") or ""),
        waits_for=tuple(str(one.get("name", "")) for one in entries_of(spec, "dependsOn")),
        inventory=tuple(_releases_in(entries)),
        suspended=spec.get("suspend") is True,
        namespaces=_namespaces(spec, entries),
        updated=moment_of(mapping(status, "artifact").get("lastUpdateTime")),
        installed=tuple(_installed(metadata, spec, status)) if kind == "HelmRelease" else (),
        revisions=len(entries_of(status, "history")),
        chart=str(mapping(mapping(spec, "chart"), "spec").get("chart", "")),
        applied=tuple(str(entry.get("id", "")) for entry in entries),
        since=moment_of(ready.get("lastTransitionTime")),
    )


def keeper_of(metadata: Mapping[str, Any]) -> str:
    """The Kustomization that applies an object, as `namespace/name` (fluxcd/pkg: ssa, SetOwnerLabels); empty where none does."""
    labels = mapping(metadata, "labels")
    name, namespace = (labels.get(f"kustomize.toolkit.fluxcd.io/{key}") for key in ("name", "namespace"))
    return f"{namespace}/{name}" if name and namespace else ""


def _installed(metadata: Mapping[str, Any], spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterable[str]:
    """The name that it gives (fluxcd/helm-controller: api/v2, GetReleaseName), and those that it gave, which are shortened."""
    name, target = metadata.get("name"), spec.get("targetNamespace")
    namespace = spec.get("storageNamespace") or metadata.get("namespace")
    yield f"{namespace}/{spec.get('releaseName') or (f'{target}-{name}' if target else name)}"
    kept = status.get("storageNamespace") or namespace
    yield from (f"{kept}/{one.get('name')}" for one in entries_of(status, "history"))


def _standing(ready: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]) -> Standing:
    if ready.get("status") == "True":
        return "ready"
    if conditions.get("Stalled", {}).get("status") == "True":
        return "stalled"
    return "failed" if ready.get("status") == "False" and str(ready.get("reason")) not in WAITS else "waiting"


def _releases_in(entries: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Of an inventory, whose ids are `namespace_name_group_kind`."""
    for entry in entries:
        parts = str(entry.get("id", "")).split("_")
        if parts[2:] == ["helm.toolkit.fluxcd.io", "HelmRelease"]:
            yield f"{parts[0]}/{parts[1]}"


def _namespaces(spec: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Of a release, the one that it is installed into; of a layer, those of its objects."""
    target = spec.get("targetNamespace")
    found = [str(target)] if target else [str(entry.get("id", "")).partition("_")[0] for entry in entries]
    return tuple(dict.fromkeys(filter(None, found)))
