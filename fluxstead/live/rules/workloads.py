"""Claims that stay pending, and Secrets that are not there, each with why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.live.events import EVENT, failures_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import CLAIMS, CLASSES, SECRETS
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.pods import POD
from fluxstead.live.trouble import LiveTrouble, Subject, layer_subject


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


class SecretThere(NamedTuple):
    """A Secret, by its name. `release`: of which deployed release of Helm it is the record."""

    namespace: str
    name: str
    release: str = ""


def _secret(obj: Mapping[str, Any]) -> SecretThere:
    """Helm's records have the release in their labels (helm/helm: pkg/storage/driver/secrets.go)."""
    metadata = mapping(obj, "metadata")
    labels, name = mapping(metadata, "labels"), str(metadata.get("name", ""))
    deployed = name.startswith("sh.helm.release.v1.") and labels.get("owner") == "helm" and labels.get("status") == "deployed"
    return SecretThere(str(metadata.get("namespace", "")), name, str(labels.get("name", "")) if deployed else "")


CLAIM = Kind(CLAIMS, _claim)
CLASS = Kind(CLASSES, _class)
SECRET = Kind(SECRETS, _secret, names=True)


def claims(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Claims that are not bound; one of a class that waits for a pod is told only where a pod waits for it."""
    del expected
    classes = {one.name: one for one in facts.of(CLASS)}
    failures = failures_of(facts)
    wanted = {(pod.namespace, claim) for pod in facts.of(POD) for claim in pod.claims}
    for one in facts.of(CLAIM):
        known = classes.get(one.storage_class)
        if known and known.waits and (one.namespace, one.name) not in wanted:
            continue
        failed = failures.get(("PersistentVolumeClaim", one.namespace, one.name))
        if known is None and facts.knows(CLASS) and one.phase == "Pending":
            says = f"is pending: there is no StorageClass {one.storage_class or '(none is named, and none is the default)'}"
        elif failed and one.phase == "Pending":
            says = f"is pending: {failed.says}"
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


def secrets(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Secrets that layers apply and that are not in the cluster."""
    if not facts.knows(SECRET):
        return
    there = {one[:2] for one in facts.of(SECRET)}
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
            (layer_subject(need.layer),),
            also=(Subject("secrets in", need.namespace),),
        )


RULES = (
    LiveRule(claims, (CLAIM, CLASS, POD, EVENT)),
    LiveRule(secrets, (SECRET,)),
)
