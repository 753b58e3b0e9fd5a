"""Custom resource definitions for the kinds that charts and k3s bring, with the schemas of the catalog where it has them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from fluxstead.catalog import brings, schemas
from fluxstead.core.requirement import GroupKind
from fluxstead.core.version import Version
from fluxstead.roster import SYSTEM_FACTS

Json = dict[str, Any]
FOLDERS = ("prometheus-operator", "traefik", "cert-manager", "k3s")
# Of kinds whose schema the catalog does not hold.
VERSIONS = {"longhorn.io": "v1beta2", "traefik.io": "v1alpha1"}
CLUSTER_WIDE = {"ClusterIssuer", "GatewayClass", "ETCDSnapshotFile"}
SERVED_ANYWAY = {"apiVersion", "kind", "metadata", "status"}
KEPT = {"type", "enum", "pattern", "required", "minLength", "maxLength", "minimum", "maximum", "minItems"}
_OR_NONE = 2
"""The types of what may be null: its own, and that."""
ANYTHING: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def chart_crds(chart: str, version: str) -> list[Json]:
    """The definitions that this version of a chart brings."""
    found = SYSTEM_FACTS.charts.brings(chart, version)
    return _definitions(map(written, found.crds), _schemas("longhorn", version)) if found else []


def k3s_crds(disable: list[str], version: Version) -> list[Json]:
    """The definitions that k3s brings with these components disabled."""
    return _definitions(map(written, brings.k3s_brings(disable, version).crds), _schemas())


def flux_crds(version: str) -> list[Json]:
    """The definitions of a version of Flux, of which the tests may run another."""
    files = _schemas("flux", version)
    return _definitions((name for name in files if name.endswith(".toolkit.fluxcd.io")), files)


def published_crds(of: str) -> list[Json]:
    """The definitions as they were published, where the folder FLUXSTEAD_CRDS holds them, as `flux-2.6.1/*.yaml`."""
    folder = os.environ.get("FLUXSTEAD_CRDS")
    files = sorted((Path(folder) / of).glob("*.yaml")) if folder else []
    return [one for file in files for one in yaml.safe_load_all(file.read_text()) if one]


def origin(needed: list[Json], published: list[Json]) -> str:
    """Where these definitions come from, in words: a set of which only a half was published is not called published."""
    names = {one["metadata"]["name"] for one in needed}
    there = names & {one["metadata"]["name"] for one in published}
    if not there:
        return "from the catalog's schemas"
    return "as published" if there == names else f"{len(there)} of {len(names)} as published, the others from the catalog's schemas"


def written(kind: GroupKind) -> str:
    """`Kind.group`, as the catalog's files are named."""
    return f"{kind.kind}.{kind.group}"


def _schemas(product: str = "", version: str = "") -> dict[str, dict[str, Path]]:
    """The catalog's files by `Kind.group` and API version: sets lie one over the other, an empty file ends a version."""
    found: dict[str, dict[str, Path]] = {}
    for folder in (*(schemas._sets(product, _exact(version)) if product else ()), *(schemas._DATA / name for name in FOLDERS)):
        for file in folder.glob("*.v*.*.json"):
            kind, api_version, group = file.name.removesuffix(".json").split(".", 2)
            versions = found.setdefault(f"{kind}.{group}", {})
            if file.stat().st_size:
                versions[api_version] = file
            else:
                versions.pop(api_version, None)
    return {name: versions for name, versions in found.items() if versions}


def _exact(version: str) -> Version:
    """A version of which the tests may only say the minor one."""
    return Version.read(version) or Version(f"{version}.0")


def _definitions(kinds: Iterable[str], files: dict[str, dict[str, Path]]) -> list[Json]:
    return [_definition(name, files.get(name, {})) for name in sorted(kinds)]


def _definition(name: str, files: dict[str, Path]) -> Json:
    kind, _, group = name.partition(".")
    plural = _plural(kind.lower())
    versions = {version: _of_file(file) for version, file in files.items()} or {
        VERSIONS.get(group, "v1"): _object({"spec": ANYTHING})
    }
    newest = max(versions, key=lambda version: ("beta" not in version and "alpha" not in version, version))
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # For groups that are Kubernetes' own; it asks for the proof of a review, or for the word that there is none.
            **({"annotations": {"api-approved.kubernetes.io": "unapproved, of a test"}} if group.endswith(".k8s.io") else {}),
        },
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": "Cluster" if kind in CLUSTER_WIDE else "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == newest,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
                for version, schema in sorted(versions.items())
            ],
        },
    }


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def _of_file(file: Path) -> Json:
    schema = json.loads(file.read_text())
    definitions = schema.get("$defs", {})
    parts = {name: part for name, part in schema["properties"].items() if name not in SERVED_ANYWAY}
    return _object({name: _structural(part, definitions) for name, part in parts.items()})


def _object(parts: Json) -> Json:
    return {"type": "object", "properties": {**parts, "status": ANYTHING}}


def _structural(schema: Json, definitions: Json) -> Json:
    """The catalog's JSON schema as the API server wants it: no references, a type everywhere, unknown keys refused anyway."""
    kinds = schema.get("type")
    if isinstance(kinds, list) and len(kinds) == _OR_NONE and "null" in kinds:
        (kind,) = (one for one in kinds if one != "null")
        return {**_structural({**schema, "type": kind}, definitions), "nullable": True}
    return _of_one_type(schema, definitions)


def _of_one_type(schema: Json, definitions: Json) -> Json:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        # A type of Kubernetes' own, shared by many sets.
        return _structural(definitions[name], definitions) if name in definitions else dict(ANYTHING)
    kept = {key: value for key, value in schema.items() if key in KEPT}
    if "const" in schema:
        kept["enum"] = [schema["const"]]
    match schema.get("type"):
        case list():
            # A number or text, as ports and quantities are; a pattern would be asked of both.
            return {"x-kubernetes-int-or-string": True}
        case "object" if "properties" in schema:
            kept["properties"] = {name: _structural(part, definitions) for name, part in schema["properties"].items()}
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            kept["additionalProperties"] = _structural(schema["additionalProperties"], definitions)
        case "object":
            kept = dict(ANYTHING)
        case "array":
            kept["items"] = _structural(schema["items"], definitions)
        case None if "enum" in kept:
            kept["type"] = "string"
        case None:
            return {"x-kubernetes-preserve-unknown-fields": True}
    return kept
