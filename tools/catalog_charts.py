"""What a chart's archive says of its values: those of `values.yaml`, and those that only its templates read.

A shape is `OPEN` for a value that takes any keys, `CLOSED` for one that takes none, or a map of shapes by key.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tools.catalog_yaml import documents

CLOSED = 0
OPEN = 1
Shape = Any

# What charts hand on to Kubernetes as it is written, often by way of helpers in which the key's path cannot be seen.
KUBERNETES_OWN = (
    "affinity",
    "annotations",
    "Annotations",
    "extraArgs",
    "labels",
    "Labels",
    "Probe",
    "nodeSelector",
    "resources",
    "securityContext",
    "SecurityContext",
    "strategy",
    "updateStrategy",
)
_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_PATH = re.compile(r"\.Values((?:\.[\w-]+)+)")
_INDEXED = re.compile(r'index \(?\$?\.Values((?: +"[^"]+")+)')
_DIGGED = re.compile(r'\bdig((?: +"[^"]*")+) +(?:[^"\s]+ +)?\$?\.Values((?:\.[\w-]+)*)')
_RELATIVE = re.compile(r'(?<![\w)"])(?:\$\w*)?((?:\.[A-Za-z]\w*)+)')
_BELOW = re.compile(r'(?<![\w)"$.])((?:\.[A-Za-z]\w*)+)')
_ROOTS = (".Values", ".Chart", ".Release", ".Capabilities", ".Template", ".Files")
_WRITTEN_OUT = re.compile(r"[tT]o(?:Yaml|Json|RawJson|PrettyJson|Toml)\b")
_BLOCK = re.compile(r"\{\{-?\s*(?:else\s+)?(if|with|range|define|block|end)\b")
_COMMENT = re.compile(r"\{\{-?\s*/\*")
_IT = re.compile(r"(?:^|[\s(])\.(?=[\s)|])")
# A key that is asked for only to say that it is gone.
_REFUSED = re.compile(r"\{\{-?\s*(?:else\s+)?if[^}]*\}\}\s*\{\{-?\s*fail\b")
Way = tuple[str, ...]


def chart_of(archive: Path) -> tuple[str, str, Shape]:
    """The name, the version and the values' shape of a chart as it is published, `NAME-VERSION.tgz`."""
    files = dict(_texts(archive))
    about, defaults = (_mapping(archive, name, files.get(name)) for name in ("Chart.yaml", "values.yaml"))
    if not {"name", "version"} <= about.keys():
        raise SystemExit(f"{archive}: Chart.yaml names no name and version: is this the archive of a chart?")
    dependencies = [str(one.get("alias") or one["name"]) for one in about.get("dependencies") or ()]
    templates = [text for name, text in files.items() if name != "Chart.yaml"]
    shape = shape_of(defaults, templates, [*dependencies, "global"] if dependencies else [])
    return str(about["name"]), str(about["version"]).removeprefix("v"), shape


def shape_of(defaults: Mapping[Any, Any], templates: Iterable[str], dependencies: Sequence[str]) -> Shape:
    """The shape of values: what a chart inside the chart takes (`dependencies`) is not for this one to judge.

    The defaults are one of the templates, as some of them are evaluated too.
    """
    mentions = [_mentions(text) for text in templates]
    handed_on = frozenset((name,) for name in dependencies).union(*(one.handed_on for one in mentions))
    names = frozenset[str]().union(*(one.names for one in mentions))
    shape = _shape(defaults, (), handed_on, names)
    for way in sorted(frozenset[Way]().union(*(one.read for one in mentions))):
        _add(shape, way)
    return shape | dict.fromkeys(dependencies, OPEN)


@dataclass(frozen=True)
class Mentions:
    """What a template says of values: the ways of keys that it reads, and those of them that it hands on.

    `names`: of what it hands on without saying where it lies, as in `toYaml .component.extraVolumes`.
    """

    read: frozenset[Way]
    handed_on: frozenset[Way]
    names: frozenset[str]


