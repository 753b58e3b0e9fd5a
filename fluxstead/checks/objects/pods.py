"""The pods that workloads create: where each kind has its template, and what a pod refers to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.catalog.kinds import CONTAINERS, WORKLOADS, pod_in
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.core.shape import entries_of, mapping

CONTROLLERS_OWN = ("statefulset.kubernetes.io/", "apps.kubernetes.io/", "batch.kubernetes.io/", "job-name", "pod-template-hash")
"""Labels that controllers give to pods besides those of the template."""


class Pod(NamedTuple):
    """The pods that a workload creates: its template, and the labels that they carry."""

    item: AppliedObject
    template: Mapping[str, Any]
    labels: Mapping[str, Any]


class Pods:
    """Every pod template of a tree, found by its labels without looking at all of them."""

    def __init__(self, tree: AppliedTree) -> None:
        self._all: dict[str, list[Pod]] = defaultdict(list)
        self._by_label: dict[tuple[str, str, str], list[Pod]] = defaultdict(list)
        self._as_written: dict[str, bool] = {}
        self.claims: set[tuple[str, str]] = set()
        """The namespace and the start of the name of each claim that a StatefulSet creates for its pods."""
        for item in tree.of(*WORKLOADS):
            template = pod_in(item.object) or {}
            pod = Pod(item, template, mapping(mapping(template, "metadata"), "labels"))
            self._all[item.ref.namespace].append(pod)
            for key, value in pod.labels.items():
                self._by_label[item.ref.namespace, key, str(value)].append(pod)
            for claim in entries_of(item.spec, "volumeClaimTemplates"):
                self.claims.add((item.ref.namespace, f"{mapping(claim, 'metadata').get('name')}-{item.ref.name}"))

    def __iter__(self) -> Iterator[Pod]:
        """All of them."""
        for pods in self._all.values():
            yield from pods

    def have_their_labels(self, namespace: str) -> bool:
        """Whether all in a namespace carry the labels that are written: kustomize may add some, to their selectors as well."""
        if namespace not in self._as_written:
            pods = self._all.get(namespace, [])
            self._as_written[namespace] = all(pod.item.keeps("spec", "template", "metadata", "labels") for pod in pods)
        return self._as_written[namespace]

    def with_labels(self, namespace: str, labels: Mapping[str, Any]) -> list[Pod]:
        """Those in a namespace that carry all of these labels."""
        found = [self._by_label.get((namespace, key, str(value)), []) for key, value in labels.items()]
        candidates = min(found, key=len) if found else self._all.get(namespace, [])
        return [pod for pod in candidates if all(pod.labels.get(key) == value for key, value in labels.items())]


def containers_of(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every container of a pod."""
    spec = mapping(pod, "spec")
    for key in CONTAINERS:
        yield from entries_of(spec, key)


def images_of(pod: Mapping[str, Any]) -> Iterator[str]:
    """What a pod's node has to pull: the images of its containers, and those that it mounts."""
    holders = [*containers_of(pod), *(mapping(volume, "image") for volume in entries_of(mapping(pod, "spec"), "volumes"))]
    for holder in holders:
        image = holder.get("image", holder.get("reference"))
        if isinstance(image, str) and image:
            yield image
