"""Whatever is described well gives a tree without errors; whatever single value is spoilt is named."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import TextStore
from fluxstead.core.findings import errors
from fluxstead.description.yaml_in import read_yaml
from fluxstead.embedded import run_program
from tests.conftest import REFERENCE, REPOSITORY, Project, copy_description, examples

_TAGS = st.lists(st.sampled_from(["hdd", "nvme", "bulk"]), unique=True, max_size=2)


@st.composite
def machines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to four machines, the first of them a live server with a disk of every tag."""
    found = []
    for index in range(draw(st.integers(1, 4))):
        disks = [
            {
                "name": f"d{number}",
                "serial": f"S{index}-{number}",
                "size": draw(st.sampled_from(["465Gi", "1Ti", "2T"])),
                "mountPath": f"/mnt/longhorn/d{number}",
                "tags": draw(_TAGS),
                "reserved": draw(st.sampled_from(["0", "25Gi"])),
            }
            for number in range(draw(st.integers(0, 2)) if index else 1)
        ]
        found.append(
            {
                "cluster": "some",
                "address": f"10.9.0.{index + 1}",
                "role": draw(st.sampled_from(["server", "agent"])) if index else "server",
                "state": draw(st.sampled_from(["live", "planned"])) if index else "live",
                "labels": draw(st.dictionaries(st.sampled_from(["rack", "zone"]), st.sampled_from(["a", "b"]))),
                "disks": disks,
            }
        )
    return found


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a cluster with up to three applications."""
    kubernetes, flux = draw(st.sampled_from([("v1.33.1+k3s1", "2.6.1"), ("v1.36.3+k3s1", "2.9.5")]))
    bundled = draw(st.booleans())
    off = [] if bundled else ["traefik", "servicelb"]
    ingress = {"controller": "traefik"} if bundled else {"controller": "ingress-nginx", "version": "4.15.1"}
    apps = [
        {
            "name": f"app{index}",
            "image": "registry.example.test/app",
            "port": draw(st.sampled_from([80, 8080])),
            "environments": [{"name": "live", "tag": "1.0.0", "route": {"host": f"app{index}.example.test"}}],
            **({"volume": {"size": "1Gi", "mountPath": "/data"}} if draw(st.booleans()) else {}),
        }
        for index in range(draw(st.integers(0, 3)))
    ]
    return {
        "fluxstead:flux": {"version": flux},
        "fluxstead:kubernetes": {"version": kubernetes, "disable": off, "nodeCidr": "10.9.0.0/24", "datastore": "etcd"},
        "fluxstead:longhorn": {"version": draw(st.sampled_from(["1.9.0", "1.12.1"])), "replicas": 1, "ui": None},
        "fluxstead:ingress": ingress,
        "fluxstead:apps": apps,
    }


def _write(root: Path, stack: dict[str, Any], nodes: list[dict[str, Any]]) -> None:
    (root / "nodes").mkdir()
    (root / "Pulumi.some.yaml").write_text(yaml.safe_dump({"config": stack}))
    for index, node in enumerate(nodes):
        (root / f"nodes/n{index}.yaml").write_text(yaml.safe_dump(node))


@examples(0.25)
@given(stacks(), machines())
def test_what_is_described_well_starts_on_an_empty_cluster(stack: dict[str, Any], nodes: list[dict[str, Any]]) -> None:
    """No errors, and the cold start finds every need met in time."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), stack, nodes)
        result = run_program(Path(folder), "some")
        assert not errors(result.findings), [finding.text() for finding in errors(result.findings)]
        assert result.assembled is not None
        assert len(result.assembled.applied.objects) > 5


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(REPOSITORY, id="reference", marks=pytest.mark.reference),
        pytest.param(REPOSITORY / "examples/edge", id="example"),
    ],
)
def test_what_is_written_reads_back_as_what_was_checked(folder: Path, tmp_path: Path) -> None:
    """The checks look at the objects that the texts are made of; read back from the texts alone, they are the same objects."""
    copy_description(folder, tmp_path)
    [stack] = [path.name.split(".")[1] for path in tmp_path.glob("Pulumi.*.yaml") if path.name != "Pulumi.yaml"]
    assembled = run_program(tmp_path, stack).assembled
    assert assembled is not None
    directory = assembled.tree.directory
    texts = {f"{directory}/{path}": text for path, text in assembled.files.items() if path.endswith(".yaml")}
    around = {
        str(path.relative_to(tmp_path)): path.read_text()
        for own in ("apps", "secrets")
        for path in (tmp_path / own).rglob("*.yaml")
    }
    again = read_applied_tree(TextStore({**texts, **around}), [directory])
    assert {str(item): item.object for item in again.objects} == {
        str(item): dict(item.object) for item in assembled.applied.objects
    }


