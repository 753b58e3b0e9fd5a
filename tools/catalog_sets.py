"""Sets of schemas: the kinds that one version of one product serves, made of what is published of it.

A set of a product with versions, `flux-2.9`, holds what differs from the version before it; an empty file takes a kind back.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.catalog_schemas import SHARED, Schema, canonical, normalised, shared_definitions, whole_object
from tools.catalog_yaml import documents

# Kinds of Kubernetes itself that a generated tree can hold, by the name of their definition.
CORE_KINDS = {
    "apps.v1": ("DaemonSet", "Deployment", "StatefulSet"),
    "autoscaling.v1": ("HorizontalPodAutoscaler",),
    "autoscaling.v2": ("HorizontalPodAutoscaler",),
    "batch.v1": ("CronJob", "Job"),
    "core.v1": (
        "ConfigMap",
        "LimitRange",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "ResourceQuota",
        "Secret",
        "Service",
        "ServiceAccount",
    ),
    "networking.v1": ("Ingress", "IngressClass", "NetworkPolicy"),
    "policy.v1": ("PodDisruptionBudget",),
    "rbac.v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "scheduling.v1": ("PriorityClass",),
    "storage.v1": ("StorageClass",),
}
# Before it, the catalog knows no Kubernetes.
OLDEST_MINOR = 31
_DEFINITIONS = re.compile(r"(?:.*/)?kubernetes-json-schema/v1\.(\d+)\.0-local-strict/_definitions\.json")
_VERSIONED = re.compile(r"(.+)-(\d+(?:\.\d+)*)")
Files = dict[str, bytes]
Version = tuple[int, ...]


def kubernetes(package: Path) -> dict[Version, Files]:
    """Kubernetes' own kinds by minor version, of the package `kubernetes-validate`."""
    sets: dict[Version, Files] = {}
    try:
        with zipfile.ZipFile(package) as archive:
            for name in archive.namelist():
                found = _DEFINITIONS.fullmatch(name)
                if found and int(found[1]) >= OLDEST_MINOR:
                    sets[1, int(found[1])] = core_kinds(json.loads(archive.read(name))["$defs"])
    except (OSError, zipfile.BadZipFile) as error:
        raise SystemExit(f"{package}: not a wheel: {error}") from error
    if not sets:
        raise SystemExit(f"{package}: holds no `v1.<minor>.0-local-strict/_definitions.json`: is this kubernetes-validate?")
    return sets


def core_kinds(definitions: Mapping[str, Any]) -> Files:
    """The kinds of one Kubernetes version, and the parts that they share."""
    files: Files = {}
    for group, kinds in CORE_KINDS.items():
        for kind in kinds:
            source = definitions[f"io.k8s.api.{group}.{kind}"]
            identity = source["x-kubernetes-group-version-kind"][0]
            files |= one_kind(normalised(source, definitions), identity["group"], identity["version"], kind)
    for name in SHARED:
        files[f"{name}.json"] = canonical(shared_definitions(name, definitions)).encode()
    return files


def custom_kinds(files: list[Path]) -> Files:
    """The kinds of the custom resource definitions in these files; a `<Kind>.<version>.<group>.json` is the schema of one kind."""
    kinds: Files = {}
    for file in files:
        found: Files = {}
        for group, version, kind, schema in _of_schema(file) if file.suffix == ".json" else _of_definitions(file):
            found |= one_kind(normalised(schema, {}), group, version, kind)
        if not found:
            raise SystemExit(f"{file}: holds no CustomResourceDefinition with a schema")
        kinds |= found
    return kinds


def _of_definitions(file: Path) -> Iterator[tuple[str, str, str, Schema]]:
    try:
        for document in documents(file.read_text()):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                spec = document["spec"]
                for version in spec["versions"]:
                    schema = version.get("schema", {}).get("openAPIV3Schema", {})
                    if version["served"] and "properties" in schema:
                        yield spec["group"], version["name"], spec["names"]["kind"], schema
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SystemExit(f"{file}: no custom resource definitions can be read from it: {error}") from error


def _of_schema(file: Path) -> Iterator[tuple[str, str, str, Schema]]:
    parts = file.name.removesuffix(".json").split(".", 2)
    try:
        kind, version, group = parts
        yield group, version, kind, json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise SystemExit(f"{file}: not a schema called <Kind>.<version>.<group>.json: {error}") from error


def one_kind(schema: Schema, group: str, version: str, kind: str) -> Files:
    """One kind's file."""
    api_version = f"{group}/{version}" if group else version
    name = ".".join(filter(None, (kind, version, group)))
    return {f"{name}.json": canonical(whole_object(schema, api_version, kind)).encode()}


def product_of(name: str) -> tuple[str, Version]:
    """The product and the version of a set; of one without versions, none."""
    found = _VERSIONED.fullmatch(name)
    return (found[1], parsed(found[2])) if found else (name, ())


def held(data: Path, product: str) -> dict[Version, Files]:
    """The sets of a product as they went in, each whole."""
    folders = sorted(
        (version, folder) for folder in data.iterdir() for name, version in [product_of(folder.name)] if name == product
    )
    sets: dict[Version, Files] = {}
    whole: Files = {}
    for version, folder in folders:
        whole = whole | {file.name: file.read_bytes() for file in folder.iterdir()}
        sets[version] = {name: text for name, text in whole.items() if text}
    return sets


def layered(product: str, sets: Mapping[Version, Files]) -> Files:
    """Each version's folder holds what differs from the version before."""
    files: Files = {}
    before: Files = {}
    for version, kinds in sorted(sets.items()):
        folder = "-".join(filter(None, (product, ".".join(map(str, version)))))
        changed = {name: text for name, text in kinds.items() if before.get(name) != text}
        gone = dict.fromkeys(before.keys() - kinds.keys(), b"")
        files |= {f"{folder}/{name}": text for name, text in (changed | gone).items()}
        before = kinds
    return files


def parsed(version: str) -> Version:
    """A version's numbers."""
    return tuple(int(part) for part in version.split("."))
