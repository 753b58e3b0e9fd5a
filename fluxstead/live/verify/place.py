"""Where it is tried: a namespace of its own, and how nothing of it is left, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping
from fluxstead.live.clock import Clock
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, waits
from fluxstead.live.resources import MACHINES, NAMESPACES, Refused, Resource, Unanswered

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

NAMESPACE = "fluxstead-verify"
VOLUMES = Resource("api/v1", "persistentvolumes", namespaced=False)
CORDONED = "fluxstead/cordoned-by"
"""On a Node that `verify` has cordoned, so that whoever cleans up lets it go again, and no other."""
READY = "it has a namespace of its own"
_STARTS, _GOES = 30, 180
"""Seconds until an API that is starting answers, and until volumes, and then the namespace, are gone."""


def namespace_step(api: LiveApi) -> Step:
    """The namespace; Pod Security as strict as it gets, which the pods here are allowed under."""
    return Step(
        READY,
        "all that is tried is in it, and goes with it",
        f"kubectl delete namespace {NAMESPACE}",
        partial(_standing, api),
        partial(_make, api),
        patience=60,
    )


def _standing(api: LiveApi) -> StepState:
    found = api.get(NAMESPACES, NAMESPACE)
    if found is None:
        return due(f"make namespace {NAMESPACE}")
    return waits("the former one is going") if mapping(found, "metadata").get("deletionTimestamp") else done()


def _make(api: LiveApi) -> None:
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    api.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})


@contextmanager
def left_as_it_was(
    api: LiveApi, more: Sequence[Callable[[LiveApi], object]], say: Callable[[str], object], clock: Clock | None = None
) -> Iterator[None]:
    """Nothing of a run is there before it begins, and after it ends, however it ends. `more`: what else is to be put back."""
    clock = clock or Clock()
    _begin(api, more, say, clock)
    try:
        yield
    finally:
        try:
            _clean(api, more, say, clock)
        except Unanswered as problem:
            say(f"not all of it is cleaned up, which ./run verify does before it begins again: {problem}")


def _begin(api: LiveApi, more: Sequence[Callable[[LiveApi], object]], say: Callable[[str], object], clock: Clock) -> None:
    """Clean up; an API that is just starting is given its time. Raises Unanswered."""
    end = clock.now() + _STARTS
    while True:
        try:
            return _clean(api, more, say, clock)
        except Refused:
            raise
        except Unanswered:
            if clock.now() > end:
                raise
            clock.sleep(1)


def _clean(api: LiveApi, more: Sequence[Callable[[LiveApi], object]], say: Callable[[str], object], clock: Clock) -> None:
    machines = api.list(MACHINES)
    for machine in machines:
        if at(machine, ("metadata", "annotations", CORDONED)) == NAMESPACE:
            uncordon(api, str(mapping(machine, "metadata")["name"]))
    for put_back in more:
        put_back(api)
    if api.get(NAMESPACES, NAMESPACE) is None and not _volumes(api):
        return
    _have_go(api, {str(mapping(one, "metadata")["name"]) for one in machines if not is_ready(one)})
    end = clock.now() + _GOES
    while api.get(NAMESPACES, NAMESPACE) is not None or _volumes(api):
        if clock.now() > end:
            left = ", ".join(str(mapping(one, "metadata")["name"]) for one in _volumes(api))
            say(f"after {_GOES} s something is left: {f'volumes {left}' if left else f'namespace {NAMESPACE}'}")
            return
        clock.sleep(1)


def _have_go(api: LiveApi, down: set[str]) -> None:
    """The namespace, with volumes that would be kept, and pods on machines that are down, which would never end."""
    for one in _volumes(api):
        if mapping(one, "spec").get("persistentVolumeReclaimPolicy") == "Retain":
            change = {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}
            api.merge(VOLUMES, str(mapping(one, "metadata")["name"]), change)
    api.delete(NAMESPACES, NAMESPACE)
    for one in api.list(PODS, NAMESPACE):
        if mapping(one, "spec").get("nodeName") in down:
            api.delete(PODS, str(mapping(one, "metadata")["name"]), NAMESPACE, at_once=True)


def is_ready(obj: Mapping[str, Any]) -> bool:
    """Whether a machine, or a pod, says that it is."""
    return conditions_of(mapping(obj, "status")).get("Ready", UNSAID).status == "True"


def _volumes(api: LiveApi) -> list[Mapping[str, Any]]:
    """Those of claims in the namespace."""
    return [one for one in api.list(VOLUMES) if at(one, ("spec", "claimRef", "namespace")) == NAMESPACE]


def cordon(api: LiveApi, machine: str) -> None:
    """Have nothing more be placed on it, and know later that it was us."""
    api.merge(MACHINES, machine, {"metadata": {"annotations": {CORDONED: NAMESPACE}}, "spec": {"unschedulable": True}})


def uncordon(api: LiveApi, machine: str) -> None:
    """As it was."""
    api.merge(MACHINES, machine, {"metadata": {"annotations": {CORDONED: None}}, "spec": {"unschedulable": None}})
