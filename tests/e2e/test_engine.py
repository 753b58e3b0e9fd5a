"""The real Pulumi engine runs the program, on both clusters, with a local state, and dials no host."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fluxstead.embedded import run_program
from tests.e2e.engine import Engine

BOTH = pytest.mark.parametrize(("project", "stack"), [(".", "k3s-flux"), ("examples/edge", "edge")])


@pytest.fixture
def engine_for(tmp_path: Path, need: Callable[..., object]) -> Callable[[str, str], Engine]:
    """An engine with an empty state."""

    def make(project: str, stack: str) -> Engine:
        need("pulumi", "pulumi-language-python")
        engine = Engine(tmp_path, project, stack)
        created = engine.run("stack", "init", stack)
        assert created.returncode == 0, created.stderr
        return engine

    return make


@BOTH
def test_up_writes_what_render_writes_and_then_rests(project: str, stack: str, engine_for: Callable[[str, str], Engine]) -> None:
    """`preview --diff` writes nothing, `up` the tree byte for byte; `refresh` and a second `up` find nothing to do."""
    engine = engine_for(project, stack)
    preview = engine.run("preview", "--diff")
    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert 'kind      : "HelmRelease"' in preview.stdout
    assert "`up` would" in preview.stdout + preview.stderr
    assert not (engine.project / "generated").exists()

    up = engine.run("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    assembled = run_program(engine.project, stack).assembled
    assert assembled is not None
    directory = engine.project / assembled.tree.directory
    found = {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}
    del found[".fluxstead.json"]
    assert found == assembled.files
    assert (engine.project / f"clusters/{stack}/tree.yaml").exists()

    for command in ("refresh", "up"):
        again = engine.run(command, "--yes", "--skip-preview")
        assert again.returncode == 0, again.stdout
        counts = again.stdout.partition("Resources:")[2].partition("Duration:")[0].split()
        assert counts[1:] == ["unchanged"], again.stdout
    assert engine.run("preview", "--expect-no-changes").returncode == 0


def test_a_changed_helm_value_shows_as_that_one_line(engine_for: Callable[[str, str], Engine]) -> None:
    """What an operator reads before saying yes."""
    engine = engine_for(".", "k3s-flux")
    assert engine.run("up", "--yes", "--skip-preview").returncode == 0
    stack_file = engine.project / "Pulumi.k3s-flux.yaml"
    stack_file.write_text(stack_file.read_text().replace("dataLocality: best-effort", "dataLocality: disabled"))
    shown = engine.run("preview", "--diff").stdout
    changed = [line.strip() for line in shown.splitlines() if "=>" in line]
    assert changed
    assert all("ataLocality" in line and '"best-effort" => "disabled"' in line for line in changed)


@BOTH
def test_the_state_has_the_edges_of_the_order(project: str, stack: str, engine_for: Callable[[str, str], Engine]) -> None:
    """`dependsOn` in the files and dependencies in the engine's state are the same; each layer stands below its system."""
    engine = engine_for(project, stack)
    assert engine.run("up", "--yes", "--skip-preview").returncode == 0
    assembled = run_program(engine.project, stack).assembled
    assert assembled is not None
    resources = json.loads(engine.run("stack", "export").stdout)["deployment"]["resources"]
    layers = {name_of(one["urn"]): one for one in resources if one["type"] == "fluxstead:tree:Layer"}
    order = assembled.tree.order
    edges = {name: {name_of(other) for other in one.get("dependencies") or []} for name, one in layers.items()}
    assert edges == {layer.name: set(order.dependencies(layer.name)) for layer in order.layers}
    systems = {one["urn"]: name_of(one["urn"]) for one in resources if one.get("parent") == resources[0]["urn"]}
    assert resources[0]["type"] == "pulumi:pulumi:Stack"
    for layer in order.layers:
        expected = {"monitoring": {"monitoring"}, "apps": {"applications"}}.get(
            layer.group, set(systems.values()) - {"applications"}
        )
        assert systems[layers[layer.name]["parent"]] in expected, layer.name


def name_of(urn: str) -> str:
    """The last part of a URN."""
    return urn.rpartition("::")[2]


def test_mistakes_stop_the_engine_with_findings_and_no_traceback(engine_for: Callable[[str, str], Engine]) -> None:
    """Nothing is dialled, nothing is written, the exit status says so."""
    engine = engine_for(".", "k3s-flux")
    node = engine.project / "nodes/k3s1.yaml"
    node.write_text(node.read_text().replace("role: server", "role: master").replace("reserved:", "reservd:", 1))
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        stopped = engine.run(*command)
        assert stopped.returncode != 0
        assert "'master' is none of: server or agent" in stopped.stdout
        assert "unknown key `disks[0].reservd`" in stopped.stdout
        assert "Traceback" not in stopped.stdout + stopped.stderr
    assert not (engine.project / "generated").exists()


def test_what_the_cli_writes_into_the_stack_file_is_survived(engine_for: Callable[[str, str], Engine]) -> None:
    """`pulumi config set` and `preview -c` rewrite the file that the description stands in."""
    engine = engine_for(".", "k3s-flux")
    assert engine.run("config", "set", "--path", "fluxstead:longhorn.replicas", "3").returncode == 0
    assert engine.run("config", "set", "aws:region", "eu-west-1").returncode == 0
    up = engine.run("up", "--yes", "--skip-preview", "-c", "other:key=value")
    assert up.returncode == 0, up.stdout
    release = next((engine.project / "generated").rglob("helm-release-longhorn.yaml"))
    assert "defaultReplicaCount: 3" in release.read_text()


def test_a_lost_state_loses_nothing_and_destroy_leaves_the_tree_alone(engine_for: Callable[[str, str], Engine]) -> None:
    """The tree depends on no state."""
    engine = engine_for(".", "k3s-flux")
    assert engine.run("up", "--yes", "--skip-preview").returncode == 0
    tree = {path: path.read_bytes() for path in (engine.project / "generated").rglob("*") if path.is_file()}
    assert engine.run("destroy", "--yes", "--skip-preview").returncode == 0
    assert engine.run("stack", "rm", "--yes", "--preserve-config").returncode == 0
    assert engine.run("stack", "init", "k3s-flux").returncode == 0
    assert engine.run("up", "--yes", "--skip-preview").returncode == 0
    assert {path: path.read_bytes() for path in (engine.project / "generated").rglob("*") if path.is_file()} == tree


def test_a_stack_that_is_removed_takes_its_description_along_unless_told_not_to(engine_for: Callable[[str, str], Engine]) -> None:
    """What the page on destroy warns of."""
    engine = engine_for(".", "k3s-flux")
    described = engine.project / "Pulumi.k3s-flux.yaml"
    for options, stays in ((("--preserve-config",), True), ((), False)):
        assert engine.run("stack", "rm", "--yes", *options).returncode == 0
        assert described.exists() == stays
        engine.run("stack", "init", "k3s-flux")