@lru_cache(maxsize=10_000)
def _mentions(template: str) -> Mentions:
    """A map is handed on that is written out, or gone through key by key: it takes keys of which the chart knows nothing.

    Most templates are the same in many releases.
    """
    read: set[Way] = set()
    handed_on: set[Way] = set()
    names: set[str] = set()
    around: list[tuple[set[Way], set[str]]] = []
    for action in _ACTION.findall(_REFUSED.sub("{{ if false }}{{ fail", template)):
        if _COMMENT.match(action):
            continue
        indexed = {_quoted(keys) for keys in _INDEXED.findall(action)}
        named = {_way(path) for path in _PATH.findall(action)}
        elsewhere = {path.rpartition(".")[2] for path in _RELATIVE.findall(action) if not path.startswith(_ROOTS)}
        block = _BLOCK.match(action)
        read |= named | indexed | set(_digged(action))
        if around:
            below = [_way(path) for path in _BELOW.findall(action) if not path.startswith(_ROOTS)]
            read |= {(*way, *path) for way in around[-1][0] for path in below}
        handed_on |= indexed
        if block and block[1] == "range":
            handed_on |= named
        if _WRITTEN_OUT.search(action):
            handed_on |= named
            names |= elsewhere
            if around and _IT.search(action):
                handed_on |= around[-1][0]
                names |= around[-1][1]
        if block and block[1] == "end":
            around = around[:-1]
        elif block and "else" not in action:
            here = around[-1] if block[1] == "if" and around else (set[Way](), set[str]())
            around.append((named, elsewhere) if block[1] == "with" else here)
    return Mentions(frozenset(read), frozenset(handed_on), frozenset(names))


def _way(path: str) -> Way:
    return tuple(path.split(".")[1:])


def _quoted(keys: str) -> Way:
    return tuple(re.findall(r'"([^"]*)"', keys))


def _digged(action: str) -> Iterator[Way]:
    """`dig "a" "b" DEFAULT .Values.c` reads c.a.b; what is quoted last is the default, unless another one stands there."""
    for found in _DIGGED.finditer(action):
        keys = _quoted(found[1])
        yield (*_way(found[2]), *(keys[:-1] if found[0].removesuffix(found[2]).rstrip("$").endswith('" .Values') else keys))


def _shape(values: Mapping[Any, Any], parent: Way, handed_on: frozenset[Way], names: frozenset[str]) -> Shape:
    shape: dict[str, Shape] = {}
    for key, value in values.items():
        way = (*parent, str(key))
        if value in (None, "", {}, []) or way in handed_on or way[-1].endswith(KUBERNETES_OWN) or way[-1] in names:
            shape[way[-1]] = OPEN
        else:
            shape[way[-1]] = _shape(value, way, handed_on, names) if isinstance(value, dict) else CLOSED
    return shape


def _add(shape: Shape, way: Way) -> None:
    """A key that is read and has no default; what it holds is not known."""
    for key in way[:-1]:
        shape = shape.setdefault(key, {})
        if not isinstance(shape, dict):
            return
    shape.setdefault(way[-1], OPEN)


def _texts(archive: Path) -> Iterator[tuple[str, str]]:
    """The chart's own files, by their path in the chart; those of the charts inside it lie under `charts/`."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.partition("/")[2]
                if member.isfile() and (name in {"Chart.yaml", "values.yaml"} or name.startswith("templates/")):
                    stream = tar.extractfile(member)
                    yield name, stream.read().decode() if stream else ""
    except (OSError, tarfile.TarError, UnicodeDecodeError) as error:
        raise SystemExit(f"{archive}: not the archive of a chart: {error}") from error


def _mapping(archive: Path, name: str, text: str | None) -> Mapping[Any, Any]:
    try:
        content = next(documents(text or ""), None)
    except yaml.YAMLError as error:
        raise SystemExit(f"{archive}: {name} is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SystemExit(f"{archive}: {name} is no map")
    return content
