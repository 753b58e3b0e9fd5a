"""What values tell Longhorn, in a description or in any tree (failures F1, F15, U10).

Sources: longhorn/longhorn chart/values.yaml and templates, at every release from v1.5.0 to v1.12.1; Longhorn's docs, "Setting a
Backup Target" and "Longhorn CSI on K3s".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import at, mapping
from fluxstead.systems.longhorn.chart import BACKUP_KEYS, LONGHORN

BACKUP_TARGET = refuses("longhorn/backup-target", "U10", "Longhorn's backup target is bucket@region, which is no URL")
COPIES_UNKNOWN = refuses("longhorn/copies", "F1", "persistence.defaultClassReplicaCount is 0")
DELETION_CONFIRMED = warns("longhorn/deletion-confirmed", "U10", "Longhorn is told that its deletion is confirmed")
KUBELET_ROOT = refuses("longhorn/kubelet-root", "F20", "Longhorn looks for the kubelet in /var/lib/rancher/k3s/agent/kubelet")
KUBELET_ROOT_UNSURE = warns("longhorn/kubelet-root-unsure", "F20", "Longhorn looks for the kubelet in /data/kubelet")
NO_CREDENTIALS = warns(
    "longhorn/backup-credentials", "F22", "the backup target is s3://…, and no Secret with its credentials is named"
)
NOT_COLLECTED = warns("longhorn/not-collected", "F21", "Longhorn's network policies keep Prometheus from its metrics")

COPIES = (("persistence", "defaultClassReplicaCount"), ("defaultSettings", "defaultReplicaCount"))
"""The values that say how many copies a volume has: of the class `longhorn`, and of what names no number."""
SOFT = ("defaultSettings", "replicaSoftAntiAffinity")
_MOST_COPIES = 20

_KUBELET = "/var/lib/kubelet"
_OLD_KUBELET = "/var/lib/rancher/k3s/agent/kubelet"
"""Of k3s until 0.10.0; Longhorn's plugin would wait there for a socket that nobody opens (k3s-io/k3s#14418)."""

STORES = (("defaultBackupStore",), ("defaultSettings",))
"""Where a backup target is said since 1.8, and before."""
_URL = re.compile(r"(?:s3|nfs|cifs|azblob)://.+", re.ASCII)


def values(context: CheckContext) -> Iterator[Finding]:
    """What is wrong in the values of Longhorn's releases."""
    for one in context.chart_values:
        if context.facts.charts[one.chart] is not LONGHORN or "${" in str(one.values):
            continue
        yield from _kubelet(context, one)
        yield from _copies(context, one)
        yield from _backups(context, one)
        if truth(one.at("defaultSettings", "deletingConfirmationFlag")):
            yield DELETION_CONFIRMED(
                context.place_of(one, "defaultSettings", "deletingConfirmationFlag"),
                what="Longhorn is told that its deletion is confirmed",
                why="the next uninstall deletes every volume, which only this setting keeps from happening (U10)",
                fix="no such value; set it by hand in the hour in which Longhorn goes on purpose",
            )
        if _guarded(one) and _is_collected(context, one) and not _is_let_in(context, one):
            yield NOT_COLLECTED(
                context.place_of(one, "networkPolicies"),
                what="Longhorn's network policies keep Prometheus from its metrics",
                why="they admit nobody but Longhorn to port 9500, so every alert about volumes stays silent",
                fix="a NetworkPolicy in its namespace that lets Prometheus' pods in to port 9500 of app: longhorn-manager",
            )


def _kubelet(context: CheckContext, one: ChartValues) -> Iterator[Finding]:
    """Where it is known to be wrong, it is an error; the kubelet may have been given another root, which nothing here shows."""
    root = one.at("csi", "kubeletRootDir")
    known = root.rstrip("/") if isinstance(root, str) else ""
    if not known or known == _KUBELET or not (context.described or known == _OLD_KUBELET):
        return
    place = context.place_of(one, "csi", "kubeletRootDir")
    what, fix = f"Longhorn looks for the kubelet in {known}", f"no such value, or {_KUBELET}"
    why = f"k3s's kubelet is in {_KUBELET}, so the CSI driver is never registered and no volume is mounted (F20)"
    if context.described and known == _OLD_KUBELET:
        yield KUBELET_ROOT(place, what=what, why=why, fix=fix)
    else:
        yield KUBELET_ROOT_UNSURE(place, what=what, why=why, fix=fix)


