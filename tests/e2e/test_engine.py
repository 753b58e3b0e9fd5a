"""The real Pulumi engine runs the program, on both clusters, with a local state, and dials nobody but a socket of the tests."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fluxstead.embedded import run_program
from tests.e2e.engine import SECONDS, Engine

UP = ("up", "--yes", "--skip-preview")
BOTH = pytest.mark.parametrize(("project", "stack"), [(".", "k3s-flux"), ("examples/edge", "edge")])
SERVER = {"k3s-flux": "k3s1", "edge": "alpha"}
MACHINES = {"alpha", "beta", "gamma", "delta", "epsilon"}
BELOW_BOTH = {
    "monitoring": {"kube-prometheus-stack", "monitoring-scrapes", "monitoring-routes"},
}
BELOW = {
    "k3s-flux": {
        **BELOW_BOTH,
        "node_labels": {"node-labels-access", "node-k3s1-labels"},
        "longhorn": {
            *(
                "longhorn",
                "longhorn-node-k3s1",
                "longhorn-disks",
                "longhorn-disks-registered",
                "longhorn-storage",
                "longhorn-backups",
            ),
            "longhorn-routes",
        },
        "dns": {"dns"},
        "ingress": {"ingress-nginx"},
        "certificates": {
            *("cert-manager", "certificate-issuers", "ingress-tls"),
            *(f"example-app-{name}-tls" for name in ("dev", "staging", "prod")),
        },
        "applications": {f"example-app-{name}{layer}" for name in ("dev", "staging", "prod") for layer in ("-access", "")},
    },
    "edge": {
        **BELOW_BOTH,
        "node_labels": {"node-labels-access", *(f"node-{name}-labels" for name in MACHINES)},
        "longhorn": {
            "longhorn",
            "longhorn-storage",
            "longhorn-backups",
            "longhorn-routes",
            *(f"longhorn-node-{name}" for name in MACHINES - {"epsilon"}),
        },
        "ingress": {"traefik", "traefik-https"},
        "certificates": {
            *("cert-manager", "certificate-issuers", "ingress-tls", "longhorn-routes-tls", "monitoring-routes-tls"),
            *("sensors-live-tls", "wiki-live-tls", "oauth2-proxy-routes-tls"),
        },
        "access": {"oauth2-proxy", "oauth2-proxy-routes"},
        "applications": {
            "whoami",
            *(f"{name}{layer}" for name in ("wiki-live", "sensors-live", "sensors-trial") for layer in ("-access", "")),
        },
    },
}
"""Which layers stand below which system, by its component's name."""


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

    up = engine.run(*UP)
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
    assert engine.run(*UP).returncode == 0
    stack_file = engine.project / "Pulumi.k3s-flux.yaml"
    stack_file.write_text(stack_file.read_text().replace("retention: 10d", "retention: 15d"))
    resources, _, counts = engine.run("preview", "--diff").stdout.partition("Resources:")
    marked = [" ".join(line.split()) for line in resources.splitlines() if line.strip().startswith(("+", "-", "~"))]
    layer, *changed = [line for line in marked if not (line.startswith("~") and line.endswith("{"))]
    assert layer == "~ fluxstead:tree:Layer: (update)"
    assert changed == ['~ retention : "10d" => "15d"']
    assert "~ 1 to update" in counts


@BOTH
def test_the_state_has_the_edges_of_the_order(project: str, stack: str, engine_for: Callable[[str, str], Engine]) -> None:
    """`dependsOn` in the files and dependencies in the engine's state are the same; each layer stands below its system."""
    engine = engine_for(project, stack)
    assert engine.run(*UP).returncode == 0
    assembled = run_program(engine.project, stack).assembled
    assert assembled is not None
    resources = json.loads(engine.run("stack", "export").stdout)["deployment"]["resources"]
    layers = {name_of(one["urn"]): one for one in resources if one["type"] == "fluxstead:tree:Layer"}
    order = assembled.tree.order
    edges = {name: {name_of(other) for other in one.get("dependencies") or []} for name, one in layers.items()}
    assert edges == {layer.name: set(order.dependencies(layer.name)) for layer in order.layers}
    below: dict[str, set[str]] = {}
    for name, one in layers.items():
        below.setdefault(name_of(one["parent"]), set()).add(name)
    assert below == BELOW[stack]


def name_of(urn: str) -> str:
    """The last part of a URN."""
    return urn.rpartition("::")[2]


