"""ConfigMaps and Secrets that pods and charts take their configuration from.

A pod that names one which is not there, and not `optional`, stays in ContainerCreating or CreateContainerConfigError
(Kubernetes, "Configure a Pod to Use a ConfigMap" and "Secrets"). Secrets are often made by hand, so that they are warned of.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fluxstead.checks.needed import chart_of
from fluxstead.checks.pods import configuration_of, pod_of
from fluxstead.checks.store import line_with
from fluxstead.checks.subject import Subject
from fluxstead.checks.view import Item, View, mapping
from fluxstead.core.findings import Finding, error, warning

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")
_BACKUP_KEYS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "cifs": ("CIFS_USERNAME", "CIFS_PASSWORD"),
    "azblob": ("AZBLOB_ACCOUNT_NAME", "AZBLOB_ACCOUNT_KEY"),
}
"""What Longhorn reads of a backup target's Secret, by the target's scheme (Longhorn's docs, "Setting a Backup Target")."""


def findings(subject: Subject) -> Iterator[Finding]:
    """What workloads and charts name, and the tree does not have."""
    view = subject.view
    if view.partial:
        return
    makers = subject.makers
    missing: dict[tuple[str, str, str], tuple[Item, set[str]]] = {}
    for item in view.of(*_WORKLOADS):
        pod = pod_of(item.object) if item.whole else None
        for kind, name, keys in configuration_of(pod) if pod is not None else ():
            namespace = item.ref.namespace or "default"
            if "${" not in name + namespace and not makers.may_make(kind, namespace, name):
                missing.setdefault((kind, namespace, name), (item, set()))[1].update(keys)
    for item in view.of("HelmRelease"):
        namespace = str(item.spec.get("targetNamespace") or item.ref.namespace)
        for name, names in _named_by_chart(view, item) if item.whole else ():
            if "${" not in name + namespace and not makers.made("Secret", namespace, name):
                missing.setdefault(("Secret", namespace, name), (item, set()))[1].update(names)
    for (kind, namespace, name), (item, found) in missing.items():
        yield _config_map(subject, item, name, found) if kind == "ConfigMap" else _secret(subject, item, namespace, name, found)


def _named_by_chart(view: View, item: Item) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Secrets that a chart's values name and the chart does not make."""
    chart, _ = chart_of(view, item)
    values = mapping(item.spec, "values")
    if chart in {"grafana", "kube-prometheus-stack"}:
        grafana = values if chart == "grafana" else mapping(values, "grafana")
        admin = mapping(grafana, "admin")
        keys = (str(admin.get("userKey", "admin-user")), str(admin.get("passwordKey", "admin-password")))
        yield from ((name, keys) for name in _text(admin, "existingSecret") if grafana.get("enabled") is not False)
    if chart == "longhorn":
        for store in (mapping(values, "defaultBackupStore"), mapping(values, "defaultSettings")):
            scheme = str(store.get("backupTarget", "")).partition("://")[0]
            yield from ((name, _BACKUP_KEYS.get(scheme, ())) for name in _text(store, "backupTargetCredentialSecret"))


def _text(data: Mapping[str, Any], key: str) -> list[str]:
    found = data.get(key)
    return [found] if isinstance(found, str) and found else []


def _config_map(subject: Subject, item: Item, name: str, keys: Iterable[str]) -> Finding:
    view, namespace = subject.view, item.ref.namespace or "default"
    here = [one.ref.name for one in view.of("ConfigMap") if (one.ref.namespace or "default") == namespace]
    near = difflib.get_close_matches(name, sorted(here), n=1, cutoff=0.5)
    return error(
        "references/missing-config-map",
        line_with(view.store, item.document, name),
        what=f"{item} takes its configuration from ConfigMap {namespace}/{name}, which does not exist",
        why="its pods wait for it for ever, and never start",
        write=near[0] if near else f"a ConfigMap {name} in namespace {namespace}{_with(keys)}, or optional: true",
    )


def _secret(subject: Subject, item: Item, namespace: str, name: str, keys: Iterable[str]) -> Finding:
    holding = _with(keys) or " with the keys that it reads"
    return warning(
        "references/missing-secret",
        line_with(subject.view.store, item.document, name),
        what=f"{item} needs Secret {namespace}/{name}, which is not in the tree",
        why="unless somebody makes it in the cluster by hand, what needs it does not start or cannot log in",
        write=f"a SOPS-encrypted Secret {name} in namespace {namespace}{holding}, in an included directory",
    )


def _with(keys: Iterable[str]) -> str:
    names = sorted(keys)
    return f" with the key{'s' if len(names) > 1 else ''} {' and '.join(names)}" if names else ""
