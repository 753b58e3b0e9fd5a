"""Reading the description: `Pulumi.<stack>.yaml` and `nodes/*.yaml`, all mistakes of all files at once (failure U7)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from fluxstead.core.check import refuses
from fluxstead.core.described import Described, KeyPath, Origin, locate
from fluxstead.core.findings import Finding, Source
from fluxstead.core.yaml_depth import is_nested_without_end
from fluxstead.description.cluster import Cluster
from fluxstead.description.problems import UNKNOWN_KEY, WRONG_TYPE, AsWritten, findings_of, unknown_key
from fluxstead.description.text_in import read_document, unreadable
from fluxstead.description.yaml_in import YamlFile, read_yaml
from fluxstead.nodes.marks import Mark, marks_in
from fluxstead.nodes.model import Node

NO_CLUSTER = refuses("description/no-cluster", "U12", "no stack is called 'k3s-flx'", "the description")
NO_STACK = refuses("description/no-stack", "U7", "there is no description of stack `k3s-fluxx`", "the description")
ENCRYPTED_SETTING = refuses("description/secret", "F22", "`fluxstead:monitoring` is encrypted", "the description")
UNREAD_NODE = refuses(
    "description/unread-node", "U12", "this is not read: each machine is a file nodes/<name>.yaml", "the description"
)
CHECKS = (NO_CLUSTER, NO_STACK, ENCRYPTED_SETTING, UNREAD_NODE)

PROJECT = "fluxstead"
"""The project's name in Pulumi.yaml, and so the prefix of its keys in the stack file."""

STACK_KEYS = frozenset({"config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment"})
"""What a stack file holds: `config`, and what the Pulumi CLI keeps next to it (pulumi: sdk/go/common/workspace, ProjectStack)."""

_Model = TypeVar("_Model", bound=Described)


class Description(NamedTuple):
    """What the operator wrote: the cluster's name and settings, and its machines sorted by name."""

    name: str
    stack_file: str
    cluster: Cluster
    nodes: tuple[Node, ...]
    elsewhere: tuple[Mark, ...] = ()
    """What only one machine can have, of the machines of other stacks."""


@dataclass(slots=True)
class LoadResult:
    """The description, unless something in it could not be read, and every finding on the way."""

    description: Description | None
    findings: list[Finding] = field(default_factory=list)


def stacks_in(root: Path) -> tuple[str, ...]:
    """The names of the stacks that have a file in `root`."""
    names = (path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))
    return tuple(sorted(names))


def load(root: Path, stack: str) -> LoadResult:
    """Read the stack's file and the machines that name it. Never raises because of what a person wrote."""
    findings: list[Finding] = []
    stack_file = f"Pulumi.{stack}.yaml"
    cluster = _load_cluster(root, stack, stack_file, findings)
    elsewhere: list[Mark] = []
    nodes = _load_nodes(root, stack, findings, elsewhere)
    if cluster is None or any(finding.id.startswith("description/") for finding in findings):
        return LoadResult(None, findings)
    return LoadResult(Description(stack, stack_file, cluster, tuple(nodes), tuple(elsewhere)), findings)


def _load_cluster(root: Path, stack: str, stack_file: str, findings: list[Finding]) -> Cluster | None:
    document = read_document(root, stack_file)
    if document is None:
        known = stacks_in(root)
        near = difflib.get_close_matches(stack, known, n=1)
        findings.append(
            NO_STACK(
                Source(stack_file),
                what=f"there is no description of stack `{stack}`",
                why="the stack file says what the cluster is",
                fix=f"--stack {near[0]}" if near else f"a file {stack_file}; here are: {', '.join(known) or 'none'}",
            )
        )
        return None
    findings.extend(document.findings)
    if document.data is None:
        return None
    data = document.data
    if not isinstance(data, Mapping):
        findings.append(_no_mapping("the stack file is", Source(stack_file)))
        return None
    misspelt = [
        unknown_key(key, STACK_KEYS, Source(stack_file, document.lines[(key,)]), place=key)
        for key in sorted(data.keys() - STACK_KEYS)
    ]
    findings.extend(misspelt)
    config = data.get("config")
    if not isinstance(config, Mapping):
        if "config" in data or all(finding.fix != "config" for finding in misspelt):
            what = "`config` is" if config is not None else "there is nothing under `config`: it is"
            findings.append(_no_mapping(what, Source(stack_file, document.lines.get(("config",), 1))))
        return None
    sections, told = _sections(config, document, findings)
    return _validated(Cluster, sections, document, ("config",), findings, told=told)


def _no_mapping(what: str, source: Source) -> Finding:
    return WRONG_TYPE(
        source,
        what=f"{what} not a mapping of keys to values",
        why="nothing in it can be found by its key",
        fix="config: with the keys fluxstead:flux, fluxstead:kubernetes, …",
    )


def _sections(config: Mapping[str, Any], document: YamlFile, findings: list[Finding]) -> tuple[dict[str, Any], set[str]]:
    """The project's own keys in `config`, without their prefix, and those already reported as unusable.

    Other namespaces' keys belong to other programs.
    """
    prefix = f"{PROJECT}:"
    own = {key: value for key, value in config.items() if key.startswith(prefix)}
    told: set[str] = set()
    for key in sorted(config.keys() - own.keys()):
        misspelt = list(_misspelt_namespace(key, Source(document.file, document.lines[("config", key)])))
        findings.extend(misspelt)
        told.update(key.rpartition(":")[2] for _ in misspelt)
    for table in (document.lines, document.written, document.disputed):
        _without_prefix(table, own, prefix)
    document.incomplete |= {
        ("config", str(path[1]).removeprefix(prefix), *path[2:]) for path in document.incomplete if len(path) > 1
    }
    sections: dict[str, Any] = {}
    for key, value in own.items():
        name = key.removeprefix(prefix)
        if value is None:
            told.add(name)
            findings.append(
                WRONG_TYPE(
                    Source(document.file, document.lines[("config", key)]),
                    what=f"`{key}` is empty",
                    why="a section whose lines were lost would switch its system off, and Flux would prune it",
                    fix="its settings, or remove the key",
                )
            )
        elif isinstance(value, Mapping) and value.keys() == {"secure"}:
            told.add(name)
            findings.append(
                ENCRYPTED_SETTING(
                    Source(document.file, document.lines[("config", key)]),
                    what=f"`{key}` is encrypted",
                    why="the tree is plain text in Git; a secret that passes through it is leaked (F22)",
                    fix="the plain setting; keep secrets in SOPS files",
                )
            )
        else:
            sections[name] = _from_cli(value, name, document)
    return sections, told


