"""Longhorn runs where its disks are, whatever taints the machine, and says which machine never drains."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.nodes.model import Node
from fluxstead.systems import longhorn
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.monitoring.values import on_tainted
from tests.checks.planted import BUNDLED, machine

DEDICATED = {"key": "storage", "value": "only", "effect": "NoExecute"}
SERVER = {"key": "node-role.example.test/server", "effect": "NoSchedule"}
OTHER = {"name": "k3s2", "address": "192.168.86.72"}


def planned(*nodes: Node, **settings: Any) -> dict[str, Any]:
    """The values of the release."""
    plan = longhorn.plan(LonghornSettings.model_validate({"version": "1.9.0", **settings}), BUNDLED, nodes)
    [release] = [one.object for one in plan.layers[0].manifests if one.ref.kind == "HelmRelease"]
    values: dict[str, Any] = release["spec"]["values"]
    return values


def warned(*nodes: Node, **settings: Any) -> list[str]:
    """Where a drain is said to never end."""
    plan = longhorn.plan(LonghornSettings.model_validate({"version": "1.9.0", **settings}), BUNDLED, nodes)
    return [one.what for one in plan.findings if one.id == "longhorn/never-drained"]


def test_longhorn_tolerates_what_taints_machines_with_disks() -> None:
    """What the chart installs by its values, what Longhorn starts by its setting."""
    values = planned(machine(taints=[DEDICATED]), machine(**OTHER, taints=[SERVER, DEDICATED]))
    assert values["defaultSettings"]["taintToleration"] == "node-role.example.test/server:NoSchedule; storage=only:NoExecute"
    wanted = [
        {"key": "node-role.example.test/server", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "storage", "operator": "Equal", "value": "only", "effect": "NoExecute"},
    ]
    assert all(values[part]["tolerations"] == wanted for part in ("longhornManager", "longhornDriver", "longhornUI"))


def test_a_planned_machine_counts_before_it_joins() -> None:
    """Longhorn takes on another setting only once all volumes are detached."""
    assert "taintToleration" in planned(machine(), machine(**OTHER, state="planned", taints=[DEDICATED]))["defaultSettings"]


@pytest.mark.parametrize(
    "node",
    [machine(), machine(disks=[], taints=[DEDICATED]), machine(taints=[{"key": "a", "effect": "PreferNoSchedule"}])],
    ids=["no taint", "no disk", "only a wish"],
)
def test_nothing_else_is_tolerated(node: Node) -> None:
    """And a cluster without taints keeps every byte."""
    values = planned(node)
    assert "taintToleration" not in values["defaultSettings"]
    assert not {"longhornManager", "longhornDriver", "longhornUI"} & values.keys()


def test_what_the_operator_writes_counts() -> None:
    """`values` are merged over ours."""
    own = {"defaultSettings": {"taintToleration": ":"}}
    assert planned(machine(taints=[DEDICATED]), values=own)["defaultSettings"]["taintToleration"] == ":"


def test_one_copy_or_one_machine_never_drains() -> None:
    """Longhorn's default policy blocks the drain of whatever holds a last copy."""
    assert warned(machine(), machine(**OTHER), replicas=1) == [
        "volumes have one copy, and Longhorn lets no node drain that holds the last one of any"
    ]
    [alone] = warned(machine(), machine(**OTHER, disks=[]), replicas=2, replicaSoftAntiAffinity=True)
    assert alone.startswith("only k3s1 has disks")
    assert not warned(machine(), machine(**OTHER), replicas=2)


def test_another_policy_is_set_and_ends_the_warning() -> None:
    """By its own key, or by a value."""
    assert planned(machine(), nodeDrainPolicy="always-allow")["defaultSettings"]["nodeDrainPolicy"] == "always-allow"
    assert "nodeDrainPolicy" not in planned(machine())["defaultSettings"]
    assert not warned(machine(), replicas=1, nodeDrainPolicy="allow-if-replica-is-stopped")
    assert not warned(machine(), replicas=1, values={"defaultSettings": {"nodeDrainPolicy": "always-allow"}})
    assert warned(machine(), replicas=1, nodeDrainPolicy="block-if-contains-last-replica")


def test_the_node_exporter_runs_on_every_machine() -> None:
    """Its chart tolerates NoSchedule by itself, and is evicted by NoExecute."""
    assert on_tainted([machine(), machine(**OTHER, taints=[DEDICATED])]) == {
        "prometheus-node-exporter": {"tolerations": [{"operator": "Exists"}]}
    }
    assert not on_tainted([machine(taints=[SERVER])])


def test_one_copy_that_is_said_through_values_counts() -> None:
    """And so does a policy."""
    one = {"persistence": {"defaultClassReplicaCount": 1}}
    assert warned(machine(), machine(**OTHER), values=one) == warned(machine(), machine(**OTHER), replicas=1) != []
    drained = {**one, "defaultSettings": {"nodeDrainPolicy": "allow-if-replica-is-stopped"}}
    assert not warned(machine(), machine(**OTHER), values=drained)


@pytest.mark.parametrize(
    "said", [{"backupTarget": {"url": "s3://b@r/"}}, {"values": {"defaultBackupStore": {"backupTarget": "s3://b@r/"}}}]
)
def test_a_backup_target_without_credentials_is_told_however_it_is_said(said: dict[str, Any]) -> None:
    plan = longhorn.plan(LonghornSettings.model_validate({"version": "1.9.0", **said}), BUNDLED, [machine()])
    assert [one.id for one in plan.findings if one.id == "longhorn/backup-credentials"] == ["longhorn/backup-credentials"]
