"""Whether this cluster's versions accept an object, unknown keys included."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluxstead.catalog.problems import SchemaProblem, not_json, plain, problems_of
from fluxstead.core.version import Version

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

__all__ = ["SchemaProblem", "Schemas"]

_DATA = Path(__file__).parent / "data" / "schemas"
_SCALARS = ("string", "integer", "number", "boolean")
_UNVERSIONED = ("cert-manager", "k3s", "kustomize", "prometheus-operator", "traefik")


class Schemas:
    """JSON schemas of the versions that one cluster runs.

    A product's sets are layered: each holds the kinds that changed in its version, with an empty file where it
    no longer serves one. A minor version without a set of its own is judged by the next one that has: a field added in
    between goes unnoticed, and none that the cluster has is refused; of API versions, only those that stayed are known.
    Beyond the newest set, and where no version is known, the newest counts. `products`: the versions of what else the cluster
    runs, by the sets' names.
    """

    def __init__(self, *, kubernetes: Version | None, flux: Version | None, **products: Version) -> None:
        self._files: dict[tuple[str, str], Path] = {}
        self._shared: dict[str, Path] = {}
        for product, version in {"kubernetes": kubernetes, "flux": flux, **products}.items():
            for folder in _sets(product, version):
                self._add(folder)
        for name in _UNVERSIONED:
            self._add(_DATA / name)
        self._compiled: dict[tuple[str, str], tuple[dict[str, Any], Draft202012Validator]] = {}

    def knows(self, api_version: str, kind: str) -> bool:
        """Whether the catalog holds this kind at this version of its API."""
        return (api_version, kind) in self._files

    def problems(self, obj: Mapping[str, Any]) -> list[SchemaProblem]:
        """What is wrong with an object; nothing for a kind that is not in the catalog."""
        missing = [key for key in ("apiVersion", "kind") if not isinstance(obj.get(key), str)]
        if missing:
            return [SchemaProblem(key, f"key `{key}` is missing") for key in missing]
        identity = (obj["apiVersion"], obj["kind"])
        if not self.knows(*identity):
            return self._other_version(*identity)
        schema, validator = self._compiled.get(identity) or self._compile(identity)
        try:
            return [] if validator.is_valid(obj) else problems_of(validator.iter_errors(obj), schema)
        except ValueError:
            # A value of a type that is not JSON's own: text with a print style is fine, a date is not.
            return not_json(obj) or problems_of(validator.iter_errors(plain(obj)), schema)

    def newest(self, api_version: str, kind: str) -> str | None:
        """The API version to write for a kind of this group: the stable one, or else the newest beta."""
        group = api_version.rpartition("/")[0]
        served = [known for known, name in self._files if name == kind and known.rpartition("/")[0] == group]
        return max(served, key=_stability, default=None)

    def leads_somewhere(self, kind: str, way: Sequence[str]) -> bool | None:
        """Whether an object of this kind may have something at a path of keys; None for a kind that is not in the catalog."""
        known = [identity for identity in self._files if identity[1] == kind]
        schemas = [(self._compiled.get(identity) or self._compile(identity))[0] for identity in known]
        return any(_leads(schema, schema.get("$defs", {}), way) for schema in schemas) if schemas else None

    @property
    def kinds(self) -> frozenset[str]:
        """The names of all kinds."""
        return frozenset(kind for _, kind in self._files)

    def _add(self, folder: Path) -> None:
        for file in sorted(folder.iterdir()):
            kind, _, rest = file.name.removesuffix(".json").partition(".")
            version, _, group = rest.partition(".")
            api_version = f"{group}/{version}" if group else version
            if not version:
                self._shared[kind] = file
            elif file.stat().st_size:
                self._files[api_version, kind] = file
            else:
                del self._files[api_version, kind]

    def _other_version(self, api_version: str, kind: str) -> list[SchemaProblem]:
        """An API version that this cluster no longer serves, or does not serve yet, of a kind that it has."""
        newest = self.newest(api_version, kind)
        return [SchemaProblem("apiVersion", f"{kind} is not served as `{api_version}`: `{newest}`")] if newest else []

    def _compile(self, identity: tuple[str, str]) -> tuple[dict[str, Any], Draft202012Validator]:
        from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 -- expensive, and only checks need it

        schema = json.loads(self._files[identity].read_bytes())
        definitions = schema.setdefault("$defs", {})
        for name in schema.pop("x-shared", ()):
            definitions |= json.loads(self._shared[name].read_bytes())
        self._compiled[identity] = schema, Draft202012Validator(schema)
        return self._compiled[identity]


def _leads(schema: Any, shared: Mapping[str, Any], way: Sequence[str]) -> bool:
    """Whether a schema, with those that it shares, has a place for a path; what it leaves open has one for any."""
    if not isinstance(schema, Mapping):
        return schema is not False
    if "$ref" in schema:
        schema = {**schema, **shared.get(str(schema["$ref"]).rpartition("/")[2], {})}
    if not way:
        return True
    options = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    key, rest = way[0], way[1:]
    following: Any = schema.get("additionalProperties", not options and schema.get("type") not in _SCALARS)
    if "items" in schema:
        following = schema["items"] if key.isdecimal() or key == "-" else False
    following = schema.get("properties", {}).get(key, following)
    return _leads(following, shared, rest) or any(_leads(option, shared, way) for option in options)


def _stability(api_version: str) -> tuple[bool, list[int]]:
    """Kubernetes' own order of versions: v2 before v1, either before v2beta2."""
    version = api_version.rpartition("/")[2]
    return "beta" not in version and "alpha" not in version, [int(number) for number in re.findall(r"\d+", version)]


@cache
def _sets(product: str, version: Version | None) -> tuple[Path, ...]:
    """The folders that serve a version, oldest first: up to the first that is not older; all where it is not known."""
    held = sorted((_minor(folder), folder) for folder in _DATA.glob(f"{product}-*"))
    older = sum(version is None or since < version.minor for since, _ in held)
    return tuple(folder for _, folder in held[: older + 1])


def _minor(folder: Path) -> tuple[int, ...]:
    return tuple(map(int, folder.name.rpartition("-")[2].split(".")))