def _without_prefix(table: dict[KeyPath, Any], own: Collection[str], prefix: str) -> None:
    """Make what is known about the project's own keys available under their names without the prefix as well."""
    for path, value in [(path, value) for path, value in table.items() if len(path) > 1 and path[1] in own]:
        table[("config", str(path[1]).removeprefix(prefix), *path[2:])] = value


def _misspelt_namespace(key: str, source: Source) -> Iterator[Finding]:
    """A key that was meant for us and would be silently left out: without a namespace, or with one much like ours."""
    namespace, _, name = key.rpartition(":")
    if not namespace or difflib.get_close_matches(namespace.lower(), [PROJECT], cutoff=0.8):
        yield UNKNOWN_KEY(
            source,
            what=f"the key `{key}` is not a {PROJECT} key",
            why="its section would be silently left out, and Flux would prune what it described",
            fix=f"{PROJECT}:{name}",
        )


def _from_cli(value: Any, name: str, document: YamlFile) -> Any:
    """`pulumi config set` without --path writes an object or a list as a JSON string."""
    if isinstance(value, str) and value[:1] in {"{", "["} and not is_nested_without_end(value):
        try:
            parsed = json.loads(value)
        except ValueError:
            return value
        document.written.update({("config", name, *path): text for path, text in read_yaml(value, document.file).written.items()})
        return parsed
    return value


def _load_nodes(root: Path, stack: str, findings: list[Finding], elsewhere: list[Mark]) -> list[Node]:
    nodes = []
    folder = root / "nodes"
    try:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as problem:
        what = f"the folder of the machines cannot be read: {problem.strerror}"
        findings.append(unreadable("nodes", what, fix="`chmod u+rx nodes`, as its owner"))
        return []
    for path in paths:
        if path.suffix != ".yaml":
            findings.extend(_unread(path))
            continue
        document = read_document(root, f"nodes/{path.name}")
        if document is None:
            findings.append(_dangling(path))
            continue
        findings.extend(document.findings)
        if document.data is None:
            continue
        data = document.data
        if isinstance(data, dict) and isinstance(data.get("cluster"), str) and data["cluster"] != stack:
            _check_cluster(root, data["cluster"], document, findings)
            elsewhere.extend(marks_in(data, path.stem, document.lines))
            continue
        if isinstance(data, dict) and "name" in data:
            findings.append(unknown_key("name", _keys_of(Node), Source(document.file, document.lines[("name",)]), place="name"))
            data = {key: value for key, value in data.items() if key != "name"}
        named = {"name": path.stem, **data} if isinstance(data, dict) else data
        node = _validated(Node, named, document, (), findings)
        if node is not None:
            nodes.append(node)
    return nodes


def _unread(path: Path) -> Iterator[Finding]:
    """What is next to the machines' files and is not read; notes and editors' files may be there."""
    if path.is_dir() or path.suffix in {".yml", ".json"}:
        yield UNREAD_NODE(
            Source(f"nodes/{path.name}"),
            what="this is not read: each machine is a file nodes/<name>.yaml",
            why="a machine in it would be silently left out",
            fix=f"nodes/{path.stem}.yaml",
        )


def _dangling(path: Path) -> Finding:
    return unreadable(f"nodes/{path.name}", "the file is a dangling link", fix="the machine's file itself")


def _keys_of(model: type[Described]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def _check_cluster(root: Path, cluster: str, document: YamlFile, findings: list[Finding]) -> None:
    known = stacks_in(root)
    if cluster in known:
        return
    near = difflib.get_close_matches(cluster, known, n=1)
    findings.append(
        NO_CLUSTER(
            Source(document.file, document.lines[("cluster",)]),
            what=f"no stack is called {cluster!r}",
            why="the machine would belong to no cluster and be silently left out",
            fix=near[0] if near else f"one of: {', '.join(known)}",
        )
    )


def _validated(
    model: type[_Model],
    data: Any,
    document: YamlFile,
    path: KeyPath,
    findings: list[Finding],
    *,
    told: Collection[str] = (),
) -> _Model | None:
    """The model, or findings. `told`: the top-level keys that were already reported as unusable."""
    origin = Origin(document.file, path, document.lines)
    try:
        value = model.model_validate(data)
    except ValidationError as problem:
        written = AsWritten(data, origin, document.written, document.disputed, document.incomplete, told)
        found, replaced = findings_of(problem, model, written)
        findings[:] = [finding for finding in findings if finding not in replaced]
        findings.extend(_without_echo(found, findings))
        return None
    locate(value, origin)
    return value


def _without_echo(found: Iterable[Finding], known: Iterable[Finding]) -> list[Finding]:
    """Leave out what only repeats that a line could not be read as YAML."""
    lines = {finding.source for finding in known if finding.id == "description/yaml"}
    return [finding for finding in found if finding.source not in lines or finding.id == "description/unknown-key"]