def _copies(context: CheckContext, one: ChartValues) -> Iterator[Finding]:
    for keys in COPIES:
        said = one.at(*keys)
        copies = copies_in(said)
        if said in (None, "") or (copies is not None and 1 <= copies <= _MOST_COPIES):
            continue
        yield COPIES_UNKNOWN(
            context.place_of(one, *keys),
            what=f"{'.'.join(keys)} is {said!r}" if isinstance(said, (int, str)) else f"{'.'.join(keys)} is not a number",
            why="Longhorn ignores the setting, or refuses every volume of the class (F1)",
            fix=f"a whole number from 1 to {_MOST_COPIES}",
        )


def _backups(context: CheckContext, one: ChartValues) -> Iterator[Finding]:
    for keys in STORES:
        store = at(one.values, keys)
        target = store.get("backupTarget") if isinstance(store, Mapping) else None
        if not isinstance(target, str) or not target:
            continue
        scheme = target.partition("://")[0]
        place = context.place_of(one, *keys, "backupTarget")
        if not _URL.fullmatch(target):
            yield BACKUP_TARGET(
                place,
                what="Longhorn's backup target is no URL that it knows",
                why="no backup is ever made, and Longhorn says so in its own log only (U10)",
                fix="s3://bucket@region/, nfs://host:/path, cifs://host/share or azblob://container@core.windows.net/",
            )
        # What is described is told of at its own line.
        elif one.complete and not one.item.document.generated and lacks_credentials(store):
            yield NO_CREDENTIALS(
                place,
                what=f"the backup target is {scheme}://…, and no Secret with its credentials is named",
                why="Longhorn gets in nowhere without one, and backs nothing up (U10)",
                fix="backupTargetCredentialSecret: …, a Secret in Longhorn's namespace",
            )


def lacks_credentials(store: Mapping[str, Any]) -> bool:
    """Whether a target that needs credentials names no Secret with them (longhorn-manager: webhook/resources/backuptarget)."""
    scheme = str(store.get("backupTarget")).partition("://")[0]
    return scheme in BACKUP_KEYS and not store.get("backupTargetCredentialSecret")


def _guarded(one: ChartValues) -> bool:
    """Whether the chart's own policies admit only Longhorn to its managers (chart/templates/network-policies)."""
    return one.exact is not None and one.item.is_final and guarded(one.exact.numbers, one.values)


def guarded(version: tuple[int, int, int], said: Mapping[str, Any]) -> bool:
    """The same, of a version and its values: since 1.12.1 they are there unless they are refused."""
    policies = mapping(said, "networkPolicies")
    if version >= (1, 12, 1):
        return bool(policies.get("restrictInternalTraffic", True))
    return bool(policies.get("enabled", False))


def _is_collected(context: CheckContext, one: ChartValues) -> bool:
    """Whether the tree asks Prometheus for the managers' metrics."""
    return truth(one.at("metrics", "serviceMonitor", "enabled")) or any(
        at(item.spec, ("selector", "matchLabels", "app")) == "longhorn-manager" for item in context.tree.of("ServiceMonitor")
    )


def _is_let_in(context: CheckContext, one: ChartValues) -> bool:
    """Whether a policy of the tree's own may admit it: any in the namespace, where something else may add one."""
    return context.tree.partial or any(item.ref.namespace == one.namespace for item in context.tree.of("NetworkPolicy"))


def soft_anti_affinity(said: Mapping[str, Any]) -> bool:
    """Whether copies may share a node."""
    return truth(at(said, SOFT))


def truth(said: object) -> bool:
    """A flag as Longhorn's settings take it: a boolean, or its text."""
    return said is True or (isinstance(said, str) and said.strip().lower() == "true")


def copies_in(said: object) -> int | None:
    """A number of copies: a number, its text, or since 1.10 the least of the data engines (`{"v1":"3","v2":"3"}`)."""
    if isinstance(said, str) and said.lstrip().startswith("{"):
        try:
            engines = [copies_in(one) for one in json.loads(said).values()]
        except (ValueError, RecursionError):
            return None
        return min((one for one in engines if one is not None), default=None)
    if isinstance(said, str) and said.strip().isdecimal() and said.isascii():
        return int(said) if len(said) < _MOST_COPIES else None
    return said if isinstance(said, int) and not isinstance(said, bool) else None


RULES = (
    Rule(
        values,
        (BACKUP_TARGET, COPIES_UNKNOWN, DELETION_CONFIRMED, KUBELET_ROOT, KUBELET_ROOT_UNSURE, NO_CREDENTIALS, NOT_COLLECTED),
    ),
)
