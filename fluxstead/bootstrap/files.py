"""The three files from which Flux installs itself, as `flux bootstrap` lays them out, and the objects in them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import yaml

from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import mapping
from fluxstead.core.yaml_text import to_yaml

COMPONENTS, SYNC, LISTING = "gotk-components.yaml", "gotk-sync.yaml", "kustomization.yaml"
_HEADER = "# Written by `./run upgrade flux`, from the description.\n"
Credentials = Literal["deploy-key", "token", "none"]


class Sync(NamedTuple):
    """What the cluster's Flux follows. `path`: the folder it starts from, from the repository's root."""

    url: str
    branch: str
    path: str
    secret: str | None


def flux_folder(cluster: str) -> str:
    """The folder of Flux's own manifests, from the project's."""
    return f"clusters/{cluster}/{FLUX_NAMESPACE}"


def sync_of(cluster: str, place: str, url: str, branch: str, credentials: Credentials) -> Sync:
    """What a description says. `place`: the project's folder in the repository."""
    return Sync(url, branch, posixpath.join(place, "clusters", cluster), None if credentials == "none" else FLUX_NAMESPACE)


def sync_text(sync: Sync) -> str:
    """`gotk-sync.yaml`, with the intervals of `flux bootstrap` (fluxcd/flux2: pkg/manifestgen/sync)."""
    source = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": FLUX_NAMESPACE, "namespace": FLUX_NAMESPACE},
        "spec": {
            "interval": "1m0s",
            "ref": {"branch": sync.branch},
            **({"secretRef": {"name": sync.secret}} if sync.secret else {}),
            "url": sync.url,
        },
    }
    entry = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": FLUX_NAMESPACE, "namespace": FLUX_NAMESPACE},
        "spec": {
            "interval": "10m0s",
            "path": f"./{sync.path}",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": FLUX_NAMESPACE},
        },
    }
    return f"{_HEADER}---\n{to_yaml(source)}---\n{to_yaml(entry)}"


def sync_in(text: str) -> Sync | None:
    """What a `gotk-sync.yaml` says; None where it is something else."""
    found = {str(one.get("kind")): mapping(one, "spec") for one in objects_in(text)}
    if {"GitRepository", "Kustomization"} - found.keys():
        return None
    source, entry = found["GitRepository"], found["Kustomization"]
    secret = mapping(source, "secretRef").get("name")
    path = str(entry.get("path", "")).removeprefix("./").rstrip("/")
    return Sync(str(source.get("url")), str(mapping(source, "ref").get("branch")), path, str(secret) if secret else None)


def listing_text(patches: Sequence[Mapping[str, Any]]) -> str:
    """`kustomization.yaml`: the other two files, and what is changed in them."""
    listing = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [COMPONENTS, SYNC]}
    return _HEADER + to_yaml({**listing, **({"patches": list(patches)} if patches else {})})


def listing_in(text: str) -> dict[str, Any]:
    """What a `kustomization.yaml` says; empty where it is no mapping."""
    found = _loaded(text)
    return dict(found[0]) if len(found) == 1 and isinstance(found[0], dict) else {}


def components_in(text: str) -> frozenset[str]:
    """The controllers that a `gotk-components.yaml` installs."""
    return frozenset(str(mapping(one, "metadata")["name"]) for one in objects_in(text) if one.get("kind") == "Deployment")


def objects_in(text: str) -> list[dict[str, Any]]:
    """The objects of a manifest; nothing of what is no YAML."""
    return [one for one in _loaded(text) if isinstance(one, dict) and "name" in mapping(one, "metadata")]


def _loaded(text: str) -> list[Any]:
    try:
        return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return []


class FluxManifest(NamedTuple):
    """One object that brings Flux in. `phase`: it is applied when all of the earlier ones are there."""

    phase: int
    data: dict[str, Any]

    @property
    def key(self) -> str:
        """`Kind namespace/name`, which is the same for ever."""
        metadata = mapping(self.data, "metadata")
        place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
        return f"{self.data['kind']} {place}{metadata['name']}"


NAMESPACE_PHASE, SYNC_PHASE = 0, 4
_PHASES = {"Namespace": NAMESPACE_PHASE, "CustomResourceDefinition": 1, "Deployment": 3, "Service": 3}
"""A Service is waited for until it has pods."""
_OTHERS = 2


def manifests_of(objects: Sequence[dict[str, Any]]) -> Iterator[FluxManifest]:
    """The objects in the order in which an empty cluster takes them.

    With the labels that kustomize-controller gives to what it applies, so that its first apply, and a repeated one of ours, change
    nothing of them (fluxcd/pkg: ssa/manager, SetOwnerLabels).
    """
    found = []
    for one in objects:
        metadata = mapping(one, "metadata")
        labels = {**mapping(metadata, "labels"), **_OWNER}
        in_sync = str(one.get("apiVersion", "")).partition("/")[0].endswith(".toolkit.fluxcd.io")
        phase = SYNC_PHASE if in_sync else _PHASES.get(str(one["kind"]), _OTHERS)
        found.append(FluxManifest(phase, {**one, "metadata": {**metadata, "labels": labels}}))
    return iter(sorted(found, key=lambda one: (one.phase, one.key)))


_OWNER = {f"kustomize.toolkit.fluxcd.io/{key}": FLUX_NAMESPACE for key in ("name", "namespace")}
