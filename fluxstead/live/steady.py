"""Layers that are only applied again, as at each interval: nothing changes, and nothing is wrong with them.

Sources: fluxcd/kustomize-controller internal/controller/kustomization_controller.go: each reconciliation, also one of the same
revision, makes Ready Unknown with the reason Progressing, and what depends on the layer waits if it is looked at in that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from fluxstead.live.flux import FluxObject
from fluxstead.live.moments import longer_ago

_PATIENCE = timedelta(minutes=2)


def undisturbed(
    layers: Mapping[str, FluxObject], releases: Mapping[str, FluxObject], fetched: str, now: datetime
) -> frozenset[str]:
    """Those at the revision that Flux fetched last, with all their releases ready, for as long as that takes."""

    def again(one: FluxObject) -> bool:
        ours = all(releases[key].standing == "ready" for key in one.inventory if key in releases)
        recent = one.since is not None and not longer_ago(one.since, _PATIENCE, now)
        return bool(fetched) and one.revision == fetched and not one.suspended and ours and recent

    calm = {name for name, one in layers.items() if one.reason == "Progressing" and again(one)}
    waiting = [one for one in layers.values() if one.reason == "DependencyNotReady" and again(one)]
    while more := [one for one in waiting if one.name not in calm and all(_well(layers.get(of), calm) for of in one.waits_for)]:
        calm.update(one.name for one in more)
    return frozenset(calm)


def _well(one: FluxObject | None, calm: set[str]) -> bool:
    return one is not None and (one.standing == "ready" or one.name in calm)
