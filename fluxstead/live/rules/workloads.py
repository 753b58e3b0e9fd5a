"""Claims that stay pending, pods that do not start, and Secrets that are not there, each with why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from fluxstead.core.shape import entries_of, mapping
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.pods import PODS, trouble_of
from fluxstead.live.resources import SECRETS, Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject


class StuckPod(NamedTuple):
    """A pod that does not run as it should. `says`: each reason, in Kubernetes' words."""

    namespace: str
    name: str
    machine: str
    says: tuple[str, ...]
    claims: tuple[str, ...]


def _pod(obj: Mapping[str, Any]) -> StuckPod | None:
    metadata, spec = mapping(obj, "metadata"), mapping(obj, "spec")
    namespace, name = str(metadata.get("namespace", "")), str(metadata.get("name", ""))
    label = f"Pod {namespace}/{name}"
    says = tuple(line.removeprefix(label).lstrip(", ") for line in trouble_of(obj)) or tuple(_silent(mapping(obj, "status")))
    if not says:
        return None
    claims = (mapping(one, "persistentVolumeClaim").get("claimName") for one in entries_of(spec, "volumes"))
    return StuckPod(namespace, name, str(spec.get("nodeName", "")), says, tuple(str(claim) for claim in claims if claim))


_PATIENCE = timedelta(minutes=5)


def _silent(status: Mapping[str, Any]) -> Iterator[str]:
    """What a pod does not say itself: it failed, or it has been starting, or not ready, for longer than that takes."""
    phase = status.get("phase")
    if phase == "Failed":
        yield f"has failed: {status.get('message') or status.get('reason') or 'it ended with an error'}"
    elif phase == "Pending" and _long_since(status.get("startTime")):
        yield "does not start: its volumes are not attached, or its image is not there yet"
    elif phase == "Running":
        ready = next((one for one in entries_of(status, "conditions") if one.get("type") == "Ready"), {})
        if ready.get("status") == "False" and _long_since(ready.get("lastTransitionTime")):
            yield f"runs, and is not ready: {ready.get('message') or 'its probe does not succeed'}"


def _long_since(moment: object) -> bool:
    try:
        return datetime.now(UTC) - datetime.fromisoformat(str(moment)) > _PATIENCE
    except (ValueError, TypeError):
        return False


class Claim(NamedTuple):
    """A claim without a volume, or whose volume is lost."""

    namespace: str
    name: str
    phase: str
    storage_class: str


def _claim(obj: Mapping[str, Any]) -> Claim | None:
    metadata, phase = mapping(obj, "metadata"), str(mapping(obj, "status").get("phase", ""))
    if phase == "Bound":
        return None
    return Claim(
        str(metadata.get("namespace", "")),
        str(metadata.get("name", "")),
        phase,
        str(mapping(obj, "spec").get("storageClassName") or ""),
    )


class StorageClass(NamedTuple):
    """A class, and whether it waits for a pod before it makes a volume."""

    name: str
    provisioner: str
    waits: bool


def _class(obj: Mapping[str, Any]) -> StorageClass:
    name = str(mapping(obj, "metadata").get("name", ""))
    return StorageClass(name, str(obj.get("provisioner", "")), obj.get("volumeBindingMode") == "WaitForFirstConsumer")


def _name(obj: Mapping[str, Any]) -> tuple[str, str]:
    metadata = mapping(obj, "metadata")
    return str(metadata.get("namespace", "")), str(metadata.get("name", ""))


POD = Kind(PODS, _pod)
CLAIM = Kind(Resource("api/v1", "persistentvolumeclaims"), _claim)
CLASS = Kind(Resource("apis/storage.k8s.io/v1", "storageclasses", namespaced=False), _class)
SECRET = Kind(SECRETS, _name, names=True)


def claims(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Claims that are not bound; one of a class that waits for a pod is told only where a pod waits for it."""
    del expected
    classes = {one.name: one for one in facts.of(CLASS)}
    wanted = {(pod.namespace, claim) for pod in facts.of(POD) for claim in pod.claims}
    for one in facts.of(CLAIM):
        known = classes.get(one.storage_class)
        if known and known.waits and (one.namespace, one.name) not in wanted:
            continue
        if known is None and facts.knows(CLASS) and one.phase == "Pending":
            says = f"is pending: there is no StorageClass {one.storage_class or '(none is named, and none is the default)'}"
        else:
            says = f"is {one.phase.lower() or 'new'}"
        yield LiveTrouble(
            Subject("claim", f"{one.namespace}/{one.name}"),
            says,
            "the pods that use it do not start" if one.phase != "Lost" else "its volume is gone, and its data with it",
            f"kubectl -n {one.namespace} describe pvc {one.name}",
            waits_for=(Subject("storage class", one.storage_class), Subject("storage of", known.provisioner if known else "")),
            also=(Subject("claims in", one.namespace),),
        )


def pods(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Pods that do not run."""
    del expected
    for one in facts.of(POD):
        subject = Subject("pod", f"{one.namespace}/{one.name}")
        yield LiveTrouble(
            subject,
            "; ".join(one.says),
            "what it serves is not there",
            f"kubectl -n {one.namespace} describe pod {one.name}; kubectl -n {one.namespace} logs {one.name} --all-containers",
            waits_for=(
                *((subject_of(one.machine),) if one.machine else ()),
                *(Subject("claim", f"{one.namespace}/{claim}") for claim in one.claims),
                Subject("secrets in", one.namespace),
            ),
            also=(Subject("pods in", one.namespace),),
        )


def secrets(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Secrets that layers apply and that are not in the cluster."""
    if not facts.knows(SECRET):
        return
    there = set(facts.of(SECRET))
    for need in expected.needs:
        if (need.namespace, need.name) in there:
            continue
        subject = Subject("secret", need.qualified_name)
        yield LiveTrouble(
            subject,
            f"is not in the cluster: {need.purpose}",
            "what reads it does not start, or does not get in",
            f"./run secrets, then ./run render, commit, push; flux reconcile kustomization {need.layer}",
            "docs/tasks/secrets.md",
            (Subject("layer", need.layer),),
            also=(Subject("secrets in", need.namespace),),
        )


RULES = (
    LiveRule(claims, (CLAIM, CLASS, POD)),
    LiveRule(pods, (POD,)),
    LiveRule(secrets, (SECRET,)),
)
