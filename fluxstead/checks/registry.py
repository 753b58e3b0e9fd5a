"""The one list of checks. The code runs by it, and `./run check --list` and docs/checks.md are made from it.

Rules without a function stand where their subject is read, planned or compared; a test holds that the list names all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fluxstead.checks import (
    built,
    capacity,
    coldstart,
    config,
    moves,
    network,
    online,
    ownership,
    references,
    secrets,
    selectors,
    storage,
    substitution,
    versions,
)
from fluxstead.checks.elsewhere import ELSEWHERE
from fluxstead.checks.subject import Check, LooksAt, Subject
from fluxstead.core.findings import Finding, Severity

_Function = Callable[[Subject], Iterable[Finding]]


def _error(id: str, protects: str, says: str, function: _Function | None = None, looks_at: LooksAt = "the tree") -> Check:  # noqa: A002
    return Check(id, protects, Severity.ERROR, looks_at, says, function)


def _warning(id: str, protects: str, says: str, function: _Function | None = None, looks_at: LooksAt = "the tree") -> Check:  # noqa: A002
    return Check(id, protects, Severity.WARNING, looks_at, says, function)


_REFERENCES = (
    _error(
        "references/missing-file",
        "F3",
        "apps/whoami/kustomization.yaml lists `service.yaml`: apps/whoami/service.yaml is not in the repository",
        references.paths,
    ),
    _error(
        "references/not-yaml",
        "F3",
        "apps/whoami/service.yaml is not YAML: found character that cannot start any token",
        references.paths,
    ),
    _error(
        "references/missing-path",
        "F3",
        "Kustomization flux-system/whoami reconciles apps/whoam, which is not in the repository",
        references.paths,
    ),
    _error(
        "references/dangling-dependency",
        "F2",
        "Kustomization flux-system/monitoring depends on flux-system/infrastructur, which does not exist",
        references.dependencies,
    ),
    _error(
        "references/missing-source",
        "F2",
        "HelmRelease a/b takes its content from HelmRepository flux-system/charts, which does not exist",
        references.sources,
    ),
    _error(
        "references/missing-service",
        "F21",
        "Ingress web/site sends requests to Service sit, which does not exist",
        references.services,
    ),
    _error("references/missing-port", "F21", "Ingress web/site sends requests to port 81 of Service site", references.services),
    _error(
        "references/missing-config-map",
        "U5",
        "Deployment web/site takes its configuration from ConfigMap web/setings, which does not exist",
        config.findings,
    ),
    _warning(
        "references/missing-secret",
        "U5",
        "HelmRelease monitoring/kube-prometheus-stack needs Secret monitoring/grafana-admin, which is not in the tree",
        config.findings,
    ),
    _error(
        "references/no-target",
        "U9",
        "HorizontalPodAutoscaler web/site scales Deployment sit, which does not exist",
        references.targets,
    ),
    _warning(
        "references/selects-nothing",
        "U9",
        "Service web/site selects pods with app=sit, and no pod of its namespace carries them",
        references.targets,
    ),
    _warning(
        "references/policy-selects-nothing",
        "U9",
        "NetworkPolicy web/site guards pods with app=sit, and no pod of namespace web carries them",
        selectors.policies,
    ),
    _error(
        "references/not-its-own-pods",
        "U9",
        "Deployment web/site selects pods with app=sit, and its template does not carry them",
        selectors.workloads,
    ),
)

OUTSIDE = (
    _error("references/does-not-build", "F3", "kustomize does not build apps/whoami: …", built.findings, "the files on disk"),
    _error(
        "online/no-such-version",
        "F4",
        "HelmRelease a/longhorn: there is no longhorn 1.8.3",
        online.findings,
        "repositories and registries",
    ),
    _error(
        "online/no-such-image",
        "F4",
        "Deployment web/site runs example.test/site:1.0.9: there is no example.test/site:1.0.9",
        online.findings,
        "repositories and registries",
    ),
)
"""Those that take more than the files; only `./run check` lets them."""

_OWNERSHIP = (
    _error(
        "tree/two-owners",
        "F8",
        "Namespace web in apps/web/namespace.yaml is already in apps/site/namespace.yaml:1",
        ownership.objects,
    ),
    _error(
        "ownership/two-releases",
        "F5",
        "HelmRelease a/prometheus-operator installs the chart kube-prometheus-stack, of which a cluster takes one, as …",
        ownership.releases,
    ),
    _error("ownership/same-route", "F7", "Ingress a/x and Ingress b/y both answer dev.example.local/", ownership.routes),
    _error("ownership/node-port-range", "F7", "Service web/site asks for node port 8080", ownership.ports),
    _error("ownership/port-twice", "F7", "Service b/y asks for port 30080 of the nodes, which Service a/x has", ownership.ports),
    _warning(
        "ownership/two-defaults", "F5", "the cluster has 2 default StorageClass objects: local-path, longhorn", ownership.defaults
    ),
)

_COLD_START = (
    _error("coldstart/deadlock", "F2, U5", "Kustomizations wait for each other: apps → databases → apps", coldstart.findings),
    _error(
        "coldstart/never",
        "U5",
        "Certificate web/site needs kind Certificate.cert-manager.io, and nothing in the tree, in k3s or in Flux brings it",
        coldstart.findings,
    ),
    _error(
        "coldstart/stuck",
        "U5",
        "ClusterIssuer ca needs kind ClusterIssuer.cert-manager.io, which HelmRelease … brings from the same Kustomization",
        coldstart.findings,
    ),
    _error(
        "coldstart/too-early",
        "F1, U5",
        "PersistentVolumeClaim web/data needs storage class longhorn, which Node longhorn-system/k3s1 brings only once …",
        coldstart.findings,
    ),
    _warning(
        "coldstart/retried",
        "U5",
        "ServiceMonitor web/site needs kind ServiceMonitor.…, which HelmRelease … brings, and Kustomization … does not depend on …",
        coldstart.findings,
    ),
    _warning(
        "coldstart/from-outside",
        "U5",
        "ClusterIssuer ca needs kind ClusterIssuer.cert-manager.io, which HelmRelease … brings from the same Kustomization",
        coldstart.findings,
    ),
)

_VERSIONS = (
    _error(
        "tree/schema",
        "F6, F20",
        '…/helm-release-longhorn.yaml: spec.interval: 3 is not of type "string"',
        versions.schemas,
    ),
    _error(
        "tree/chart-value", "F20", "chart longhorn 1.9.0 has no value `defaultSettings.defaultDiskSelector`", versions.chart_values
    ),
    _warning("tree/chart-value-unsure", "F20", "chart longhorn 1.9.0 has no value `zebra`", versions.chart_values),
    _error("versions/range", "F4, F23", "HelmRelease a/b takes version `^55.0.0` of chart kube-prometheus-stack", versions.exact),
    _error(
        "versions/source-type",
        "F20",
        "HelmRepository a/b is of type oci, and its URL is https://charts.longhorn.io",
        versions.source_types,
    ),
    _warning("versions/moving-image", "F23", "Deployment web/site runs nginx:latest", versions.exact),
    _warning(
        "versions/deprecated-api",
        "F6",
        "HelmRelease a/b is of helm.toolkit.fluxcd.io/v2beta1, which Flux 2.7 does not serve any more",
        versions.apis,
    ),
)

_COMMITS: LooksAt = "the tree and the commits before it"
_MOVES = (
    _error(
        "moves/left",
        "F27",
        "Namespace longhorn-system in HEAD leaves the tree, and what is committed lets Flux prune it",
        moves.findings,
        _COMMITS,
    ),
    _error(
        "moves/owner",
        "F27",
        "HelmRelease longhorn-system/longhorn in HEAD belongs to Kustomization flux-system/infrastructure, and now to …",
        moves.findings,
        _COMMITS,
    ),
    _error(
        "moves/node-left",
        "F18",
        "Node longhorn-system/k3s2 in HEAD is not in the tree any more, and Longhorn still places replicas there",
        moves.findings,
        _COMMITS,
    ),
    _error(
        "moves/disk-removed",
        "F28",
        "disk sdf1 of Node longhorn-system/k3s1 in HEAD is removed while Longhorn still places replicas on it",
        moves.findings,
        _COMMITS,
    ),
    _error(
        "moves/disk-changed",
        "F28",
        "disk sdf1 of Node longhorn-system/k3s1 in HEAD changes /mnt/a to /mnt/b",
        moves.findings,
        _COMMITS,
    ),
    _error("moves/immutable", "F28", "StorageClass longhorn-hdd in HEAD has another parameters", moves.findings, _COMMITS),
    _error(
        "moves/longhorn-version",
        "F9",
        "Longhorn 1.6.2 in HEAD becomes 1.9.0, more than one minor release at once",
        moves.findings,
        _COMMITS,
    ),
)

_STORAGE = (
    _error("storage/disk-uuid", "F14, F15", "Node longhorn-system/k3s1 sets diskUUID", storage.disks),
    _error("storage/path-twice", "F13", "Node longhorn-system/k3s1 has the disks a and b at one path, /mnt/a", storage.disks),
    _error(
        "storage/outside-mount",
        "F24",
        "Node longhorn-system/k3s1 has a disk at /var/lib/longhorn, where k3s1 declares none",
        storage.disks,
    ),
    _error(
        "storage/tags",
        "F1",
        "StorageClass fast makes 3 copies on disks with nvme, and 1 node(s) with such disks take replicas",
        storage.tags,
    ),
    _warning(
        "storage/tags-unused",
        "F1",
        "StorageClass bulk makes 3 copies on disks with bulk, and 1 node(s) with such disks take replicas",
        storage.tags,
    ),
    _error("storage/prunable", "U10", "PersistentVolumeClaim web/data holds data, and Flux may prune it", storage.protection),
    _error(
        "storage/remediation",
        "F17",
        "HelmRelease longhorn-system/longhorn lets Helm rollback Longhorn when upgrade fails",
        storage.protection,
    ),
    _error(
        "storage/capacity",
        "F1",
        "3 volume(s) on disks with hdd take 600Gi with their copies, and 1 disk(s) have 465Gi - 25Gi reserved = 440Gi",
        capacity.findings,
    ),
)
_SECRETS = (
    _error("secrets/plain", "F22", "Secret web/settings holds `password` in plain text", secrets.secret_objects),
    _error("secrets/recipients", "F22", "Secret web/settings is not encrypted for age1…", secrets.secret_objects),
    _error(
        "secrets/no-decryption",
        "F22",
        "Secret web/settings is encrypted, and Kustomization flux-system/web does not decrypt",
        secrets.secret_objects,
    ),
    _error(
        "secrets/in-text", "F22", "apps/web/config.yaml holds what looks like a key, a token or a password: ghp_…", secrets.anywhere
    ),
    _warning(
        "secrets/in-values",
        "F22",
        "HelmRelease web/site sets auth.password to a value in plain text (8 characters)",
        secrets.anywhere,
    ),
)
_OTHER = (
    _error(
        "substitution/undefined",
        "U6",
        "ConfigMap web/script holds ${HOME}, and Kustomization flux-system/web has no value for it",
        substitution.undefined,
    ),
    _error(
        "network/overlap", "U7", "podCidr 10.42.0.0/16 and nodeCidr 10.0.0.0/8 share addresses", network.overlaps, "the description"
    ),
    _error(
        "network/node-inside",
        "U7",
        "k3s1 has the address 10.42.0.5, which lies in podCidr 10.42.0.0/16",
        network.overlaps,
        "the description",
    ),
    _warning(
        "versions/compatibility",
        "F6",
        "Flux 2.6.1 is tested with Kubernetes 1.31 to 1.33, and this is v1.36.3+k3s1",
        network.compatibility,
        "the description",
    ),
)

CHECKS = tuple(
    sorted(
        (*_REFERENCES, *_OWNERSHIP, *_COLD_START, *_VERSIONS, *_MOVES, *_STORAGE, *_SECRETS, *_OTHER, *OUTSIDE, *ELSEWHERE),
        key=lambda check: check.id,
    )
)
"""Every check, by id."""
