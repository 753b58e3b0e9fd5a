"""The rules for what pods may do, and where: root, devices, the machines that take them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.nodes.model import Node
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.parts import Toleration
from fluxstead.systems.applications.settings import Application

BAD_TOLERATION = refuses(
    "applications/toleration", "U7", "a toleration of `web` has operator Exists and a value", "the description"
)
DEVICE_ANYWHERE = refuses(
    "applications/device-anywhere", "F18", "`hub-prod` has the device /dev/ttyACM0, and any machine may run it", "the description"
)
DEVICE_OF_MANY = refuses("applications/device-of-many", "F1", "`hub-prod` has a device and up to 2 pods", "the description")
MOVING_DEVICE = warns(
    "applications/moving-device", "U1", "the device /dev/ttyUSB0 of `hub` has a name that another may get", "the description"
)
PRIVILEGED = warns(
    "applications/privileged", "U7", "`hub` has a device, so that its container may do anything on its machine", "the description"
)
RUNS_AS_ROOT = warns("applications/runs-as-root", "U7", "`web` runs as root: its image starts with s6", "the description")
TOLERATES_NOTHING = warns(
    "applications/tolerates-nothing", "F18", "`web` tolerates dedicated=gpu, and no machine has such a taint", "the description"
)
TWO_USERS = refuses("applications/two-users", "U7", "`web` has both runAsRoot and runAsUser", "the description")
CHECKS = (
    BAD_TOLERATION,
    DEVICE_ANYWHERE,
    DEVICE_OF_MANY,
    MOVING_DEVICE,
    PRIVILEGED,
    RUNS_AS_ROOT,
    TOLERATES_NOTHING,
    TWO_USERS,
)

_NUMBERED = re.compile(r"/dev/(?:tty(?:USB|ACM)|hidraw|video)\d+")
"""Given out in the order in which the kernel finds them."""
_BY_KUBERNETES = ("node.kubernetes.io/", "node-role.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Prefixes of taints that come and go by themselves, or that k3s gives its servers."""


def findings_of(app: Application, nodes: Sequence[Node]) -> Iterator[Finding]:
    """What is wrong with what an application may do in all its environments, or has to be known of it."""
    yield from _root(app)
    yield from _devices(app)
    for one in app.tolerations:
        yield from _toleration(app, one, nodes)
    if app.chart and app.chart.pod_security == "privileged":
        yield PRIVILEGED(
            app.chart.source_of("podSecurity"),
            what=f"the namespaces of `{app.name}` admit privileged pods",
            why="whoever gets into one of them has its machine",
            fix="podSecurity: baseline; or, if the chart needs it, accept: with the reason",
        )


def _root(app: Application) -> Iterator[Finding]:
    if app.run_as_root is None:
        return
    if app.run_as_user is not None:
        yield TWO_USERS(
            app.source_of("runAsUser"),
            what=f"`{app.name}` has both runAsRoot and runAsUser",
            why="its containers have one user",
            fix=f"runAsUser: {app.run_as_user} alone, if the image works so",
        )
        return
    yield RUNS_AS_ROOT(
        app.run_as_root.source,
        what=f"`{app.name}` runs as root: {app.run_as_root.reason}",
        why="a flaw in it is closer to one of its machine, and its namespaces admit more than pods of the restricted standard",
        fix="runAsUser: with any number, if the image works so; else accept: with the reason",
    )


def _devices(app: Application) -> Iterator[Finding]:
    if app.devices:
        yield PRIVILEGED(
            app.source_of("devices"),
            what=f"`{app.name}` has {', '.join(device.host_path for device in app.devices)}, so that its container is privileged",
            why="it may do anything on its machine: Kubernetes lets no other container open a device",
            fix="accept: with the reason, if nothing else may open it; a stick on the network (tcp://…) needs none of it",
        )
    for device in app.devices:
        if _NUMBERED.fullmatch(device.host_path):
            yield MOVING_DEVICE(
                device.source_of("hostPath"),
                what=f"the device {device.host_path} of `{app.name}` has a name that another may get",
                why="the kernel counts devices in the order in which it finds them, as with disks (U1)",
                fix=f"hostPath: as `ls -l /dev/serial/by-id` shows it on the machine, and mountPath: {device.inside}",
            )