Keys = tuple[str | int, ...]


def _paths(data: Any, path: Keys = ()) -> Iterator[Keys]:
    """Everything that a person wrote: values, lists and mappings, at any depth."""
    if path:
        yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _paths(value, (*path, key))


def _files() -> Iterator[tuple[Path, str, str, Any]]:
    for folder, stack in ((REPOSITORY, REFERENCE), (REPOSITORY / "examples/edge", "edge")):
        described = folder / f"Pulumi.{stack}.yaml"
        for file in [described, *sorted((folder / "nodes").glob("*.yaml"))] if described.is_file() else ():
            yield folder, stack, str(file.relative_to(folder)), yaml.safe_load(file.read_text())


class _Plain(yaml.SafeDumper):
    """Without anchors for what stands twice."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


_FIELDS = [
    (folder, stack, file, path) for folder, stack, file, content in _files() for path in _paths(content) if path != ("config",)
]
_SPOILT: list[Any] = [
    *(None, True, -1, 10**9, 1.5, "", "???", "a b", "zebra", "1.2.3", "\u00e9", "a\nb", "x" * 300),
    *([], {}, ["zebra"], {"zebra": 1}),
]


def _mutated(data: st.DataObject, content: Any, path: Keys) -> tuple[Keys, list[str]]:
    """Change one thing in `content`. Gives where it is then, and the words that name it."""
    holder: Any = content
    for key in path[:-1]:
        holder = holder[key]
    last, old = path[-1], holder[path[-1]]
    name = [str(key) for key in path if isinstance(key, str)][-1].removeprefix("fluxstead:")
    in_list = isinstance(holder, list)
    match data.draw(st.sampled_from(["spoil", "spoil", "remove", "double" if in_list else "misspell"])):
        case "spoil":
            spoilt = data.draw(st.sampled_from(_SPOILT))
            assume(old != spoilt)
            holder[last] = spoilt
            values = [one for one in (old, spoilt, *(spoilt if isinstance(spoilt, list) else ())) if isinstance(one, str) and one]
            return path, [name, *values]
        case "remove":
            del holder[last]
            return path[:-1], [name, *([old] if isinstance(old, str) else [])]
        case "misspell":
            holder[f"{last}x"] = holder.pop(last)
            return (*path[:-1], f"{last}x"), [name]
    holder.append(old)
    return (*path[:-1], len(holder) - 1), [name]


@examples(2)
@given(st.data(), st.sampled_from(_FIELDS))
def test_a_single_mutation_is_well_formed_or_named(data: st.DataObject, field: tuple[Path, str, str, Keys]) -> None:
    """A finding stands within what was changed, or names its key, or what stands or stood there."""
    folder, stack, file, path = field
    with tempfile.TemporaryDirectory() as copy:
        root = Path(copy)
        copy_description(folder, root)
        content = yaml.safe_load((root / file).read_text())
        at, words = _mutated(data, content, path)
        text = yaml.dump(content, Dumper=_Plain, sort_keys=False)
        (root / file).write_text(text)
        found = errors(Project(root, stack).run().findings)
        inside = [line for place, line in read_yaml(text, file).lines.items() if place[: len(at)] == at]
        assert not found or any(
            (one.source.file == file and min(inside) - 1 <= one.source.line <= max(inside) + 1)
            or any(word in one.what or word in one.fix for word in words)
            for one in found
        ), (file, path, at, [one.text() for one in found])
