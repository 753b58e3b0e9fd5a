"""Where it is tried: a namespace of its own, and how nothing of it is left, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.shape import at, mapping
from fluxstead.live.clock import Clock
from fluxstead.live.conditions import is_ready
from fluxstead.live.lease import Held, Lost
from fluxstead.live.making import make
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, waits
from fluxstead.live.resources import MACHINES, NAMESPACES, VOLUMES, Refused, Resource, Unanswered

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

NAMESPACE = "fluxstead-verify"
ACCOUNTS = Resource("api/v1", "serviceaccounts")
CORDONED = "fluxstead/cordoned-by"
"""On a Node that `verify` has cordoned, so that whoever cleans up lets it go again, and no other."""
OURS = {"fluxstead/verify": "true"}
"""The labels of what it has outside the namespace."""
READY = "it has a namespace of its own"
GOES_TOO = "none is needed: it goes with its namespace"
_PATIENT, _GOES = 30, 180
"""Seconds until an API that is starting answers, and until volumes, and then the namespace, are gone."""


def namespace_step(api: LiveApi, pod_security: str = "restricted") -> Step:
    """The namespace, with the Pod Security that the pods here are allowed under."""
    return Step(
        READY,
        "all that is tried is in it, and goes with it",
        f"kubectl delete namespace {NAMESPACE}",
        partial(_standing, api),
        partial(_make, api, pod_security),
        patience=60,
    )


def _standing(api: LiveApi) -> StepState:
    found = api.get(NAMESPACES, NAMESPACE)
    if found is None:
        return due(f"make namespace {NAMESPACE}")
    if mapping(found, "metadata").get("deletionTimestamp"):
        return waits("the former one is going")
    # Without it no pod is admitted, and its controller makes it a moment later.
    return done() if api.get(ACCOUNTS, "default", NAMESPACE) else waits("it has no account for pods yet")


def _make(api: LiveApi, pod_security: str) -> None:
    labels = {f"pod-security.kubernetes.io/{mode}": pod_security for mode in ("enforce", "warn")}
    make(api, NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})


class Cleaner(NamedTuple):
    """Who removes what a run has made. `more`: what else is to be put back, for which a system knows how."""

    api: LiveApi
    more: Sequence[Callable[[LiveApi], object]]
    say: Callable[[str], object]
    clock: Clock = Clock()

    @contextmanager
    def left_as_it_was(self, lease: Held) -> Iterator[None]:
        """Nothing of a run is there before it begins, and after it ends, unless somebody else is at work by then."""
        self._clean(lease)
        try:
            yield
        finally:
            self._end(lease)

    def _end(self, lease: Held) -> None:
        try:
            left = self._clean(lease)
        except (Unanswered, Lost) as problem:
            left = str(problem)
        if left:
            lease.leave_begun()
            self.say(f"not all of it is cleaned up, which ./run verify does before it begins again: {left}")
        else:
            lease.forget()

    def _clean(self, lease: Held) -> str:
        """What is left. An API that is just starting is given its time; raises Unanswered, and Lost before anything is removed."""
        end = self.clock.now() + _PATIENT
        while True:
            try:
                return self._cleaned(lease)
            except Refused:
                raise
            except Unanswered:
                if self.clock.now() > end:
                    raise
                self.clock.sleep(1)

    def _cleaned(self, lease: Held) -> str:
        lease.check()
        for machine in cordoned(self.api):
            uncordon(self.api, machine)
        for put_back in self.more:
            put_back(self.api)
        end = self.clock.now() + _GOES
        while self.api.get(NAMESPACES, NAMESPACE) is not None or _volumes(self.api):
            if self.clock.now() > end:
                left = ", ".join(str(mapping(one, "metadata")["name"]) for one in _volumes(self.api))
                return f"after {_GOES} s {f'volumes {left} are' if left else f'namespace {NAMESPACE} is'} still there"
            lease.check()
            _have_go(self.api)
            self.clock.sleep(1)
        return ""


def _have_go(api: LiveApi) -> None:
    """The namespace, with volumes that would be kept, and pods on machines that are down, which would never end."""
    for one in _volumes(api):
        if mapping(one, "spec").get("persistentVolumeReclaimPolicy") == "Retain":
            change = {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}
            api.merge(VOLUMES, str(mapping(one, "metadata")["name"]), change)
    api.delete(NAMESPACES, NAMESPACE)
    pods = api.list(PODS, NAMESPACE)
    down = {str(mapping(one, "metadata")["name"]) for one in api.list(MACHINES) if not is_ready(one)} if pods else set()
    for one in pods:
        if mapping(one, "spec").get("nodeName") in down:
            api.delete(PODS, str(mapping(one, "metadata")["name"]), NAMESPACE, at_once=True)


def _volumes(api: LiveApi) -> list[Mapping[str, Any]]:
    """Those of claims in the namespace."""
    return [one for one in api.list(VOLUMES) if at(one, ("spec", "claimRef", "namespace")) == NAMESPACE]


def cordoned(api: LiveApi) -> list[str]:
    """The machines that were cordoned here."""
    found = [one for one in api.list(MACHINES) if at(one, ("metadata", "annotations", CORDONED)) == NAMESPACE]
    return [str(mapping(one, "metadata")["name"]) for one in found]


def cordon(api: LiveApi, machine: str) -> None:
    """Have nothing more be placed on it, and know later that it was us; one that somebody has cordoned stays theirs."""
    if at(api.get(MACHINES, machine), ("spec", "unschedulable")) is not True:
        api.merge(MACHINES, machine, {"metadata": {"annotations": {CORDONED: NAMESPACE}}, "spec": {"unschedulable": True}})


def uncordon(api: LiveApi, machine: str) -> None:
    """As it was."""
    api.merge(MACHINES, machine, {"metadata": {"annotations": {CORDONED: None}}, "spec": {"unschedulable": None}})
