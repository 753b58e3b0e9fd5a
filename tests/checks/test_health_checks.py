"""The cold start where a Kustomization is ready with objects that its `healthChecks` name, whoever applies them (F1)."""

from __future__ import annotations

import pytest

from tests.checks.planted import LONGHORN, WEB, Planted, claim, disk, disk_node, layer, look, obj

_AFTER_RELEASE = "dependsOn: [{name: longhorn}]"
_NODE = "{apiVersion: longhorn.io/v1beta2, kind: Node, namespace: longhorn-system, name: %s}"
_OPENED = obj("ConfigMap", "longhorn-system/opened", "data: {a: b}")
_NAMED = "{apiVersion: v1, kind: ConfigMap, namespace: longhorn-system, name: opened}"


def machine(name: str) -> dict[str, str]:
    """A machine's own layer, for which nobody waits."""
    node = disk_node(disk("a", "/mnt/a"), f"longhorn-system/{name}")
    return unwaited(layer(f"node-{name}", node, spec=_AFTER_RELEASE))


def unwaited(files: dict[str, str]) -> dict[str, str]:
    """The same Kustomization without `wait`."""
    return {path: text.replace("  wait: true\n", "") for path, text in files.items()}


def gate(*machines: str, name: str = "gate", after: str = _AFTER_RELEASE) -> dict[str, str]:
    """A Kustomization that is ready with the disks of these machines."""
    named = ", ".join(_NODE % one for one in machines)
    return unwaited(layer(name, WEB.replace("web", name), spec=f"{after}\n  healthChecks: [{named}]"))


def too_early(files: dict[str, str]) -> list[str]:
    """What the cold start says of volumes."""
    found = look(Planted(files=files, cure=("", ""), says=""), files)
    return [finding.what for finding in found if finding.id.startswith("coldstart/")]


def volumes(after: str) -> dict[str, str]:
    """What needs them."""
    return layer("web", WEB, claim("1Gi"), spec=f"dependsOn: [{{name: {after}}}]")


def test_a_gate_that_names_all_machines_is_waited_for() -> None:
    """It applies none of their objects."""
    assert not too_early({**LONGHORN, **machine("k3s1"), **machine("k3s2"), **gate("k3s1", "k3s2"), **volumes("gate")})


@pytest.mark.parametrize("named", ["k3s1", "k3s2"])
def test_a_machine_that_the_gate_leaves_out_is_named(named: str) -> None:
    """One is enough: volumes ask for all of their disks."""
    [what] = too_early({**LONGHORN, **machine("k3s1"), **machine("k3s2"), **gate(named), **volumes("gate")})
    other = {"k3s1": "k3s2", "k3s2": "k3s1"}[named]
    assert f"which Node.longhorn.io longhorn-system/{other}" in what


def test_a_machine_that_is_only_applied_is_not_registered() -> None:
    """Its layer is ready before its manager has looked at a disk."""
    [what] = too_early({**LONGHORN, **machine("k3s1"), **volumes("node-k3s1")})
    assert "needs StorageClass longhorn" in what


def test_what_is_applied_once_the_gate_has_opened_tells_of_it() -> None:
    """How Flux before 2.7 is told that the gate was open once: storage is ready with the object of another layer."""
    opened = layer("opened", _OPENED, spec="dependsOn: [{name: gate}]")
    storage = unwaited(layer("storage", WEB.replace("web", "storage"), spec=f"healthChecks: [{_NAMED}]"))
    common = {**LONGHORN, **machine("k3s1"), **gate("k3s1"), **storage, **volumes("storage")}
    assert not too_early({**common, **opened})
    assert too_early({**common, **layer("opened", _OPENED, spec=_AFTER_RELEASE)}), "it does not wait for the gate"


def test_a_circle_through_a_health_check_is_found() -> None:
    """The gate names what is applied only after it."""
    storage = unwaited(layer("storage", WEB.replace("web", "storage"), spec=f"healthChecks: [{_NAMED}]"))
    [what] = too_early({**LONGHORN, **storage, **layer("opened", _OPENED, spec="dependsOn: [{name: storage}, {name: longhorn}]")})
    assert "wait for each other" in what


def test_with_wait_flux_does_not_look_at_health_checks() -> None:
    """So they are no gate there."""
    waits = layer("gate", WEB.replace("web", "gate"), spec=f"{_AFTER_RELEASE}\n  healthChecks: [{_NODE % 'k3s1'}]")
    assert too_early({**LONGHORN, **machine("k3s1"), **waits, **volumes("gate")})
