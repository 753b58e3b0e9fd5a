"""Objects that Flux leaves alone for a while: whoever applies them is suspended, as `flux suspend` does it, and resumed.

Who applies an object is in its labels (fluxcd/kustomize-controller: internal/inventory; fluxcd/helm-controller: docs/spec/v2, "Helm
storage and ownership"). `spec.suspend` is in no tree, so whoever applies these objects themselves does not put it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.shape import at, mapping
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.flux import LAYERS, RELEASES
from fluxstead.live.resources import Resource

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_BY = ((LAYERS, "kustomize.toolkit.fluxcd.io"), (RELEASES, "helm.toolkit.fluxcd.io"))
_AGAIN = "ProgressingWithRetry"
"""fluxcd/pkg apis/meta: ProgressingWithRetryReason."""
_RESOURCES = {resource.plural: resource for resource, _ in _BY}


class Applier(NamedTuple):
    """A Kustomization or a HelmRelease. `suspended`: whether somebody had done that before."""

    resource: Resource
    namespace: str
    name: str
    suspended: bool

    @property
    def label(self) -> str:
        """As people type it."""
        return f"{self.resource.plural.removesuffix('s')} {self.namespace}/{self.name}"

    @property
    def typed(self) -> str:
        """Behind `flux suspend` and `flux resume`."""
        return f"{self.resource.plural.removesuffix('s')} {self.name} -n {self.namespace}"

    def written(self) -> dict[str, Any]:
        """For a note."""
        return {"kind": self.resource.plural, "namespace": self.namespace, "name": self.name, "suspended": self.suspended}


def applier_from(note: Mapping[str, Any]) -> Applier:
    """The same, read from a note."""
    return Applier(_RESOURCES[note["kind"]], str(note["namespace"]), str(note["name"]), bool(note["suspended"]))


def appliers_of(api: LiveApi, objects: Iterable[Mapping[str, Any]]) -> list[Applier]:
    """Who applies these objects, and who applies those in turn as long as they are no groups of layers. Raises Unanswered."""
    found: dict[tuple[str, str, str], Applier] = {}
    waiting = list(objects)
    while waiting:
        for resource, namespace, name in _labelled(waiting.pop()):
            key = (resource.plural, namespace, name)
            known = api.get(resource, name, namespace) if key not in found else None
            if known is None:
                continue
            found[key] = Applier(resource, namespace, name, at(known, ("spec", "suspend")) is True)
            if resource is RELEASES:
                waiting.append(known)
    return list(found.values())


def _labelled(obj: Mapping[str, Any]) -> Iterator[tuple[Resource, str, str]]:
    labels = mapping(mapping(obj, "metadata"), "labels")
    for resource, group in _BY:
        if labels.get(f"{group}/name"):
            yield resource, str(labels.get(f"{group}/namespace", "")), str(labels[f"{group}/name"])


def still_at_work(api: LiveApi, applier: Applier) -> str:
    """Why it might still change something; empty where it does not. Raises Unanswered."""
    found = api.get(applier.resource, applier.name, applier.namespace)
    if found is None:
        return ""
    if at(found, ("spec", "suspend")) is not True:
        return f"{applier.label} is not suspended"
    said = conditions_of(mapping(found, "status")).get("Reconciling", UNSAID)
    # What failed keeps saying that it will be tried again, also when it is suspended by then.
    busy = said.status == "True" and said.reason != _AGAIN
    return f"{applier.label} is in the middle of applying" if busy else ""


def is_suspended(api: LiveApi, applier: Applier) -> bool:
    """Whether it is suspended now; what is gone is not. Raises Unanswered."""
    return at(api.get(applier.resource, applier.name, applier.namespace), ("spec", "suspend")) is True


def suspend(api: LiveApi, applier: Applier) -> None:
    """Have it leave its objects alone. Raises Unanswered."""
    api.merge(applier.resource, applier.name, {"spec": {"suspend": True}}, applier.namespace)


def resume(api: LiveApi, applier: Applier) -> None:
    """Have it go on. Raises Unanswered."""
    api.merge(applier.resource, applier.name, {"spec": {"suspend": None}}, applier.namespace)
