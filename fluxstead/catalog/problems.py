"""A validator's errors in an operator's words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.catalog.nearest import nearest
from fluxstead.core.secrecy import may_be_secret

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_YAML_WORDS = {"object": "map", "array": "list"}
_PATTERNS = {
    "(([KMGTPE]i)|[numkMGTPE]|": "a quantity such as 500m or 25Gi",
    "(ms|s|m|h)": "a duration such as 10m or 1h30m",
    "(ns|us|µs|ms|s|m|h)": "a duration such as 30s",
}
_SHOWN = 60
_WORDS = {str: "string", int: "integer", float: "number", list: "list", dict: "map"}
_HOLDERS = frozenset({"data", "stringData"})
_LISTED = 12


class SchemaProblem(NamedTuple):
    """One thing that an object's API would refuse or drop: where in the object, and what."""

    path: str
    message: str


def problems_of(errors: Iterable[ValidationError], schema: Mapping[str, Any]) -> list[SchemaProblem]:
    """All errors of one object, in the order of their paths, each once."""
    found = list(errors)
    # A misspelt required key is both unknown and missing: it is reported once, with the key that was meant.
    misspelt = {
        (*error.instance_path, nearest(key, _known(error, schema)))
        for error in found
        if error.kind.name == "additionalProperties"
        for key in error.kind.value
    }
    told = (error for error in found if error.kind.name != "required" or (*error.instance_path, error.kind.value) not in misspelt)
    return sorted({problem for error in told for problem in _problems(error, schema)})


def _known(error: ValidationError, schema: Mapping[str, Any]) -> Collection[str]:
    """The keys that the object with the unknown one may have."""
    known: Collection[str] = _at(schema, error.schema_path[:-1])["properties"]
    return known


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it: `spec.rules[0].host`, with brackets around a key that contains dots or slashes."""
    parts = ""
    for key in path:
        if isinstance(key, int):
            parts += f"[{key}]"
        elif re.fullmatch(r"[\w-]+", key):
            parts += f".{key}"
        else:
            parts += f'["{key}"]'
    return parts.removeprefix(".")


def _problems(error: ValidationError, schema: Mapping[str, Any]) -> Iterator[SchemaProblem]:
    where = list(error.instance_path)
    value = error.kind.value
    if error.kind.name == "additionalProperties":
        for key in value:
            yield SchemaProblem(dotted([*where, key]), f"unknown key `{key}`{_instead(key, _known(error, schema), error.instance)}")
    elif error.kind.name == "required":
        yield SchemaProblem(dotted([*where, value]), f"key `{value}` is missing")
    else:
        yield SchemaProblem(dotted(where), _message(error, schema))


def _message(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """What one value is instead of what it should be; the schema's own sentence where it has one."""
    value = error.kind.value
    found = f"found {_found(error.instance) if not _is_hidden(error) else _WORDS.get(type(error.instance), 'another value')}"
    match error.kind.name:
        case "type":
            return f"expected {' or '.join(_YAML_WORDS.get(name, name) for name in value)}, {found}"
        case "enum":
            return f"expected {_choice(value, error.instance)}, {found}"
        case "pattern":
            words = next((words for part, words in _PATTERNS.items() if part in value), f"text that matches {value}")
            return f"expected {words}, {found}"
        case "minimum" | "maximum":
            return f"expected {'at least' if error.kind.name == 'minimum' else 'at most'} {value}, {found}"
        case _:
            return _at(schema, error.schema_path[:-1]).get("title") or str(error.message)


def _choice(options: Sequence[object], value: object) -> str:
    listed = " or ".join(f"`{option}`" for option in options if option is not None)
    guess = nearest(value, [option for option in options if isinstance(option, str)]) if isinstance(value, str) else None
    return f"`{guess}`" if guess and len(options) > _LISTED else listed


def _instead(key: str, known: Collection[str], present: object) -> str:
    """The key to write instead: a similar one, or else those that are still free, if there are few."""
    guess = nearest(key, known)
    if guess:
        return f", nearest is `{guess}`"
    free = sorted(name for name in known if not (isinstance(present, Mapping) and name in present))
    return f", known are {', '.join(f'`{name}`' for name in free)}" if 0 < len(free) <= _LISTED else ""


def _is_hidden(error: ValidationError) -> bool:
    """Whether the value may be a secret: what a Secret holds, a variable's value, and what is called like one."""
    where = [str(key) for key in error.instance_path]
    return bool(where) and (where[0] in _HOLDERS or where[-1] == "value" or may_be_secret(where[-1], str(error.instance)))


def _found(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean {str(value).lower()}"
        case int():
            return f"integer {value}"
        case float():
            return f"number {value}"
        case str():
            return f"string '{value if len(value) <= _SHOWN else value[:_SHOWN] + '…'}'"
        case _:
            return "list" if isinstance(value, (list, tuple)) else "map"


def _at(schema: Mapping[str, Any], path: Iterable[str | int]) -> Any:
    """The part of a schema at a keyword path, which the validator gives with references followed."""
    part: Any = schema
    for key in path:
        part = part[key]
    return part


def not_json(value: object, path: tuple[str | int, ...] = ()) -> list[SchemaProblem]:
    """Values that Python's YAML creates and JSON has no form for, such as an unquoted date."""
    if isinstance(value, Mapping):
        return [problem for key, child in value.items() for problem in not_json(child, (*path, str(key)))]
    if isinstance(value, (list, tuple)):
        return [problem for index, child in enumerate(value) for problem in not_json(child, (*path, index))]
    if value is None or isinstance(value, (str, int, float)):
        return []
    return [SchemaProblem(dotted(path), f"expected text, found {type(value).__name__} {value}: quote it")]


def plain(value: Any) -> Any:
    """The same data in JSON's own types; text may be of a class that says how YAML should print it."""
    if isinstance(value, Mapping):
        return {str(key): plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(child) for child in value]
    return str(value) if isinstance(value, str) else value
