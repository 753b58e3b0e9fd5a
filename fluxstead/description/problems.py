"""What pydantic found wrong, as findings with file, line and remedy."""

from __future__ import annotations

import difflib
import types
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fluxstead.core import refusal
from fluxstead.core.check import refuses
from fluxstead.core.described import Described, KeyPath, Origin
from fluxstead.core.findings import Finding, Source
from fluxstead.core.secrecy import may_be_secret
from fluxstead.core.yaml_text import in_one_line
from fluxstead.description.text_in import MISSING

WRONG_TYPE = refuses("description/type", "U7", "replicas: expected a whole number, found the text 'two'", "the description")
UNKNOWN_KEY = refuses("description/unknown-key", "F20", "unknown key `apps[0].replica`", "the description")
WRONG_VALUE = refuses("description/value", "F4, F23, F24, U1", "version: '1.9.x' is not an exact version", "the description")
CHECKS = (WRONG_TYPE, UNKNOWN_KEY, WRONG_VALUE)

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
_ALIKE = 0.75
"""Of difflib's ratio: two letters exchanged in six are more, two words that share an ending are less."""
_LISTED = 12
"""Keys that are listed where none is alike."""
_WHY_TYPE = "a value of another type would be read as something that was not meant"


@dataclass(frozen=True, slots=True)
class AsWritten:
    """The data of a model as it was read: its place, and what the file's document says about it.

    `scalars` (as written), `disputed` and `incomplete` are a Document's. `told`: top-level keys that were already reported as
    unusable.
    """

    data: Any
    origin: Origin
    scalars: Mapping[KeyPath, str] = dataclass_field(default_factory=dict)
    disputed: Mapping[KeyPath, Finding] = dataclass_field(default_factory=dict)
    incomplete: Collection[KeyPath] = ()
    told: Collection[str] = ()

    def text_at(self, path: KeyPath) -> str | None:
        """The source text of a number, a boolean or null."""
        return self.scalars.get((*self.origin.path, *path))

    def dispute_at(self, path: KeyPath) -> Finding | None:
        """What was found about a scalar that readers of YAML disagree on."""
        return self.disputed.get((*self.origin.path, *path))

    def is_told(self, path: KeyPath) -> bool:
        """Whether a missing key has a cause that was already reported."""
        return (*self.origin.path, *path[:-1]) in self.incomplete or (len(path) == 1 and path[0] in self.told)


def findings_of(problem: ValidationError, model: type[BaseModel], written: AsWritten) -> tuple[list[Finding], set[Finding]]:
    """One finding for each thing that pydantic refused in the data of `model`, and the findings that these replace.

    A scalar where text is expected is judged as the text in the file: of `1.10`, YAML's number has lost
    a digit, and advice based on it would name another version.
    """
    items = problem.errors(include_url=False)
    misspelt = _misspelt(items, model)
    as_text = _judged_as_text(items, model, written)
    found: list[Finding] = []
    replaced: set[Finding] = set()
    for item in items:
        path = _path(item)
        if item["type"] == "missing" and (path in misspelt.values() or written.is_told(path)):
            continue
        dispute = written.dispute_at(path)
        if dispute and item["type"] not in {refusal.REFUSED, "literal_error"}:
            continue  # the quotes, or the plain number, are all that it needs
        if dispute:
            replaced.add(dispute)
        found.append(_finding(as_text.get(path, item), model, written, misspelt.get(path), as_it_is=path not in as_text))
    return found, replaced


def _path(item: Any) -> KeyPath:
    return tuple(part for part in item["loc"] if part != "[key]")


