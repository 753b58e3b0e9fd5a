"""The tree as files: groups, layers and objects become text under `generated/<cluster>/`."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fluxstead.core.findings import Source
from fluxstead.core.helm import release_seconds
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.platform import FLUX_NAMESPACE, Platform
from fluxstead.core.yaml_text import to_yaml
from fluxstead.tree.layer import APPLIED_AFTER, Layer, groups_of
from fluxstead.tree.names import file_names
from fluxstead.tree.order import Order
from fluxstead.tree.owned import HEADER
from fluxstead.tree.secret_files import secret_folder

_WAS_READY = "has(dep.status.lastAppliedRevision) && dep.status.lastAppliedRevision != ''"
"""Flux sets it once a revision's health checks have passed, and never unsets it (kustomize-controller: `reconcile`)."""


class TreeFile(NamedTuple):
    """One generated file: its path below the tree's directory, its text, the object in it, and where that was described."""

    path: str
    text: str
    object: Mapping[str, Any]
    source: Source


@dataclass(frozen=True, slots=True)
class Tree:
    """A cluster's tree: its directory from the project's root, the order of its layers, and its files."""

    directory: str
    platform: Platform
    order: Order
    top: tuple[TreeFile, ...]
    by_layer: Mapping[str, tuple[TreeFile, ...]]

    def __iter__(self) -> Iterator[TreeFile]:
        """Every file: the groups' first, then layer by layer in the tree's order."""
        yield from self.top
        for files in self.by_layer.values():
            yield from files


def render(
    directory: str, platform: Platform, order: Order, *, stack_file: str, sops_secret: str | None = None, place: str = ""
) -> Tree:
    """All files of the tree, from layers in their order. Pure: the same layers give the same bytes.

    `place`: where the project is in the repository that Flux reads; its paths start there.
    """
    lasting = frozenset(layer.name for layer in order.layers if layer.first_start_only and platform.flux_since(2, 7))
    pen = _Pen(directory, order, sops_secret, place, lasting)
    by_layer = {layer.name: tuple(pen.layer(layer)) for layer in order.layers}
    return Tree(directory, platform, order, tuple(pen.top(Source(stack_file))), by_layer)


def _timeout(layer: Layer) -> str:
    """The layer's own, or as long as Helm may take for a release in it, plus a minute to notice the end (F17)."""
    longest = max((release_seconds(one.object) for one in layer.manifests if one.ref.kind == "HelmRelease"), default=0)
    own = layer.timing.timeout
    return str(own) if own.seconds > longest else f"{math.ceil(longest / 60) + 1}m"


def _folder(layer: Layer) -> str:
    return f"{layer.group}/{layer.folder or layer.name}"


class _Pen(NamedTuple):
    directory: str
    order: Order
    sops_secret: str | None
    place: str
    lasting: frozenset[str]
    """The layers that others wait for only until they have been ready once."""

    def top(self, source: Source) -> Iterator[TreeFile]:
        groups = groups_of(self.order.layers)
        yield self._list("kustomization.yaml", [f"{group}.yaml" for group in groups], source)
        for group in groups:
            yield self._file(f"{group}.yaml", self._group(group, groups), source)
            members = [f"{layer.name}.yaml" for layer in self.order.layers if layer.group == group]
            yield self._list(f"{group}/kustomization.yaml", members, source)

    def layer(self, layer: Layer) -> Iterator[TreeFile]:
        yield self._file(f"{layer.group}/{layer.name}.yaml", self._kustomization(layer), layer.source)
        if layer.path is None:
            folder = _folder(layer)
            names = file_names([manifest.ref for manifest in layer.manifests])
            yield self._list(f"{folder}/kustomization.yaml", [*self._secrets(layer, folder), *names], layer.source)
            for name, manifest in zip(names, layer.manifests, strict=True):
                yield self._object(f"{folder}/{name}", manifest)

    def _group(self, group: str, groups: list[str]) -> dict[str, Any]:
        after = [{"name": other} for other in APPLIED_AFTER.get(group, ()) if other in groups]
        return {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": group, "namespace": FLUX_NAMESPACE},
            "spec": {
                **({"dependsOn": after} if after else {}),
                "interval": "10m",
                "retryInterval": "1m",
                "timeout": "1m",
                "sourceRef": {"kind": "GitRepository", "name": FLUX_NAMESPACE},
                "path": self._path(f"{self.directory}/{group}"),
                "prune": True,
                # A group that waited for its layers would hold back the commit that fixes one of them.
                "wait": False,
            },
        }

    def _kustomization(self, layer: Layer) -> dict[str, Any]:
        after = [
            {"name": name, **({"readyExpr": _WAS_READY} if name in self.lasting else {})}
            for name in self.order.dependencies(layer.name)
        ]
        after += [{"name": name} for name in self.order.beside[layer.name]]
        metadata: dict[str, Any] = {"name": layer.name, "namespace": FLUX_NAMESPACE}
        if layer.keeps_data:
            metadata["annotations"] = dict(KEEP)
        spec: dict[str, Any] = {
            **({"dependsOn": after} if after else {}),
            "interval": str(layer.timing.interval),
            "retryInterval": str(layer.timing.retry_interval),
            "timeout": _timeout(layer),
            "sourceRef": {"kind": "GitRepository", "name": FLUX_NAMESPACE},
            "path": self._path(layer.path or f"{self.directory}/{_folder(layer)}"),
            "prune": True,
            **({"deletionPolicy": "Orphan"} if layer.keeps_data else {}),
            "wait": layer.waits and not layer.health_checks,
        }
        if layer.health_checks:
            spec["healthChecks"] = [dict(check) for check in layer.health_checks]
        if layer.health_check_exprs:
            spec["healthCheckExprs"] = [dict(check) for check in layer.health_check_exprs]
        if layer.service_account_name:
            spec["serviceAccountName"] = layer.service_account_name
        if (layer.path is not None or layer.secrets) and self.sops_secret:
            spec["decryption"] = {"provider": "sops", "secretRef": {"name": self.sops_secret}}
        return {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": metadata,
            "spec": spec,
        }

    def _secrets(self, layer: Layer, folder: str) -> list[str]:
        """The way to the layer's ciphertext: a folder with a kustomization of its own, which kustomize lets a base be."""
        if not layer.secrets:
            return []
        return [posixpath.relpath(secret_folder(posixpath.basename(self.directory), layer.name), f"{self.directory}/{folder}")]

    def _path(self, path: str) -> str:
        """A path of the project as Flux finds it: from the repository's root."""
        return f"./{posixpath.join(self.place, path)}"

    def _list(self, path: str, resources: list[str], source: Source) -> TreeFile:
        listing = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": sorted(resources)}
        return self._file(path, listing, source)

    def _object(self, path: str, manifest: Manifest) -> TreeFile:
        return self._file(path, manifest.object, manifest.source)

    def _file(self, path: str, obj: Mapping[str, Any], source: Source) -> TreeFile:
        header = f"{HEADER}{source.file}: edit that file, then ./run render.\n"
        return TreeFile(path, header + to_yaml(obj), obj, source)
