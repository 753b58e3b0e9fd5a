"""Longhorn's own rules, over the description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fluxstead.checks.rules import known_defects
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, counted
from fluxstead.core.platform import Platform
from fluxstead.core.shape import at
from fluxstead.nodes.model import Node
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.longhorn.values import COPIES, copies_in, soft_anti_affinity

CHART_VERSION = refuses("longhorn/chart-version", "F4", "Longhorn's chart versions have no leading v: v1.9.0", "the description")
DEFAULT_DISK = refuses("longhorn/default-disk", "F24", "Longhorn is told to make a default disk on every node", "the description")
KUBERNETES = warns(
    "longhorn/kubernetes", "F6", "Longhorn 1.9.0 needs Kubernetes 1.25, but this is v1.24.17+k3s1", "the description"
)
SAID_OTHERWISE = refuses(
    "longhorn/said-otherwise", "U7", "persistence.defaultClass is not what defaultClass says: true", "the description"
)
TOO_FEW_NODES = refuses(
    "longhorn/too-few-nodes", "F1", "3 replicas on different nodes, but 1 live node with disks to schedule on", "the description"
)
UNTRIED_VERSION = warns(
    "longhorn/untried-version", "F9", "Longhorn 1.13.0 is outside the releases that fluxstead knows, 1.5 to 1.12", "the description"
)
CHECKS = (CHART_VERSION, DEFAULT_DISK, KUBERNETES, SAID_OTHERWISE, TOO_FEW_NODES, UNTRIED_VERSION)

_DEFAULT_DISK = "node.longhorn.io/create-default-disk"
_OLDEST, _NEWEST = (1, 5), (1, 12)


def findings_of(
    settings: LonghornSettings, platform: Platform, nodes: Sequence[Node], values: Mapping[str, Any]
) -> Iterator[Finding]:
    """What is wrong, or worth knowing; `values` are the chart's: the operator's merged over fluxstead's."""
    yield from _version(settings)
    yield from _kubernetes(settings, platform)
    yield from _replicas(settings, nodes, values)
    yield from _moved(settings)
    yield from _default_disks(settings, nodes)


def _version(settings: LonghornSettings) -> Iterator[Finding]:
    if not _OLDEST <= settings.version.minor <= _NEWEST:
        yield UNTRIED_VERSION(
            settings.source_of("version"),
            what=f"Longhorn {settings.version} is outside the releases that fluxstead knows, 1.5 to 1.12",
            why="its values and custom resources may differ from what fluxstead writes",
            fix="a release of 1.5 to 1.12",
        )
    yield from known_defects.of_chart("longhorn", settings.version, settings.source_of("version"))
    if settings.version.text.startswith("v"):
        yield CHART_VERSION(
            settings.source_of("version"),
            what=f"Longhorn's chart versions have no leading v: {settings.version}",
            why="no chart of that version exists (F4)",
            fix=settings.version.text.removeprefix("v"),
        )


def _kubernetes(settings: LonghornSettings, platform: Platform) -> Iterator[Finding]:
    if settings.version.minor >= (1, 8) and platform.kubernetes.minor < (1, 25):
        yield KUBERNETES(
            settings.source_of("version"),
            what=f"Longhorn {settings.version} needs Kubernetes 1.25, but this is {platform.kubernetes}",
            why="Helm refuses the chart (longhorn: chart/Chart.yaml, kubeVersion)",
            fix="a release of k3s of at least v1.25",
        )


def _replicas(settings: LonghornSettings, nodes: Sequence[Node], values: Mapping[str, Any]) -> Iterator[Finding]:
    """How many copies are asked for by `replicas`, and by the values that it stands for."""
    storing = [node for node in nodes if node.state == "live" and any(disk.scheduling and not disk.evict for disk in node.disks)]
    if not any(node.state == "live" for node in nodes) or soft_anti_affinity(values):
        return  # without a machine, that is the mistake, and it is reported for the machines
    asked: dict[tuple[str, ...], int] = {("replicas",): settings.replicas}
    for keys in COPIES:
        said = copies_in(at(settings.values, keys))
        if said is not None:
            asked["values", *keys] = said
    for where, copies in asked.items():
        if copies > len(storing):
            yield TOO_FEW_NODES(
                settings.source_of(*where),
                what=f"{counted(copies, 'replica')} on different nodes, but {counted(len(storing), 'live node')}"
                " with disks to schedule on",
                why="every volume would stay degraded" if storing else "no volume could be created",
                fix=f"{where[-1]}: {len(storing)}, or replicaSoftAntiAffinity: true to let copies share a node"
                if storing
                else "disks, with scheduling, in the file of a live machine",
            )


def _moved(settings: LonghornSettings) -> Iterator[Finding]:
    """Values that say otherwise what the description says, and what other layers are made from."""
    if at(settings.values, ("persistence", "defaultClass")) not in (None, settings.default_class):
        yield SAID_OTHERWISE(
            settings.source_of("values", "persistence", "defaultClass"),
            what=f"persistence.defaultClass is not what defaultClass says: {str(settings.default_class).lower()}",
            why="volumes without a class, and k3s's own default class, follow from what is described",
            fix=f"defaultClass: {str(not settings.default_class).lower()}, and no such value",
        )
    if at(settings.values, ("namespaceOverride",)) not in (None, "", settings.namespace):
        yield SAID_OTHERWISE(
            settings.source_of("values", "namespaceOverride"),
            what="namespaceOverride moves Longhorn out of the namespace that is described",
            why="its disks, its route and its metrics are looked for where the description says",
            fix="no such value; namespace, before the first install",
        )


def _default_disks(settings: LonghornSettings, nodes: Sequence[Node]) -> Iterator[Finding]:
    """Both ways in which Longhorn would use the root filesystem as a disk (F24)."""
    defaults = settings.values.get("defaultSettings")
    if "defaultSettings" in settings.values and not isinstance(defaults, dict):
        yield DEFAULT_DISK(
            settings.source_of("values", "defaultSettings"),
            what="`defaultSettings` replaces all of Longhorn's settings with something that is not a mapping",
            why="the default disk, and with it volumes, would land on the root filesystem (F24)",
            fix="a mapping of settings",
        )
    elif defaults and defaults.get("createDefaultDiskLabeledNodes", True) is not True:
        yield DEFAULT_DISK(
            settings.source_of("values", "defaultSettings", "createDefaultDiskLabeledNodes"),
            what="Longhorn is told to make a default disk on every node",
            why="volumes would land on the root filesystem (F24)",
            fix="no such value; disks are declared in nodes/",
        )
    for node in nodes:
        if node.labels.get(_DEFAULT_DISK) == "true":
            yield DEFAULT_DISK(
                node.source_of("labels", _DEFAULT_DISK),
                what=f"{node.name} is labelled for a default disk",
                why="volumes would land on the root filesystem (F24)",
                fix=f"{_DEFAULT_DISK}: config",
            )