def _toleration(app: Application, one: Toleration, nodes: Sequence[Node]) -> Iterator[Finding]:
    problem = _refused(one)
    if problem:
        what, fix = problem
        yield BAD_TOLERATION(
            one.source, what=f"a toleration of `{app.name}` has {what}", why="the API server refuses its Deployment", fix=fix
        )
        return
    if one.key is None or one.key.startswith(_BY_KUBERNETES):
        return
    if nodes and not any(_tolerated(one, node) for node in nodes):
        value = f"={one.value}" if one.value else ""
        yield TOLERATES_NOTHING(
            one.source,
            what=f"`{app.name}` tolerates {one.key}{value}, and no machine has such a taint",
            why="it lets the pods nowhere that they could not go without it",
            fix=_known(nodes),
        )


def _known(nodes: Sequence[Node]) -> str:
    taints = sorted({str(taint) for node in nodes for taint in node.taints})
    return (
        f"a toleration of {' or '.join(taints)}, as the machines have them" if taints else "no toleration: no machine has a taint"
    )


def _refused(one: Toleration) -> tuple[str, str] | None:
    """What the API server refuses (kubernetes: pkg/apis/core/validation, ValidateTolerations)."""
    if one.key is None and one.operator != "Exists":
        return "neither a key nor operator Exists", "the taint's key; or operator: Exists, for every taint"
    if one.operator == "Exists" and one.value:
        return "operator Exists and a value", "one of the two"
    if one.toleration_seconds is not None and one.effect != "NoExecute":
        return "tolerationSeconds without effect NoExecute", "effect: NoExecute; or no tolerationSeconds"
    return None


def _tolerated(one: Toleration, node: Node) -> bool:
    return any(
        one.key == taint.key and one.effect in (None, taint.effect) and (one.operator == "Exists" or one.value == taint.value)
        for taint in node.taints
    )


def of_instance(instance: Instance, nodes: Sequence[Node]) -> Iterator[Finding]:
    """What is wrong with where one environment runs."""
    devices = instance.app.devices
    if not devices:
        return
    if instance.most > 1 and any(device.exclusive for device in devices):
        yield DEVICE_OF_MANY(
            instance.environment.source_of("autoscaling" if instance.environment.autoscaling else "replicas"),
            what=f"`{instance.name}` has a device and up to {instance.most} pods",
            why="two programs at one device take its answers from each other",
            fix="replicas: 1 without autoscaling",
        )
    ways = ways_of(instance, nodes)
    if not instance.node_selector or (len(nodes) > 1 and len(ways) == len(nodes)):
        yield DEVICE_ANYWHERE(
            instance.app.source_of("devices"),
            what=f"`{instance.name}` has the device {devices[0].host_path}, and any machine may run it",
            why="on every other machine the pod waits for the device for ever",
            fix=f"nodeSelector: {{kubernetes.io/hostname: {nodes[0].name if nodes else '…'}}}, with the machine that has it",
        )


def ways_of(instance: Instance, nodes: Sequence[Node]) -> list[Node]:
    """The machines that have the labels it asks for."""
    return [node for node in nodes if all(_has(node, key, value) for key, value in instance.node_selector.items())]


def together(instances: Sequence[Instance]) -> Iterator[Finding]:
    """Devices that several of all environments have at once, on the same machines."""
    taken: dict[tuple[str, frozenset[tuple[str, str]]], str] = {}
    for instance in instances:
        for device in instance.app.devices if instance.online and instance.most else ():
            machines = frozenset(instance.node_selector.items())
            first = taken.setdefault((device.host_path, machines), instance.name)
            if first != instance.name and device.exclusive:
                yield DEVICE_OF_MANY(
                    instance.source,
                    what=f"`{instance.name}` has the device {device.host_path}, and so has `{first}`",
                    why="two programs at one device take its answers from each other",
                    fix="state: offline for one of the two, or a device of its own",
                )


def _has(node: Node, key: str, value: str) -> bool:
    """Whether a machine has the label, as far as the description says; others are given by k3s."""
    if key == "kubernetes.io/hostname":
        return node.name == value
    return node.labels.get(key) == value if key in node.labels else key.startswith(("kubernetes.io/", "node.kubernetes.io/"))
