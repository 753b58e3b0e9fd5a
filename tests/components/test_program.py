"""The whole program under Pulumi's mocks: resources, parents, dependencies, inputs, outputs, and when the tree is written."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _sync_await

from fluxstead.embedded import PROGRAM
from tests.conftest import Project


@dataclass
class Registered:
    """One resource as the engine is told of it."""

    type: str
    name: str
    parent: str
    dependencies: set[str]
    inputs: dict[str, Any]
    outputs: dict[str, Any] = field(default_factory=dict)


class Silent(mocks.Mocks):
    """No resource of ours has a provider."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(args)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.name, dict(args.inputs)


class Recorder(mocks.MockMonitor):
    """A monitor that keeps what Pulumi's mocks do not show: parents, dependencies, outputs."""

    def __init__(self) -> None:
        super().__init__(Silent())
        self.seen: dict[str, Registered] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 -- the engine's name and its protobuf type
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type == "pulumi:pulumi:Stack":
            return response
        assert response.urn not in self.seen, f"{response.urn} is registered twice"
        self.seen[response.urn] = Registered(
            request.type, request.name, request.parent, set(request.dependencies), MessageToDict(request.object)
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn in self.seen:
            self.seen[request.urn].outputs = MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


Runner = Callable[..., dict[str, Registered]]


@pytest.fixture
def run_pulumi(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Run `__main__.py` as the engine would."""

    def run(project: Project, *, preview: bool) -> dict[str, Registered]:
        monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(project.root))

        def program() -> None:
            runpy.run_path(str(PROGRAM), run_name="__main__")

        recorder = Recorder()
        mocks.set_mocks(Silent(), project="fluxstead", stack=project.stack, preview=preview, monitor=recorder)
        settings.set_root_resource(None)  # type: ignore[arg-type]
        _sync_await(run_in_stack(program))
        return recorder.seen

    return run


def layers_of(seen: Mapping[str, Registered]) -> dict[str, tuple[str, Registered]]:
    """The layers by name, with their URNs."""
    return {one.name: (urn, one) for urn, one in seen.items() if one.type == "fluxstead:tree:Layer"}


@pytest.mark.parametrize("which", ["reference", "example"])
def test_the_resource_graph_has_the_edges_of_the_files(which: str, request: pytest.FixtureRequest, run_pulumi: Runner) -> None:
    """`dependsOn` in the tree and dependencies in Pulumi are one order."""
    project: Project = request.getfixturevalue(which)
    assembled = project.run().assembled
    assert assembled is not None
    layers = layers_of(run_pulumi(project, preview=True))
    order = assembled.tree.order
    assert set(layers) == {layer.name for layer in order.layers}
    for name, (_, layer) in layers.items():
        assert layer.dependencies == {layers[other][0] for other in order.dependencies(name)}


def test_each_layer_is_a_child_of_its_system_and_carries_its_files(reference: Project, run_pulumi: Runner) -> None:
    """So that `pulumi preview --diff` shows a changed object key by key, under the system's name."""
    assembled = reference.run().assembled
    assert assembled is not None
    seen = run_pulumi(reference, preview=True)
    for name, (_, layer) in layers_of(seen).items():
        assert seen[layer.parent].type.startswith("fluxstead:")
        assert layer.inputs["manifests"] == {file.path: file.text for file in assembled.tree.by_layer[name]}
    assert seen[layers_of(seen)["longhorn"][1].parent].type == "fluxstead:longhorn:Longhorn"


def test_systems_give_typed_outputs(reference: Project, run_pulumi: Runner) -> None:
    """What another program may build on."""
    [longhorn] = [one for one in run_pulumi(reference, preview=True).values() if one.type == "fluxstead:longhorn:Longhorn"]
    assert longhorn.outputs == {"storageClasses": ["longhorn", "longhorn-hdd"]}


def test_preview_writes_nothing_and_up_writes_what_render_writes(
    reference: Project, run_pulumi: Runner, tree_of: Callable[[Path], dict[str, bytes]]
) -> None:
    """Design decision 1: the tree is written in `up` only."""
    run_pulumi(reference, preview=True)
    assert not (reference.root / "generated").exists()
    run_pulumi(reference, preview=False)
    assembled = reference.run().assembled
    assert assembled is not None
    found = tree_of(reference.root / assembled.tree.directory)
    assert {path: text.encode() for path, text in assembled.files.items()}.items() <= found.items()
    assert (reference.root / "clusters/k3s-flux/tree.yaml").exists()


def test_an_error_in_the_description_stops_the_program_with_the_findings(reference: Project, run_pulumi: Runner) -> None:
    """A RunError is what Pulumi prints without a traceback."""
    reference.replace("nodes/k3s1.yaml", "role: server", "role: master")
    with pytest.raises(pulumi.RunError, match="'master' is none of: server or agent"):
        run_pulumi(reference, preview=False)
    assert not (reference.root / "generated").exists()


def test_a_hand_edited_file_stops_preview_and_up_unless_told_otherwise(
    reference: Project, run_pulumi: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design decision 9: before the first host."""
    run_pulumi(reference, preview=False)
    edited = reference.root / "generated/k3s-flux/infrastructure.yaml"
    edited.write_text(edited.read_text().replace("prune: true", "prune: false"))
    for preview in (True, False):
        with pytest.raises(pulumi.RunError, match="edited by hand"):
            run_pulumi(reference, preview=preview)
    monkeypatch.setenv("FLUXSTEAD_OVERWRITE", "1")
    run_pulumi(reference, preview=False)
    assert "prune: true" in edited.read_text()
