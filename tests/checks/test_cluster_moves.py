"""What a description said of the cluster in a commit is compared with what it says now."""

from __future__ import annotations

import pytest

from fluxstead.checks.reading.store import TextStore
from fluxstead.core.findings import Finding
from fluxstead.description.committed import cluster_then
from tests.checks.planted import WEB, Planted, layer, look, obj
from tests.checks.repository import commit, git, moves, render
from tests.conftest import Project

K3S, MACHINE = "Pulumi.k3s-flux.yaml", "nodes/k3s1.yaml"


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (K3S, "version: v1.33.1+k3s1", "version: v1.35.1+k3s1", "more than one minor release at once"),
        (K3S, "version: v1.33.1+k3s1", "version: v1.32.1+k3s1", "becomes v1.32.1+k3s1"),
        (K3S, "    nodeCidr:", "    podCidr: 10.52.0.0/16\n    nodeCidr:", "podCidr is 10.42.0.0/16 in HEAD, and now 10.52.0.0/16"),
        (K3S, "    nodeCidr:", "    serviceCidr: 10.53.0.0/16\n    nodeCidr:", "serviceCidr is 10.43.0.0/16 in HEAD"),
        (K3S, "    nodeCidr:", "    datastore: etcd\n    nodeCidr:", "datastore is sqlite in HEAD, and now etcd"),
        (K3S, "    nodeCidr:", "    secretsEncryption: true\n    nodeCidr:", "secretsEncryption is false in HEAD, and now true"),
        (MACHINE, "role: server", "role: agent", "machine k3s1 is a server in HEAD, and now an agent"),
    ],
)
def test_a_change_of_the_cluster_itself(reference: Project, file: str, old: str, new: str, said: str) -> None:
    """At the line that changed."""
    git(reference.root, "init", "-q")
    render(reference)
    commit(reference.root)
    assert moves(reference) == []
    line = reference.replace(file, old, new)
    [found] = [one for one in moves(reference) if said in one.what]
    assert (found.source.file, found.source.line) == (file, line)


@pytest.mark.usefixtures("somebody")
def test_a_machine_joins_before_its_tree_is_pushed(reference: Project) -> None:
    """Said until a commit has it live: of a cluster of other machines, and only where `pulumi up` lets it join."""
    git(reference.root, "init", "-q")
    render(reference)
    commit(reference.root)
    reference.replace(K3S, "    nodeCidr:", f"    binaries: {{amd64: {'a' * 64}}}\n    nodeCidr:")
    assert joining(reference) == []
    line = reference.replace("nodes/k3s2.yaml", "state: planned", "state: live")
    [found] = joining(reference)
    assert (found.source.file, found.source.line) == ("nodes/k3s2.yaml", line)
    assert "`pulumi up` does not let it join (no ssh.hostKey)" in found.fix
    commit(reference.root)
    assert joining(reference) == []


@pytest.mark.usefixtures("somebody")
def test_the_first_machines_of_a_cluster_wait_for_nothing(reference: Project) -> None:
    git(reference.root, "init", "-q")
    reference.replace("nodes/k3s1.yaml", "state: live", "state: planned")
    render(reference)
    reference.replace(K3S, "    nodeCidr:", f"    binaries: {{amd64: {'a' * 64}}}\n    nodeCidr:")
    commit(reference.root)
    reference.replace("nodes/k3s1.yaml", "state: planned", "state: live")
    assert joining(reference) == []


def joining(project: Project) -> list[Finding]:
    return [finding for finding in moves(project) if finding.id == "moves/joins-first"]


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: v1.33.1+k3s1", "version: v1.34.2+k3s1"),
        ("version: v1.33.1+k3s1", "version: v1.33.0+k3s1"),
        ("    nodeCidr:", "    podCidr: 10.42.0.0/16\n    nodeCidr:"),
    ],
)
def test_a_step_and_a_default_that_is_named(reference: Project, old: str, new: str) -> None:
    git(reference.root, "init", "-q")
    render(reference)
    commit(reference.root)
    reference.replace(K3S, old, new)
    assert moves(reference) == []


@pytest.mark.parametrize(
    "text",
    ["", "config: 1", "config: {'fluxstead:kubernetes': [1]}", "config: {'fluxstead:kubernetes': '{'}", "a: &a [*a]", "\x00"],
)
def test_a_committed_description_may_have_any_shape(text: str) -> None:
    assert cluster_then("home", TextStore({"Pulumi.home.yaml": text, "nodes/a.yaml": text})) is None


def test_what_the_cli_wrote_and_machines_that_had_not_joined() -> None:
    files = {
        "Pulumi.home.yaml": 'config: {"fluxstead:kubernetes": \'{"version": "v1.33.1+k3s1", "podCidr": 10}\'}',
        "nodes/a.yaml": "{cluster: home, role: server, state: live}",
        "nodes/b.yaml": "{cluster: home, role: agent, state: planned}",
        "nodes/c.yaml": "{cluster: other, role: agent, state: live}",
    }
    then = cluster_then("home", TextStore(files))
    assert then is not None
    assert str(then.kubernetes) == "v1.33.1+k3s1"
    assert then.roles == {"a": "server"}
    assert then.networks.keys() <= {"podCidr", "serviceCidr"}


@pytest.mark.parametrize(
    ("said", "machines", "kept"),
    [
        ("", 1, {"datastore": "sqlite", "secretsEncryption": "false"}),
        ("", 3, {"secretsEncryption": "false"}),
        ("datastore: etcd, secretsEncryption: true", 3, {"datastore": "etcd", "secretsEncryption": "true"}),
        ("datastore: etcd", 0, {}),
    ],
)
def test_what_is_kept_from_the_first_start(said: str, machines: int, kept: dict[str, str]) -> None:
    """Before the datastore was a word of descriptions, three servers had none that is known; before a server, none was begun."""
    stack = f"config: {{'fluxstead:kubernetes': {{version: v1.33.1+k3s1, {said}}}}}"
    files = {f"nodes/{number}.yaml": "{cluster: home, role: server, state: live}" for number in range(machines)}
    files["nodes/p.yaml"] = "{cluster: home, role: server, state: planned}"
    then = cluster_then("home", TextStore({"Pulumi.home.yaml": stack, **files}))
    assert then is not None
    assert then.kept == kept


@pytest.mark.parametrize(("was", "now"), [("v1.33.1+k3s1", "v1.34.1+k3s1"), ("jammy-1.1.0", "noble-1.9.0"), ("1.1.0", "1.9.0")])
def test_plans_that_go_one_step_or_upgrade_something_else(was: str, now: str) -> None:
    before, after = (
        layer("web", WEB, obj("Plan", "web/a", f"spec: {{version: {version}}}", "upgrade.cattle.io/v1")) for version in (was, now)
    )
    planted = Planted(files=after, before=before, cure=("", ""), says="", platform=None)
    assert [one for one in look(planted, after) if one.id.startswith("moves/")] == []
