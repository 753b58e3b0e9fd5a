"""What pydantic found wrong, as findings with file, line and remedy."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fluxstead.core import refusal
from fluxstead.core.described import KeyPath, Origin
from fluxstead.core.findings import Finding, Source, error

_WRONG_TYPE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_SHOWN = 60
_WHY_TYPE = "another type would be read as something that was not meant"


def findings_of(problem: ValidationError, model: type[BaseModel], origin: Origin) -> list[Finding]:
    """One finding for each thing that pydantic refused in the data of `model` at `origin`."""
    return [_finding(item, model, origin) for item in problem.errors(include_url=False)]


def _finding(item: Any, model: type[BaseModel], origin: Origin) -> Finding:
    written: KeyPath = tuple(part for part in item["loc"] if part != "[key]")
    source = Source(origin.file, origin.line((*origin.path, *written)))
    place = _spell(written)
    match item["type"]:
        case refusal.REFUSED:
            context = item["ctx"]
            return error("description/value", source, what=_at(place, context["what"]), why=context["why"], write=context["write"])
        case "extra_forbidden":
            return _unknown_key(written, model, source)
        case "missing":
            return error(
                "description/missing",
                source,
                what=f"`{place}` is missing",
                why=_description(model, written) or "nothing else says it, and it has no default",
                write=f"{_prefix(origin)}{written[-1]}: …" if len(written) == 1 else f"{written[-1]}: …",
            )
        case "literal_error":
            expected = item["ctx"]["expected"].replace("'", "")
            near = difflib.get_close_matches(str(item["input"]), expected.replace(" or ", ", ").split(", "), n=1)
            return error(
                "description/value",
                source,
                what=_at(place, f"{item['input']!r} is none of: {expected}"),
                why="no other word has a meaning here",
                write=near[0] if near else expected,
            )
        case kind if kind in _WRONG_TYPE:
            return error(
                "description/type",
                source,
                what=_at(place, f"expected {_WRONG_TYPE[kind]}, found {_shown(item['input'])}"),
                why=_WHY_TYPE,
                write=_in_type(kind, item["input"]),
            )
        case _:
            return error(
                "description/value",
                source,
                what=_at(place, f"{_shown(item['input'])}: {item['msg'][0].lower()}{item['msg'][1:]}"),
                why="the value lies outside what is allowed",
                write="a value within the bound",
            )


def unknown_key(key: str, known: Iterable[str], source: Source, *, place: str) -> Finding:
    """The finding for a key that nothing reads, with the nearest one that something does."""
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return error(
        "description/unknown-key",
        source,
        what=f"unknown key `{place}`",
        why="a misspelt key would leave its default in force without a word",
        write=near[0] if near else f"one of: {', '.join(sorted(known))}",
    )


def _unknown_key(path: KeyPath, model: type[BaseModel], source: Source) -> Finding:
    owner = _model_at(model, path[:-1])
    known = [field.alias or name for name, field in owner.model_fields.items() if not field.exclude] if owner else []
    return unknown_key(str(path[-1]), known, source, place=_spell(path))


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    current: Any = model
    for part in path:
        if isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in current.model_fields.items()} if _is_model(current) else {}
        current = _inside(fields[part].annotation) if part in fields else None
    return current if _is_model(current) else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _inside(annotation: Any) -> Any:
    """The model that an optional, a list or a mapping is made of."""
    if get_origin(annotation) in {Union, types.UnionType, tuple, dict}:
        models = [_inside(argument) for argument in get_args(annotation)]
        return next((found for found in models if _is_model(found)), None)
    return annotation


def _description(model: type[BaseModel], path: KeyPath) -> str | None:
    owner = _model_at(model, path[:-1])
    if owner is None:
        return None
    for name, field in owner.model_fields.items():
        if path[-1] in {name, field.alias} and field.description:
            return field.description.rstrip(".")
    return None


def _prefix(origin: Origin) -> str:
    """The project's name before a key of the stack file's configuration."""
    return "fluxstead:" if origin.path == ("config",) else ""


def _spell(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _at(place: str, what: str) -> str:
    return f"{place}: {what}" if place else what


def _shown(value: object) -> str:
    match value:
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value if len(value) <= _SHOWN else value[:_SHOWN] + '…'!r}"
        case None:
            return "nothing"
        case list():
            return "a list"
    return "a mapping"


def _in_type(kind: str, value: object) -> str:
    if kind == "string_type" and isinstance(value, (bool, int, float)):
        return f"'{str(value).lower()}' in quotes"
    return _WRONG_TYPE[kind]