def _misspelt(items: Iterable[Any], model: type[BaseModel]) -> dict[KeyPath, KeyPath]:
    """The unknown keys that were meant to be one that is missing, and that one."""
    unknown, missing = ([_path(item) for item in items if item["type"] == kind] for kind in ("extra_forbidden", "missing"))
    found: dict[KeyPath, KeyPath] = {}
    for path in unknown:
        if _instead(model, path):
            continue
        here = [str(other[-1]) for other in missing if other[:-1] == path[:-1] and other not in found.values()]
        names = {_stem(name): name for name in here}
        near = [names[stem] for stem in difflib.get_close_matches(_stem(str(path[-1])), names, n=1, cutoff=0.5)]
        better = difflib.get_close_matches(str(path[-1]), _known(model, path), n=1, cutoff=0.9)
        if near and not (better and better != near):
            found[path] = (*path[:-1], near[0])
    return found


def _judged_as_text(items: Iterable[Any], model: type[BaseModel], written: AsWritten) -> dict[KeyPath, Any]:
    """What is refused about scalars once they are in quotes, by their path; nothing for those that quotes cure."""
    refused = [item for item in items if item["type"] in {"string_type", refusal.REFUSED} and not isinstance(item["input"], str)]
    texts = {path: text for item in refused if (text := written.text_at(path := _path(item))) is not None}
    if not any(texts.values()):
        return {}
    try:
        model.model_validate(_with(written.data, texts))
    except ValidationError as problem:
        return {path: item for item in problem.errors(include_url=False) if texts.get(path := _path(item))}
    return {}


