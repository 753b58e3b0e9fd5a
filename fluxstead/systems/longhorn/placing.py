"""Where Longhorn's own pods have to run, and when a node may be drained: what the machines' taints and copies ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import at
from fluxstead.nodes.model import Node, Taint
from fluxstead.systems.longhorn.settings import BLOCKS_WITH_LAST_COPY, DRAINS_STOPPED, LonghornSettings
from fluxstead.systems.longhorn.values import COPIES, copies_in

NEVER_DRAINED = warns(
    "longhorn/never-drained",
    "F18",
    "volumes have one copy, and Longhorn lets no node drain that holds the last one of any",
    "the description",
)
CHECKS = (NEVER_DRAINED,)


def tolerating(nodes: Sequence[Node]) -> dict[str, Any]:
    """The chart values by which Longhorn runs on every machine that has disks, whatever taints it; none without taints.

    What the chart installs reads the values, and what Longhorn itself starts (CSI, instance and image managers) the setting
    (longhorn-manager: types/setting.go, SettingDefinitionTaintToleration). A planned machine counts: Longhorn takes on another
    setting only once all volumes are detached.
    """
    taints = _taints(nodes)
    if not taints:
        return {}
    tolerations = [_toleration(taint) for taint in taints]
    return {
        "defaultSettings": {"taintToleration": "; ".join(map(str, taints))},
        **{part: {"tolerations": tolerations} for part in ("longhornDriver", "longhornManager", "longhornUI")},
    }


def _taints(nodes: Sequence[Node]) -> list[Taint]:
    found = {str(taint): taint for node in nodes if node.disks for taint in node.taints if taint.repels}
    return [found[text] for text in sorted(found)]


def _toleration(taint: Taint) -> dict[str, str]:
    wanted = {"operator": "Equal", "value": taint.value} if taint.value else {"operator": "Exists"}
    return {"key": taint.key, **wanted, "effect": taint.effect}


def findings_of(settings: LonghornSettings, nodes: Sequence[Node], values: Mapping[str, Any]) -> Iterator[Finding]:
    """What never drains under Longhorn's default policy, where the number of copies or of machines makes it certain."""
    policy = at(values, ("defaultSettings", "nodeDrainPolicy")) or BLOCKS_WITH_LAST_COPY
    storing = [node for node in nodes if node.disks]
    one_copy = copies_in(at(values, COPIES[0])) == 1
    if policy != BLOCKS_WITH_LAST_COPY or not storing or (not one_copy and len(storing) > 1):
        return
    said = ("replicas",) if at(settings.values, COPIES[0]) is None else ("values", *COPIES[0])
    yield NEVER_DRAINED(
        settings.source_of(*said) if one_copy else storing[0].source_of("disks"),
        what="volumes have one copy, and Longhorn lets no node drain that holds the last one of any"
        if one_copy
        else f"only {storing[0].name} has disks, and so the last copy of each volume: Longhorn never lets it drain",
        why="`kubectl drain`, and every upgrade of k3s that waits for it, never ends (node-drain-policy; longhorn/longhorn#5910)",
        fix=f"nodeDrainPolicy: {DRAINS_STOPPED} lets it drain once its volumes are detached; their data waits for its return",
    )
