"""Who uses a claim, and how that is ended and begun again: by the number of pods that whoever runs them is asked for.

A StatefulSet that an operator made is the operator's: it would be put back at once, so its own object is asked. Sources: Kubernetes
docs, "StatefulSets" (the name of a claim is that of its template, of the set and of the pod's number); prometheus-operator
Documentation/api-reference (`spec.replicas` of Prometheus and Alertmanager).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.checks.objects.claims import claims_of
from fluxstead.core.shape import at, entries_of, mapping, named
from fluxstead.live.pods import PODS
from fluxstead.live.resources import DAEMON_SETS, DEPLOYMENTS, STATEFUL_SETS, Resource

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_OPERATORS = {
    "Prometheus": Resource("apis/monitoring.coreos.com/v1", "prometheuses"),
    "Alertmanager": Resource("apis/monitoring.coreos.com/v1", "alertmanagers"),
}
"""Owners of StatefulSets whose own object says how many pods there are."""
_RESOURCES = (DEPLOYMENTS, STATEFUL_SETS, *_OPERATORS.values())
_KUBERNETES = frozenset({None, "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
"""Who may run a pod without being somebody's operator; what nobody runs is None."""
_ENDED = frozenset({"Succeeded", "Failed"})


class ScaledWorkload(NamedTuple):
    """What runs pods, and how many it is asked for."""

    resource: Resource
    namespace: str
    name: str
    replicas: int

    @property
    def label(self) -> str:
        """As people type it."""
        return f"{self.resource.plural}/{self.name}"

    def typed(self, replicas: int) -> str:
        """How to ask for so many by hand. An operator's `scale` may mean shards (prometheus-operator: Prometheus)."""
        if self.resource in _OPERATORS.values():
            return f'kubectl -n {self.namespace} patch {self.label} --type=merge -p \'{{"spec":{{"replicas":{replicas}}}}}\''
        return f"kubectl -n {self.namespace} scale {self.label} --replicas={replicas}"

    def written(self) -> dict[str, Any]:
        """For a note."""
        return {"kind": self.resource.plural, "namespace": self.namespace, "name": self.name, "replicas": self.replicas}


def scaled_from(note: Mapping[str, Any]) -> ScaledWorkload:
    """The same, read from a note."""
    [resource] = [one for one in _RESOURCES if one.plural == note["kind"]]
    return ScaledWorkload(resource, str(note["namespace"]), str(note["name"]), int(note["replicas"]))


class Users(NamedTuple):
    """Whose pods use a claim. `others`: those whom nobody here can ask, a line each. `objects`: what was looked at, as it is."""

    workloads: tuple[ScaledWorkload, ...] = ()
    others: tuple[str, ...] = ()
    objects: tuple[Mapping[str, Any], ...] = ()


def users_of(api: LiveApi, namespace: str, claim: str) -> Users:
    """Whose pods use it, or would. Raises Unanswered."""
    workloads, others, objects = list[ScaledWorkload](), list[str](), list[Mapping[str, Any]]()
    for resource in (DEPLOYMENTS, STATEFUL_SETS):
        for one in api.list(resource, namespace):
            if not _uses(one, claim):
                continue
            asked = _asked(api, resource, one)
            objects.append(one)
            if asked is None:
                others.append(f"{resource.plural}/{named(one).name} is run by {_owner(one)}, whose object is not known here")
            else:
                workloads.append(asked)
    others += [f"statefulsets/{named(one).name} deletes its claims when it is scaled" for one in objects if _deletes_claims(one)]
    others += [*_strangers(api, namespace, claim)]
    others += [
        f"daemonsets/{named(one).name} runs on every machine" for one in api.list(DAEMON_SETS, namespace) if _uses(one, claim)
    ]
    return Users(tuple(workloads), tuple(others), tuple(objects))


def _deletes_claims(workload: Mapping[str, Any]) -> bool:
    return bool(at(workload, ("spec", "persistentVolumeClaimRetentionPolicy", "whenScaled")) == "Delete")


def _strangers(api: LiveApi, namespace: str, claim: str) -> Iterator[str]:
    """Pods that have it now, and that something else than Kubernetes' own kinds runs."""
    for pod in api.list(PODS, namespace):
        owner = _controller(pod) or {}
        if claim in claims_of(mapping(pod, "spec")).values() and owner.get("kind") not in _KUBERNETES and not _has_ended(pod):
            yield f"pod {named(pod).name} is run by {_owner(pod)}, whose object is not known here"


def _uses(workload: Mapping[str, Any], claim: str) -> bool:
    pod = at(workload, ("spec", "template", "spec"))
    if isinstance(pod, Mapping) and claim in claims_of(pod).values():
        return True
    templates = entries_of(mapping(workload, "spec"), "volumeClaimTemplates")
    begins = [f"{named(template).name}-{named(workload).name}-" for template in templates]
    return any(claim.startswith(begin) and claim.removeprefix(begin).isdecimal() for begin in begins)


def _asked(api: LiveApi, resource: Resource, workload: Mapping[str, Any]) -> ScaledWorkload | None:
    """Whoever says how many pods there are; None where that is somebody unknown."""
    owner = _controller(workload)
    if owner is None:
        return _counted(resource, workload)
    operator = _OPERATORS.get(str(owner.get("kind")))
    found = api.get(operator, str(owner.get("name")), named(workload).namespace) if operator else None
    return _counted(operator, found) if operator and found else None


def _counted(resource: Resource, obj: Mapping[str, Any]) -> ScaledWorkload:
    replicas = at(obj, ("spec", "replicas"))
    return ScaledWorkload(resource, *named(obj), replicas if isinstance(replicas, int) else 1)


def _controller(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    owners = entries_of(mapping(obj, "metadata"), "ownerReferences")
    return next((one for one in owners if one.get("controller") is True), None)


def _owner(obj: Mapping[str, Any]) -> str:
    owner = _controller(obj) or {}
    return f"{owner.get('kind')} {owner.get('name')}"


def asked_for(api: LiveApi, workload: ScaledWorkload) -> int | None:
    """How many pods it is asked for now; None where it is gone. Raises Unanswered."""
    found = api.get(workload.resource, workload.name, workload.namespace)
    return _counted(workload.resource, found).replicas if found else None


def ask_for(api: LiveApi, workload: ScaledWorkload, replicas: int) -> None:
    """Another number of pods. An autoscaler does nothing while it is 0. Raises Unanswered."""
    api.merge(workload.resource, workload.name, {"spec": {"replicas": replicas}}, workload.namespace)


def _has_ended(pod: Mapping[str, Any]) -> bool:
    return mapping(pod, "status").get("phase") in _ENDED


class Using(NamedTuple):
    """A pod that has a claim. `alone`: whether nobody makes another one, or a Job does."""

    name: str
    alone: bool


def pods_with(api: LiveApi, namespace: str, claim: str) -> Iterator[Using]:
    """The pods that have not ended. Raises Unanswered."""
    for pod in api.list(PODS, namespace):
        if claim in claims_of(mapping(pod, "spec")).values() and not _has_ended(pod):
            owner = _controller(pod)
            yield Using(named(pod).name, owner is None or owner.get("kind") == "Job")