@BOTH
def test_mistakes_stop_the_engine_with_findings_and_dial_nobody(
    project: str, stack: str, engine_for: Callable[[str, str], Engine]
) -> None:
    """No traceback, nothing is written, the exit status says so; without the mistakes the host is dialled."""
    engine = engine_for(project, stack)
    node = engine.project / f"nodes/{SERVER[stack]}.yaml"
    with socket.create_server(("127.0.0.1", 0)) as host:
        engine.dial(SERVER[stack], host.getsockname()[1])
        described = node.read_text()
        node.write_text(described.replace("role: server", "role: master").replace("reserved:", "reservd:", 1))
        host.setblocking(False)
        for command in (("preview",), UP):
            stopped = engine.run(*command)
            assert stopped.returncode != 0
            assert "'master' is none of: server or agent" in stopped.stdout
            assert "unknown key `disks[0].reservd`" in stopped.stdout
            assert "Traceback" not in stopped.stdout + stopped.stderr
            with pytest.raises(BlockingIOError):
                host.accept()

        node.write_text(described)
        host.settimeout(SECONDS)
        with ThreadPoolExecutor(1) as pool:
            dialled = pool.submit(hang_up, host)
            assert engine.run(*UP).returncode != 0
            dialled.result()
    assert not (engine.project / "generated").exists()


def hang_up(host: socket.socket) -> None:
    """Close the first connection, and take no other."""
    connection, _ = host.accept()
    connection.close()
    host.close()


def test_what_the_cli_writes_into_the_stack_file_is_survived(engine_for: Callable[[str, str], Engine]) -> None:
    """`pulumi config set` and `-c` rewrite the file that the description stands in."""
    engine = engine_for(".", "k3s-flux")
    assert engine.run("config", "set", "--path", "fluxstead:longhorn.replicas", "3").returncode == 0
    assert engine.run("config", "set", "aws:region", "eu-west-1").returncode == 0
    preview = engine.run("preview", "-c", "other:key=value")
    assert preview.returncode == 0, preview.stdout
    assert "other:key: value" in (engine.project / "Pulumi.k3s-flux.yaml").read_text()
    assembled = run_program(engine.project, "k3s-flux").assembled
    assert assembled is not None
    up = engine.run(*UP, "-c", "another:key=value")
    assert up.returncode == 0, up.stdout
    release = next((engine.project / "generated").rglob("helm-release-longhorn.yaml"))
    assert "defaultReplicaCount: 3" in release.read_text()
    assert release.read_text() == assembled.files[str(release.relative_to(engine.project / assembled.tree.directory))]


@BOTH
def test_destroy_leaves_the_tree_alone(project: str, stack: str, engine_for: Callable[[str, str], Engine]) -> None:
    """The files are the operator's, with and without the stack."""
    engine = engine_for(project, stack)
    assert engine.run(*UP).returncode == 0
    tree = written(engine)
    assert engine.run("destroy", "--yes", "--skip-preview").returncode == 0
    assert written(engine) == tree
    assert engine.run("stack", "rm", "--yes", "--preserve-config").returncode == 0
    assert written(engine) == tree


def test_a_lost_state_loses_nothing(engine_for: Callable[[str, str], Engine]) -> None:
    """The tree depends on no state."""
    engine = engine_for(".", "k3s-flux")
    assert engine.run(*UP).returncode == 0
    tree = written(engine)
    shutil.rmtree(engine.state)
    engine.state.mkdir()
    assert engine.run("stack", "init", "k3s-flux").returncode == 0
    assert engine.run(*UP).returncode == 0
    assert written(engine) == tree


def written(engine: Engine) -> dict[str, bytes]:
    """Every file of the tree, and of what points the cluster to it."""
    files = {
        str(path.relative_to(engine.project)): path.read_bytes()
        for folder in ("generated", "clusters")
        for path in (engine.project / folder).rglob("*")
        if path.is_file()
    }
    assert {f"generated/{engine.stack}/.fluxstead.json", f"clusters/{engine.stack}/tree.yaml"} <= files.keys()
    return files


def test_a_stack_that_is_removed_takes_its_description_along_unless_told_not_to(engine_for: Callable[[str, str], Engine]) -> None:
    """What the page on destroy warns of."""
    engine = engine_for(".", "k3s-flux")
    described = engine.project / "Pulumi.k3s-flux.yaml"
    for options, stays in ((("--preserve-config",), True), ((), False)):
        assert engine.run("stack", "rm", "--yes", *options).returncode == 0
        assert described.exists() == stays
        engine.run("stack", "init", "k3s-flux")
