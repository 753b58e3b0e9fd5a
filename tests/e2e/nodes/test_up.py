"""From bare machines to the first sync in one `pulumi up`; the third machine joins by one file and the same."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.e2e.cluster.api import Json
from tests.e2e.engine import command_plugin, kubernetes_plugin, which_plugin

from .fixtures import STAND_IN, Site
from .whole import CLUSTER, DISKS, PLAYED, UP, Operator, operator

pytestmark = pytest.mark.machine
TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "flux",
    "kubectl",
    "kustomize",
    "source-controller",
    "kustomize-controller",
    "helm-controller",
)
Record = Callable[[str, object], None]


def test_bare_machines_become_a_cluster_and_a_third_joins(need: Callable[..., object], site: Site, record_property: Record) -> None:
    need(*TOOLS)
    for name, value in {
        "k3s": STAND_IN,
        "played": PLAYED,
        "pulumi-command's plugin": which_plugin(command_plugin()),
        "pulumi-kubernetes' plugin": which_plugin(kubernetes_plugin()),
    }.items():
        record_property(name, value)
    machines = site.machines(3)
    with operator(site, machines[:2]) as one:
        one.describe_what_a_cluster_begins_with()
        assert one.engine.run("stack", "init", CLUSTER).returncode == 0
        preview = one.engine.run("preview")
        assert preview.returncode == 0, preview.stdout + preview.stderr
        assert (one.engine.dialled, one.kubeconfig.exists()) == (0, False)

        record_property("up: two bare machines to the first sync", f"{_up(one)} s")
        not_ready = {layer["metadata"]["name"]: _ready(layer) for layer in one.layers() if _ready(layer) != "True"}
        assert not not_ready
        assert {node["metadata"]["name"] for node in one.kubectl("get", "nodes")["items"]} == {"k3s1", "k3s2", DISKS}
        processes = [machine.run("systemctl show -p MainPID k3s k3s-agent") for machine in machines]

        again = one.engine.run(*UP)
        assert again.returncode == 0, again.stdout + again.stderr
        assert re.search(r"Resources:\n\s+\d+ unchanged\n", again.stdout), again.stdout
        record_property("up: the second time", f"{_seconds(again.stdout)} s")

        one.add(machines[2], "agent")
        record_property("up: a third machine", f"{_up(one)} s")
        one.push()
        one.eventually(lambda: all(_ready(layer) == "True" and _is_of(layer, one.head) for layer in one.layers()))
        assert "k3s3" in {node["metadata"]["name"] for node in one.kubectl("get", "nodes")["items"]}
        assert processes[:2] == [machine.run("systemctl show -p MainPID k3s k3s-agent") for machine in machines[:2]]

        token = one.secret("k3s-token")["token"]
        assert token in machines[0].run("cat /etc/rancher/k3s/fluxstead-token")
        shown = one.engine.said + "".join(
            file.read_text(errors="replace") for file in one.engine.state.rglob("*") if file.is_file()
        )
        for machine in machines:
            shown += machine.run("ps axww; journalctl --no-pager; cat /etc/systemd/system/k3s*.service")
        assert token not in shown
        key = machines[0].run("cat /var/lib/rancher/k3s/server/tls/client-admin.key 2>/dev/null || true").strip()
        assert not key or key not in shown


def _up(one: Operator) -> int:
    done = one.engine.run(*UP)
    assert done.returncode == 0, done.stdout + done.stderr
    return _seconds(done.stdout)


def _seconds(said: str) -> int:
    minutes, seconds = re.findall(r"Duration: (?:(\d+)m)?(\d+)s", said)[0]
    return int(minutes or 0) * 60 + int(seconds)


def _ready(layer: Json) -> str:
    conditions = layer.get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == "Ready"), "")


def _is_of(layer: Json, commit: str) -> bool:
    return str(layer["status"].get("lastAppliedRevision", "")).endswith(commit)
