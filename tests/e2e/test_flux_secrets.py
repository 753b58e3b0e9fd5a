"""Flux decrypts what `./run secrets` wrote: through a change of the cluster's key without a gap, and not with a wrong one."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
import yaml

from fluxstead.secrets.tools import new_key, sops_binary
from tests.e2e.cluster.api import Json, is_ready
from tests.e2e.cluster.description import PROJECT, Project
from tests.e2e.cluster.flux import NAMESPACE, Cluster, applied
from tests.e2e.cluster.report import KUSTOMIZATION
from tests.edge_keys import OPERATOR

pytestmark = pytest.mark.flux
KEY_FILE = "secrets/edge/operator/cluster-age.sops.yaml"
LAYERS = ("sensors-live", "sensors-trial")
"""They wait for no storage, which takes its time."""


def secrets(project: Project, *words: str, given: str = "") -> str:
    """`./run secrets WORDS`, with the operator's key."""
    command = [sys.executable, "-m", "fluxstead.cli", "secrets", words[0], "--project", str(project.folder), *words[1:]]
    done = subprocess.run(
        command, cwd=PROJECT, input=given, capture_output=True, text=True, check=False, env={**os.environ, "SOPS_AGE_KEY": OPERATOR}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def hand_over(cluster: Cluster, project: Project) -> None:
    """`sops decrypt FILE | kubectl apply --server-side`, as the command says."""
    done = subprocess.run(
        [sops_binary(), "decrypt", KEY_FILE],
        cwd=project.folder,
        capture_output=True,
        check=True,
        env={**os.environ, "SOPS_AGE_KEY": OPERATOR},
    )
    cluster.api.apply(yaml.safe_load(done.stdout))


def values(cluster: Cluster, namespace: str) -> dict[str, str]:
    """What the Secret in the cluster holds."""
    found = cluster.api.get("v1", "Secret", "sensor-settings", namespace)
    return {key: base64.b64decode(value).decode() for key, value in ((found or {}).get("data") or {}).items()}


def pushed(cluster: Cluster, project: Project, message: str, layers: Sequence[str] = LAYERS) -> None:
    """Render, commit, and wait until Flux has applied it."""
    project.render()
    cluster.wait_for_layers(layers, cluster.commit(message))


def test_it_decrypts_through_a_change_of_its_key_and_not_with_a_wrong_one(edge_cluster: Cluster, edge_project: Project) -> None:
    """F22: at no moment can the cluster not read what is committed; with a wrong key, that layer says so and nothing else stops."""
    cluster, project = edge_cluster, edge_project
    project.replace("Pulumi.edge.yaml", "    - name: sensors\n", "    - name: sensors\n      secrets: [sensor-settings]\n")
    secrets(project, "set", "sensor-settings", "TOKEN", "--stdin", given="first ${TOKEN}")
    hand_over(cluster, project)
    broken: list[str] = []

    def see(state: Json) -> None:
        said = [one.get("message", "") for one in state.get("status", {}).get("conditions", [])]
        broken.extend(one for one in said if state["metadata"]["name"].startswith("sensors") and "decrypt" in one.lower())

    with cluster.api.watching(*KUSTOMIZATION, NAMESPACE, see):
        cluster.bootstrap("./clusters/edge")
        pushed(cluster, project, "two environments with one secret")
        assert [values(cluster, layer) for layer in LAYERS] == [{"TOKEN": "first ${TOKEN}"}] * 2
        old = yaml.safe_load(project.stack_file.read_text())["config"]["fluxstead:secrets"]["cluster"][0]
        secrets(project, "recipients", "add", "--cluster")
        hand_over(cluster, project)
        pushed(cluster, project, "a second key for the cluster")
        said = secrets(project, "recipients", "remove", old, "--handed-over")
        assert "hand" not in said
        pushed(cluster, project, "without the first one")
        hand_over(cluster, project)
        secrets(project, "set", "sensor-settings", "TOKEN", "--stdin", given="second")
        pushed(cluster, project, "another value")
        assert [values(cluster, layer) for layer in LAYERS] == [{"TOKEN": "second"}] * 2
        held = cluster.api.get("v1", "Secret", "sops-age", NAMESPACE)
        assert held is not None
        assert len([key for key in held["data"] if key.startswith("age-2")]) == 1
        assert "age.agekey" not in held["data"], "the old key is gone"
        assert not broken

    cluster.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "sops-age", "namespace": NAMESPACE},
            "data": {"age.agekey": base64.b64encode(new_key()[0].encode()).decode()},
        }
    )
    secrets(project, "set", "sensor-settings", "TOKEN", "--stdin", given="third")
    project.render()
    revision = cluster.commit("a value that cannot be read")
    cluster.eventually("the layer says what is wrong", lambda: "decrypt" in _message(cluster, "sensors-live-access").lower())
    cluster.wait_for_layers(["traefik", "node-labels-access"], revision)
    assert values(cluster, "sensors-live") == {"TOKEN": "second"}, "what runs stays as it was"
    hand_over(cluster, project)
    cluster.reconcile(*KUSTOMIZATION, "sensors-live-access", NAMESPACE)
    cluster.eventually("the right key cures it", lambda: _is_at(cluster, "sensors-live-access", revision))
    assert values(cluster, "sensors-live") == {"TOKEN": "third"}


def _message(cluster: Cluster, layer: str) -> str:
    conditions = cluster.layers().get(layer, {}).get("status", {}).get("conditions", [])
    return " ".join(one.get("message", "") for one in conditions if one["type"] == "Ready")


def _is_at(cluster: Cluster, layer: str, revision: str) -> bool:
    state = cluster.layers()[layer]
    return is_ready(state) and applied(state) == revision
