"""k3s in the program, under Pulumi's mocks: what the engine is told of it, in which order, and what it never is told."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence

import pulumi
import pytest

from tests.components.recorder import Registered, Runner
from tests.components.test_node import HOST_KEY
from tests.conftest import Project

LIVE = ("alpha", "beta", "delta", "gamma")
SERVERS = ("alpha", "beta", "gamma")
FLUX = "clusters/edge/flux-system"
REPOSITORY = "    repository: ssh://git@git.example.test/edge.git\n"
CIPHERTEXT = "secrets/edge/operator/k3s-token.sops.yaml"


@pytest.fixture
def installs(example: Project) -> Project:
    """Three servers and an agent, with the digests of k3s and ciphertext in the place of its token's."""
    for name in LIVE:
        file = example.root / f"nodes/{name}.yaml"
        file.write_text(f"{file.read_text()}ssh: {{hostKey: {HOST_KEY}}}\n")
    example.replace("Pulumi.edge.yaml", "    datastore: etcd\n", f"    datastore: etcd\n    binaries: {{amd64: {'d' * 64}}}\n")
    text = (example.root / "secrets/edge/operator/flux-git.sops.yaml").read_text()
    other = text.replace("name: flux-system\n  namespace: flux-system", "name: k3s-token\n  namespace: operator")
    (example.root / CIPHERTEXT).write_text(re.sub("  (identity): ", "  token: ", other))
    folder = example.root / FLUX
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text("resources: [gotk-components.yaml, gotk-sync.yaml]\n")
    (folder / "gotk-components.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: flux-system}\n")
    (folder / "gotk-sync.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sync, namespace: flux-system}\n")
    return example


def printed(project: Project) -> dict[str, str]:
    """What every machine answers that is prepared."""
    answers = {}
    for name in LIVE:
        disks = re.findall(r"- name: (\S+)", (project.root / f"nodes/{name}.yaml").read_text())
        about = {"mountPath": "/mnt/x", "action": "nothing", "why": [], "message": "", "write": "", "notes": []}
        rows = [{**about, "name": disk, "filesystemUuid": "u", "found": None} for disk in disks]
        answers[name] = json.dumps({"answer": "TOKEN", "result": {"status": "fine", "why": [], "disks": rows}})
    return answers


def of_type(seen: dict[str, Registered], kind: str) -> dict[str, Registered]:
    return {one.name: one for one in seen.values() if one.type == f"pulumi-python:dynamic/fluxstead:{kind}"}


def waits_for(seen: dict[str, Registered], one: Registered) -> Sequence[str]:
    return sorted(seen[urn].name for urn in one.dependencies if seen[urn].type.endswith("fluxstead:K3s"))


def test_servers_begin_one_after_another_and_agents_after_all_of_them(installs: Project, run_pulumi: Runner) -> None:
    """Two servers that join etcd at the same time may each wait for the other's vote."""
    seen = run_pulumi(installs, preview=False, printed=printed(installs))
    machines = of_type(seen, "K3s")
    assert {name: waits_for(seen, one) for name, one in machines.items()} == {
        "alpha": [],
        "beta": ["alpha"],
        "gamma": ["alpha", "beta"],
        "delta": ["alpha", "beta", "gamma"],
    }
    assert {name: seen[one.parent].name for name, one in machines.items()} == {name: name for name in LIVE}


def test_no_server_is_asked_while_it_is_prepared(installs: Project, run_pulumi: Runner) -> None:
    """It would answer nobody, and the first one be refused for want of an answer."""
    seen = run_pulumi(installs, preview=False, printed=printed(installs))
    for name in SERVERS:
        before = {seen[urn].name for urn in of_type(seen, "K3s")[name].dependencies if seen[urn].type == "command:remote:Command"}
        assert before == set(SERVERS)


def test_a_machine_that_was_installed_anew_is_asked_again(installs: Project, run_pulumi: Runner) -> None:
    """Nothing but its host key differs in the description."""
    seen = run_pulumi(installs, preview=False, printed=printed(installs))
    assert {one.inputs["hostKey"] for one in of_type(seen, "K3s").values()} == {HOST_KEY}


def test_no_input_is_a_token_or_a_path_of_this_machine(installs: Project, run_pulumi: Runner) -> None:
    """Of the servers' token, there is the digest of its ciphertext; an agent has none."""
    seen = run_pulumi(installs, preview=False, printed=printed(installs))
    machines = of_type(seen, "K3s")
    assert {name: list(one.inputs.get("token", {})) for name, one in machines.items()} == {
        **{name: ["k3s-token"] for name in SERVERS},
        "delta": [],
    }
    told = machines["alpha"].inputs["k3s"]
    assert (told["version"], told["digests"], told["config"]["cluster-cidr"]) == (
        "v1.36.3+k3s1",
        {"amd64": "d" * 64},
        "10.50.0.0/16",
    )
    assert str(installs.root) not in json.dumps([{**one.inputs, "project": None} for one in machines.values()])


def test_a_layer_waits_until_every_machine_has_joined(installs: Project, run_pulumi: Runner) -> None:
    seen = run_pulumi(installs, preview=False, printed=printed(installs))
    layers = [one for one in seen.values() if one.type == "fluxstead:tree:Layer"]
    assert layers
    assert all(set(waits_for(seen, layer)) == set(LIVE) for layer in layers)


def test_flux_comes_after_every_machine(installs: Project, run_pulumi: Runner) -> None:
    """It starts volumes, whose machines have to be there."""
    seen = run_pulumi(installs, preview=False, printed=printed(installs))
    [flux] = [one for one in seen.values() if one.type == "fluxstead:flux:Flux"]
    assert set(waits_for(seen, flux)) == set(LIVE)


def test_no_cluster_is_begun_that_flux_could_not_be_brought_into(installs: Project, run_pulumi: Runner) -> None:
    shutil.rmtree(installs.root / FLUX)
    with pytest.raises(pulumi.RunError, match=r"clusters/edge/flux-system: \./run upgrade flux"):
        run_pulumi(installs, preview=True)


def test_flux_is_known_to_come_in_before_any_machine_is_dialled(installs: Project, run_pulumi: Runner) -> None:
    (installs.root / FLUX / "kustomization.yaml").unlink()
    with pytest.raises(pulumi.RunError, match=r"nothing was dialled: .*kustomization.yaml cannot be read .*\./run upgrade flux"):
        run_pulumi(installs, preview=True)


def test_no_cluster_is_begun_whose_flux_would_follow_nothing(installs: Project, run_pulumi: Runner) -> None:
    installs.replace("Pulumi.edge.yaml", REPOSITORY, "")
    with pytest.raises(pulumi.RunError, match=r"nothing was dialled: .*\n?.*what Flux follows: flux: {repository: "):
        run_pulumi(installs, preview=True)


def test_without_digests_nothing_is_installed(installs: Project, run_pulumi: Runner) -> None:
    installs.replace("Pulumi.edge.yaml", f"    binaries: {{amd64: {'d' * 64}}}\n", "")
    seen = run_pulumi(installs, preview=False, printed=printed(installs))
    assert not of_type(seen, "K3s")
    assert not of_type(seen, "Kubeconfig")


def test_nothing_is_installed_in_a_cluster_without_its_secrets(installs: Project, run_pulumi: Runner) -> None:
    """They would be missed when applications start, one by one."""
    (installs.root / CIPHERTEXT).unlink()
    with pytest.raises(pulumi.RunError, match=r"operator/k3s-token.*\n?.*--generate"):
        run_pulumi(installs, preview=True)
