"""Regenerates `fluxstead/catalog/data`: the same inputs give the same bytes.

    python -m tools.catalog --schemas DIR --charts DIR --kubernetes DIR

DIR of --schemas holds one folder per set (`flux-2.6`, `longhorn-1.9`, `traefik`, ...) with one
`<Kind>.<version>.<group>.json` per kind: a CRD's `openAPIV3Schema`.
DIR of --charts holds `<chart>-<version>.values.json`, a chart's default values; null is a value that takes any keys.
DIR of --kubernetes is the folder `kubernetes-json-schema` inside the package `kubernetes-validate` (PyPI), with
one folder `v<version>-local-strict` per Kubernetes version.
"""

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.catalog_schemas import SHARED, Schema, canonical, normalised, shared_definitions, whole_object
from tools.catalog_values import history

DATA = Path(__file__).parents[1] / "fluxstead" / "catalog" / "data"
OWN = Path(__file__).parent / "schemas"
KUBERNETES = range(31, 38)
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
Files = dict[str, bytes]
Version = tuple[int, ...]


def main() -> None:
    """Writes all data anew; what an input no longer has goes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("schemas", "charts", "kubernetes"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    definitions = kubernetes_definitions(arguments.kubernetes)
    schemas = {
        **layered("kubernetes", {version: core_kinds(found) for version, found in definitions.items()}),
        **published(arguments.schemas),
    }
    replace(DATA / "schemas", schemas)
    replace(DATA / "chart_values", chart_values(arguments.charts))


def kubernetes_definitions(folder: Path) -> dict[Version, Mapping[str, Any]]:
    """Kubernetes' own definitions by minor version."""
    return {
        (1, minor): json.loads((folder / f"v1.{minor}.0-local-strict" / "_definitions.json").read_text())["$defs"]
        for minor in KUBERNETES
    }


def core_kinds(definitions: Mapping[str, Any]) -> Files:
    """The kinds of one Kubernetes version, and the parts that they share."""
    files: Files = {}
    for group, kinds in CORE_KINDS.items():
        for kind in kinds:
            source = definitions[f"io.k8s.api.{group}.{kind}"]
            identity = source["x-kubernetes-group-version-kind"][0]
            schema = normalised(source, definitions)
            files.update(one_kind(schema, identity["group"], identity["version"], kind))
    for name in SHARED:
        files[f"{name}.json"] = canonical(shared_definitions(name, definitions)).encode()
    return files


def published(folder: Path) -> Files:
    """The kinds of everything that is installed into a cluster; products with versions are kept by version."""
    files: Files = {}
    versioned: dict[str, dict[Version, Files]] = {}
    for root in sorted(folder.iterdir()):
        kinds: Files = {}
        for file in sorted(root.glob("*.json")):
            kind, version, group = file.name.removesuffix(".json").split(".", 2)
            kinds.update(one_kind(normalised(json.loads(file.read_text()), {}), group, version, kind))
        product, _, version = root.name.rpartition("-")
        if version[:1].isdigit():
            versioned.setdefault(product, {})[parsed(version)] = kinds
        else:
            files.update({f"{root.name}/{name}": text for name, text in kinds.items()})
    for file in sorted(OWN.glob("*/*.json")):
        files[f"{file.parent.name}/{file.name}"] = canonical(json.loads(file.read_text())).encode()
    for product, versions in versioned.items():
        files.update(layered(product, versions))
    return files


def chart_values(folder: Path) -> Files:
    """One file per chart, over all its versions."""
    charts: dict[str, dict[Version, Mapping[str, Any]]] = {}
    for file in sorted(folder.glob("*.values.json")):
        chart, _, version = file.name.removesuffix(".values.json").rpartition("-")
        charts.setdefault(chart, {})[parsed(version)] = json.loads(file.read_text())
    files: Files = {}
    for chart, found in charts.items():
        versions = sorted(found)
        keys = history([found[version] for version in versions])
        content = {"keys": keys, "versions": [".".join(map(str, version)) for version in versions]}
        files[f"{chart}.json"] = canonical(content).encode()
    return files


def one_kind(schema: Schema, group: str, version: str, kind: str) -> Files:
    """One kind's file."""
    api_version = f"{group}/{version}" if group else version
    name = ".".join(filter(None, (kind, version, group)))
    return {f"{name}.json": canonical(whole_object(schema, api_version, kind)).encode()}


def parsed(version: str) -> Version:
    """A version's numbers."""
    return tuple(int(part) for part in version.split("."))


def layered(product: str, versions: Mapping[Version, Files]) -> Files:
    """Each version's folder holds what differs from the version before; an empty file takes a kind back."""
    files: Files = {}
    before: Files = {}
    for version, kinds in sorted(versions.items()):
        folder = f"{product}-{'.'.join(map(str, version))}"
        changed = {name: text for name, text in kinds.items() if before.get(name) != text}
        gone = dict.fromkeys(before.keys() - kinds.keys(), b"")
        files.update({f"{folder}/{name}": text for name, text in (changed | gone).items()})
        before = kinds
    return files


def replace(folder: Path, files: Files) -> None:
    """Makes a folder hold these files and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


if __name__ == "__main__":
    main()
