"""Turns upstream schemas into the small strict ones that the catalog ships."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

# What a check of manifests can use. The rest of a CRD or an OpenAPI definition speaks to the API server
# (merge keys, defaults, CEL rules) or to a reader.
KEPT = frozenset(
    [
        "type",
        "properties",
        "required",
        "items",
        "additionalProperties",
        "enum",
        "const",
        "pattern",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
    ]
)
ONE_SCHEMA = frozenset({"items", "additionalProperties", "not"})
MANY_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf"})
# Shorter than this, a reference costs as much as what it replaces.
WORTH_SHARING = 48

# resource.Quantity, with the pattern that controller-gen writes into every CRD.
QUANTITY: Schema = {
    "type": ["number", "string"],
    "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
}
INT_OR_STRING: Schema = {"type": ["integer", "string"]}
OPEN: Schema = {"type": "object"}
# What many kinds share has a file of its own: it is most of their size, and changes with the Kubernetes version.
SHARED = {
    "ObjectMeta": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    "PodSpec": "io.k8s.api.core.v1.PodSpec",
}
WELL_KNOWN: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": QUANTITY,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": INT_OR_STRING,
    "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry": OPEN,
    **{definition: {"$ref": f"#/$defs/{name}"} for name, definition in SHARED.items()},
}


# CEL rules of the CRDs that a validator of single objects can express, each with the CRD's own message as its title.
RULES: dict[str, Schema] = {
    "(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))": {
        "oneOf": [{"required": ["chart"]}, {"required": ["chartRef"]}]
    },
    "has(self.configMapRef) || has(self.secretRef)": {"anyOf": [{"required": ["configMapRef"]}, {"required": ["secretRef"]}]},
    "!has(self.configMapRef) || !has(self.secretRef)": {"not": {"required": ["configMapRef", "secretRef"]}},
    "!has(self.retryInterval) || self.name == 'RetryOnFailure'": {
        "anyOf": [{"not": {"required": ["retryInterval"]}}, {"properties": {"name": {"const": "RetryOnFailure"}}}]
    },
    "!has(self.retryInterval) || self.name != 'RemediateOnFailure'": {
        "anyOf": [{"not": {"required": ["retryInterval"]}}, {"properties": {"name": {"enum": ["RetryOnFailure"]}}}]
    },
    "has(self.interval) || !has(self.digestReflectionPolicy) || self.digestReflectionPolicy != 'Always'": {
        "anyOf": [
            {"required": ["interval"]},
            {"not": {"required": ["digestReflectionPolicy"]}},
            {"properties": {"digestReflectionPolicy": {"enum": ["IfNotPresent", "Never"]}}},
        ]
    },
}


def normalised(source: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """One schema with its references resolved, validating keywords only, and unknown keys refused.

    Kubernetes' own document allows null wherever a key is optional. The API server takes such a null as
    absent, so in a generated tree it is a value that somebody forgot: only a CRD's `nullable` allows it.
    """
    if "$ref" in source:
        name = source["$ref"].rsplit("/", 1)[-1]
        return WELL_KNOWN.get(name) or normalised(definitions[name], definitions)
    if source.get("x-kubernetes-int-or-string"):
        source = {**{key: value for key, value in source.items() if key not in MANY_SCHEMAS}, **INT_OR_STRING}
    kept = {key: _normalised_keyword(key, source[key], definitions) for key in sorted(KEPT & source.keys())}
    if source.get("nullable"):
        kept.update({key: [*_listed(kept[key]), null] for key, null in (("type", "null"), ("enum", None)) if key in kept})
    if source.get("x-kubernetes-preserve-unknown-fields"):
        kept.pop("additionalProperties", None)
    elif "properties" in kept:
        kept.setdefault("additionalProperties", False)
    rules = [rule for rule in source.get("x-kubernetes-validations", ()) if rule["rule"] in RULES]
    if rules:
        kept["allOf"] = [*kept.get("allOf", ()), *({"title": rule["message"], **RULES[rule["rule"]]} for rule in rules)]
    return kept


def _normalised_keyword(key: str, value: Any, definitions: Mapping[str, Any]) -> Any:
    if key == "properties":
        return {name: normalised(child, definitions) for name, child in sorted(value.items())}
    if key in ONE_SCHEMA and isinstance(value, Mapping):
        return normalised(value, definitions)
    if key in MANY_SCHEMAS:
        return [normalised(child, definitions) for child in value]
    if key == "type":
        types = [name for name in _listed(value) if name != "null"]
        return types[0] if len(types) == 1 else types
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def shared_definitions(name: str, definitions: Mapping[str, Any]) -> dict[str, Schema]:
    """The `$defs` of one shared part.

    `creationTimestamp: null` is what `kubectl create --dry-run` prints and the server ignores.
    """
    schema = normalised(definitions[SHARED[name]], definitions)
    if name == "ObjectMeta":
        schema["properties"]["creationTimestamp"] = {"type": ["null", "string"]}
    schema = packed(schema, prefix=name)
    return {**schema.pop("$defs", {}), name: schema}


def whole_object(schema: Schema, api_version: str, kind: str) -> Schema:
    """The schema of a file's object, small: identity fixed, metadata typed, status left to whoever reports it.

    A name is required because server-side apply refuses an object without one.
    """
    properties = {**schema["properties"], "apiVersion": {"const": api_version}, "kind": {"const": kind}}
    properties["metadata"] = {"$ref": "#/$defs/ObjectMeta", "required": ["name"]}
    if (api_version, kind) == ("v1", "Secret"):
        # What `sops --encrypt` adds to the file; kustomize-controller takes it out again when it decrypts.
        properties["sops"] = OPEN
    if "status" in properties:
        properties["status"] = OPEN
    required = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
    small = packed({**schema, "properties": properties, "required": required})
    shared = [name for name in SHARED if f'"#/$defs/{name}"' in canonical(small)]
    return {**small, "x-shared": shared}


def packed(schema: Schema, prefix: str = "d") -> Schema:
    """The same schema with every repeated part stored once, under `$defs`."""
    counts: dict[str, int] = {}
    _count(schema, counts)
    names: dict[str, str] = {}
    definitions: dict[str, Schema] = {}

    def share(node: Schema) -> Schema:
        text = canonical(node)
        if len(text) < WORTH_SHARING or counts[text] == 1:
            return descend(node)
        if text not in names:
            names[text] = f"{prefix}{len(names)}"
            definitions[names[text]] = descend(node)
        return {"$ref": f"#/$defs/{names[text]}"}

    def descend(node: Schema) -> Schema:
        result: Schema = {}
        for key, value in node.items():
            if key == "properties":
                result[key] = {name: share(child) for name, child in value.items()}
            elif key in ONE_SCHEMA and isinstance(value, dict):
                result[key] = share(value)
            elif key in MANY_SCHEMAS:
                result[key] = [share(child) for child in value]
            else:
                result[key] = value
        return result

    root = descend(schema)
    return {**root, "$defs": definitions} if definitions else root


def _count(node: Schema, counts: dict[str, int]) -> None:
    """How often each part occurs, where what lies inside a repeated part counts once."""
    for child in _children(node):
        text = canonical(child)
        counts[text] = counts.get(text, 0) + 1
        if counts[text] == 1:
            _count(child, counts)


def _children(node: Schema) -> Iterator[Schema]:
    yield from node.get("properties", {}).values()
    for key in ONE_SCHEMA & node.keys():
        if isinstance(node[key], dict):
            yield node[key]
    for key in sorted(MANY_SCHEMAS & node.keys()):
        yield from node[key]


def canonical(value: object) -> str:
    """JSON without a choice in it, so that the same data is the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
