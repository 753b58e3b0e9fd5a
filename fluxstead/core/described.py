"""The base of everything an operator writes: frozen, strict about keys, and aware of its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, PrivateAttr
from pydantic.alias_generators import to_camel

from fluxstead.core.findings import Source

KeyPath = tuple[str | int, ...]


class Origin(NamedTuple):
    """Where a model was written: the file, its key path in it, and the lines of all key paths of that file."""

    file: str
    path: KeyPath
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """The line of `path`, or of its nearest ancestor that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


_UNKNOWN = Origin("description", (), {})


class Described(BaseModel):
    """A part of the description. Keys are camelCase in YAML, as in Kubernetes; unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, defer_build=True)

    instead: ClassVar[Mapping[str, str]] = {}
    """What to write in place of keys that people bring from elsewhere, and this part does not have."""

    _origin: Origin = PrivateAttr(default=_UNKNOWN)

    @property
    def source(self) -> Source:
        """Where this part begins."""
        return self.source_of()

    def source_of(self, *keys: str | int) -> Source:
        """Where the value at `keys` (as written in YAML) stands, or this part where it was left to its default."""
        return Source(self._origin.file, self._origin.line((*self._origin.path, *keys)))


def locate(value: Any, origin: Origin) -> None:
    """Give every described part inside `value` its place in the file."""
    if isinstance(value, Described):
        value._origin = origin  # noqa: SLF001 -- the one place that sets it
        for name, alias in _aliases(type(value)).items():
            child = getattr(value, name)
            if isinstance(child, (Described, tuple, dict)):
                locate(child, Origin(origin.file, (*origin.path, alias), origin.lines))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            locate(item, Origin(origin.file, (*origin.path, index), origin.lines))
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, Described):
                locate(item, Origin(origin.file, (*origin.path, key), origin.lines))


def _aliases(model: type[Described]) -> dict[str, str]:
    known = _ALIASES.get(model)
    if known is None:
        known = {name: field.alias or name for name, field in model.model_fields.items()}
        _ALIASES[model] = known
    return known


_ALIASES: dict[type[Described], dict[str, str]] = {}
