"""Whatever is described well gives a tree without errors; whatever single value is spoilt is named."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fluxstead.checks.registry import CHECKS
from fluxstead.checks.store import TextStore
from fluxstead.checks.subject import Subject, run
from fluxstead.checks.view import view_of
from fluxstead.core.findings import errors
from fluxstead.description.yaml_in import read_yaml
from fluxstead.embedded import run_program
from tests.conftest import REPOSITORY, Project, copy_description

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
        "fluxstead:kubernetes": {"version": kubernetes, "disable": off, "nodeCidr": "10.9.0.0/24"},
        "fluxstead:longhorn": {"version": draw(st.sampled_from(["1.9.0", "1.12.1"])), "replicas": 1, "ui": None},
        "fluxstead:ingress": ingress,
        "fluxstead:apps": apps,
    }


def _write(root: Path, stack: dict[str, Any], nodes: list[dict[str, Any]]) -> None:
    (root / "nodes").mkdir()
    (root / "Pulumi.some.yaml").write_text(yaml.safe_dump({"config": stack}))
    for index, node in enumerate(nodes):
        (root / f"nodes/n{index}.yaml").write_text(yaml.safe_dump(node))


@settings(max_examples=25)
@given(stacks(), machines())
def test_what_is_described_well_starts_on_an_empty_cluster(stack: dict[str, Any], nodes: list[dict[str, Any]]) -> None:
    """No errors, and the cold start finds every need met in time."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), stack, nodes)
        result = run_program(Path(folder), "some")
        assert not errors(result.findings), [finding.text() for finding in errors(result.findings)]
        assert result.assembled is not None
        assert len(result.assembled.subject.view.items) > 5


@pytest.mark.parametrize("folder", [REPOSITORY, REPOSITORY / "examples/edge"], ids=["reference", "example"])
def test_what_is_written_reads_back_as_what_was_checked(folder: Path, tmp_path: Path) -> None:
    """The checks look at the objects that the texts are made of; read back from the texts alone, they are the same objects."""
    copy_description(folder, tmp_path)
    [stack] = [path.name.split(".")[1] for path in tmp_path.glob("Pulumi.*.yaml") if path.name != "Pulumi.yaml"]
    assembled = run_program(tmp_path, stack).assembled
    assert assembled is not None
    subject, directory = assembled.subject, assembled.tree.directory
    texts = {f"{directory}/{path}": text for path, text in assembled.files.items() if path.endswith(".yaml")}
    around = {str(path.relative_to(tmp_path)): path.read_text() for path in (tmp_path / "apps").rglob("*.yaml")}
    again = view_of(TextStore({**texts, **around}), [directory])
    assert {str(item): item.object for item in again.items} == {str(item): dict(item.object) for item in subject.view.items}
    same = Subject(view=again, platform=subject.platform, nodes=subject.nodes, longhorn=subject.longhorn)
    assert not errors(run(same, CHECKS))


def _leaves(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _leaves(value, (*path, index))
    else:
        yield path


_SPOILT: st.SearchStrategy[Any] = st.sampled_from([None, True, -1, 10**9, "", "???", "a b", "x" * 300, [], {}, {"zebra": 1}, 1.5])


@settings(max_examples=60)
@given(st.data())
def test_a_single_spoilt_value_is_well_formed_or_named(data: st.DataObject) -> None:
    """A finding stands at the value's line or key, or says the key's name."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_description(REPOSITORY, root)
        project = Project(root, "k3s-flux")
        file = data.draw(st.sampled_from(["Pulumi.k3s-flux.yaml", "nodes/k3s1.yaml"]))
        content = yaml.safe_load((root / file).read_text())
        path = data.draw(st.sampled_from(sorted(_leaves(content), key=str)))
        holder = content
        for key in path[:-1]:
            holder = holder[key]
        spoilt = data.draw(_SPOILT)
        assume(holder[path[-1]] != spoilt)
        holder[path[-1]] = spoilt
        text = yaml.safe_dump(content, sort_keys=False)
        (root / file).write_text(text)
        found = errors(project.run().findings)
        line = read_yaml(text, file).lines[path]
        named = [str(key) for key in path if isinstance(key, str)][-1].removeprefix("fluxstead:")
        assert not found or any(
            (one.source.file == file and abs(one.source.line - line) <= 1) or named in one.what or named in one.write
            for one in found
        ), (path, spoilt, [one.text() for one in found])