def _with(data: Any, texts: Mapping[KeyPath, str], path: KeyPath = ()) -> Any:
    if isinstance(data, Mapping):
        return {key: _with(value, texts, (*path, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [_with(value, texts, (*path, index)) for index, value in enumerate(data)]
    return texts.get(path) or data


def _finding(item: Any, model: type[BaseModel], written: AsWritten, meant: KeyPath | None, *, as_it_is: bool) -> Finding:
    path, origin = _path(item), written.origin
    source = Source(origin.file, origin.line((*origin.path, *path)))
    place = _spell(path)
    text = written.text_at(path) if as_it_is else None
    secret = bool(path) and may_be_secret(str(path[-1]), text or str(item["input"]))
    shown = "a value that nobody should see" if secret else _shown(item["input"], text)
    match item["type"]:
        case refusal.REFUSED if not text:
            context = item["ctx"]
            what = "there is nothing here" if item["input"] is None else context["what"]
            return WRONG_VALUE(source, what=_at(place, what), why=context["why"], fix=context["write"])
        case "extra_forbidden":
            return _unknown_key(path, model, written, meant)
        case "missing":
            return MISSING(
                source,
                what=f"`{place}` is missing",
                why=_description(model, path) or "it has no default",
                fix=f"{_prefix(origin)}{path[-1]}: …" if len(path) == 1 else f"{path[-1]}: …",
            )
        case "literal_error":
            expected = item["ctx"]["expected"].replace("'", "")
            near = difflib.get_close_matches(str(item["input"]), expected.replace(" or ", ", ").split(", "), n=1)
            return WRONG_VALUE(
                source,
                what=_at(place, f"{shown} is none of: {expected}"),
                why="no other value has a meaning here",
                fix=near[0] if near else expected,
            )
        case kind if kind in _WRONG_TYPE or kind == refusal.REFUSED:
            return WRONG_TYPE(
                source,
                what=_at(place, f"expected {_WRONG_TYPE.get(kind, 'text')}, found {shown}"),
                why=_WHY_TYPE,
                fix="the value in quotes" if secret else _in_type(kind, text, model, path, item["input"]),
            )
        case _:
            return WRONG_VALUE(
                source,
                what=_at(place, f"{shown}: {item['msg'][0].lower()}{item['msg'][1:]}"),
                why="the value is outside the allowed range",
                fix="a value within the limit",
            )


def unknown_key(key: str, known: Iterable[str], source: Source, *, place: str, instead: str = "") -> Finding:
    """The finding for a key that nothing reads, with the nearest one that something does, or what is known to be meant."""
    return UNKNOWN_KEY(
        source,
        what=f"unknown key `{place}`",
        why="a misspelt key would silently leave its default in force",
        fix=instead or _nearest(key, sorted(known)),
    )


def _nearest(key: str, known: list[str]) -> str:
    """The key that is spelt almost so, whatever its case and the project's name before it; else those that there are."""
    stems = {_stem(name): name for name in known}
    near = difflib.get_close_matches(_stem(key), stems, n=1, cutoff=_ALIKE)
    if near:
        return stems[near[0]]
    more = len(known) - _LISTED
    return f"one of: {', '.join(known[:_LISTED])}{f' and {more} more, which the editor completes' if more > 0 else ''}"


def _stem(key: str) -> str:
    return key.rpartition(":")[2].replace("_", "").casefold()


def _unknown_key(path: KeyPath, model: type[BaseModel], written: AsWritten, meant: KeyPath | None) -> Finding:
    origin = written.origin
    source = Source(origin.file, origin.line((*origin.path, *path)))
    prefix = _prefix(origin) if len(path) == 1 else ""
    known = [f"{prefix}{name}" for name in _known(model, path)]
    instead = f"{prefix}{meant[-1]}" if meant else _instead(model, path)
    return unknown_key(f"{prefix}{path[-1]}", known, source, place=f"{prefix}{_spell(path)}", instead=instead)


def _instead(model: type[BaseModel], path: KeyPath) -> str:
    """What the part around `path` knows to be meant by the key; or a part of it that has a key of that name."""
    owner, key = _model_at(model, path[:-1]), str(path[-1])
    if owner is None:
        return ""
    words = owner.instead if issubclass(owner, Described) else {}
    told = next((write for word, write in words.items() if _stem(word) == _stem(key)), "")
    inside = (name for name in _known(model, path) if key in _known(model, (*path[:-1], name, key)))
    return told or next((f"{name}: with {key}:" for name in inside), "")


def _known(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that the model around `path` has."""
    owner = _model_at(model, path[:-1])
    return [field.alias or name for name, field in owner.model_fields.items() if not field.exclude] if owner else []


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    current: Any = model
    by_name = False
    for part in path:
        if isinstance(part, int) or by_name:
            by_name = False
            continue
        fields = {field.alias or name: field for name, field in current.model_fields.items()} if _is_model(current) else {}
        annotation = fields[part].annotation if part in fields else None
        current, by_name = _inside(annotation) if annotation else None, _is_mapping(annotation)
    return current if _is_model(current) else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_mapping(annotation: Any) -> bool:
    """Whether what is below has names that people chose, in an optional or not."""
    origin = get_origin(annotation)
    return origin is dict or (origin in {Union, types.UnionType} and any(map(_is_mapping, get_args(annotation))))


def _inside(annotation: Any) -> Any:
    """The model inside an optional, a list or a mapping."""
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


def _shown(value: object, text: str | None) -> str:
    match value:
        case bool():
            return f"the boolean {text or str(value).lower()}"
        case int() | float():
            return f"the number {text or value}"
        case str():
            return f"the text {value if len(value) <= _SHOWN else value[:_SHOWN] + '…'!r}"
        case None:
            return f"nothing (`{text}`)" if text else "nothing"
        case list():
            return "a list"
    return "a mapping"


def _in_type(kind: str, text: str | None, model: type[BaseModel], path: KeyPath, value: object) -> str:
    if kind in {"string_type", refusal.REFUSED} and text:
        return f"'{text}' in quotes"
    if kind == "tuple_type" and isinstance(value, str) and len(value) <= _SHOWN and _model_at(model, path) is None:
        return in_one_line([value])
    owner = _model_at(model, path) if _WRONG_TYPE[kind] == _WRONG_TYPE["model_type"] else None
    needed = [field.alias or name for name, field in owner.model_fields.items() if field.is_required()] if owner else []
    return f"{{{', '.join(f'{key}: …' for key in needed)}}}" if needed else _WRONG_TYPE[kind]
