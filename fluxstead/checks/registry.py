"""The checks that are no system's own, to which `fluxstead.roster` adds the systems'.

`./run check --list` and docs/checks.md are made from both.

Rules without a function stand where their subject is read, planned or compared; a test holds that the list names all of them.
"""

from __future__ import annotations

from fluxstead.checks.elsewhere import ELSEWHERE, REFUSED_BY_THE_DISK
from fluxstead.checks.outside import built, online
from fluxstead.checks.registry_references import REFERENCES
from fluxstead.checks.rules import (
    by_name,
    coldstart,
    departures,
    keeping,
    moves,
    network,
    ownership,
    patience,
    rivals,
    secrets,
    servicelb,
    substitution,
    units,
    versions,
)
from fluxstead.checks.subject import LooksAt, refuses, warns

OUTSIDE = (
    refuses("references/does-not-build", "F3", "kustomize does not build apps/whoami: …", built.findings, "the files on disk"),
    refuses(
        "online/no-such-version",
        "F4",
        "HelmRelease web/site: there is no site 1.8.3",
        online.findings,
        "repositories and registries",
    ),
    refuses(
        "online/no-such-image",
        "F4",
        "Deployment web/site runs example.test/site:1.0.9: there is no example.test/site:1.0.9",
        online.findings,
        "repositories and registries",
    ),
)
"""Those that take more than the files; only `./run check` lets them."""

_OWNERSHIP = (
    refuses(
        "tree/two-owners",
        "F8",
        "Namespace web in apps/web/namespace.yaml is already in apps/site/namespace.yaml:1",
        ownership.objects,
    ),
    refuses(
        "ownership/two-releases",
        "F5",
        "HelmRelease a/site installs the chart site, of which a cluster takes one, as …",
        ownership.releases,
    ),
    refuses("ownership/same-route", "F7", "Ingress a/x and Ingress b/y both answer dev.example.local/", ownership.routes),
    refuses("ownership/node-port-range", "F7", "Service web/site asks for node port 8080", ownership.ports),
    refuses("ownership/port-twice", "F7", "Service b/y asks for port 30080 of the nodes, which Service a/x has", ownership.ports),
    refuses(
        "ownership/load-balancer-port",
        "F7",
        "Service web/site asks servicelb for port 80 of the nodes, which k3s's own has",
        servicelb.ports,
    ),
    refuses(
        "ownership/two-autoscalers",
        "U9",
        "HorizontalPodAutoscaler web/b scales Deployment site, as HorizontalPodAutoscaler web/a does",
        rivals.autoscalers,
    ),
    refuses(
        "ownership/two-budgets",
        "F18",
        "PodDisruptionBudget web/b is a budget for the pods of Deployment web/site, as PodDisruptionBudget web/a is",
        rivals.budgets,
    ),
    warns("ownership/two-defaults", "F5", "the cluster has 2 default StorageClass objects: local-path, fast", ownership.defaults),
)

_PATIENCE = warns(
    "releases/timeout",
    "F17",
    "Kustomization flux-system/web waits 5m for HelmRelease web/site, which may take 20m",
    patience.findings,
)

_COLD_START = (
    refuses("coldstart/deadlock", "F2, U5", "Kustomizations wait for each other: apps → databases → apps", coldstart.findings),
    refuses(
        "coldstart/never",
        "U5",
        "Certificate web/site needs kind Certificate.cert-manager.io, and nothing in the tree, in k3s or in Flux brings it",
        coldstart.findings,
    ),
    refuses(
        "coldstart/stuck",
        "U5",
        "ClusterIssuer ca needs kind ClusterIssuer.cert-manager.io, which HelmRelease … brings from the same Kustomization",
        coldstart.findings,
    ),
    refuses(
        "coldstart/too-early",
        "F1, U5",
        "PersistentVolumeClaim web/data needs storage class fast, which HelmRelease storage/volumes brings only once …",
        coldstart.findings,
    ),
    warns(
        "coldstart/retried",
        "U5",
        "ServiceMonitor web/site needs kind ServiceMonitor.…, which HelmRelease … brings, and Kustomization … does not depend on …",
        coldstart.findings,
    ),
    warns(
        "coldstart/from-outside",
        "U5",
        "ClusterIssuer ca needs kind ClusterIssuer.cert-manager.io, which HelmRelease … brings from the same Kustomization",
        coldstart.findings,
    ),
)

_VERSIONS = (
    refuses(
        "tree/schema",
        "F6, F20",
        '…/helm-release-site.yaml: spec.interval: 3 is not of type "string"',
        versions.schemas,
    ),
    refuses("tree/chart-value", "F20", "chart site 1.9.0 has no value `replicas.cout`", versions.chart_values),
    warns("tree/chart-value-unsure", "F20", "chart site 1.9.0 has no value `zebra`", versions.chart_values),
    refuses("versions/range", "F4, F23", "HelmRelease a/b takes version `^5.0.0` of chart site", versions.exact),
    refuses(
        "versions/source-type",
        "F20",
        "HelmRepository a/b is of type oci, and its URL is https://charts.example.test",
        versions.source_types,
    ),
    warns("versions/moving-image", "F23", "Deployment web/site runs example.test/site:latest", versions.exact),
    warns(
        "versions/deprecated-api",
        "F6",
        "HelmRelease a/b is of helm.toolkit.fluxcd.io/v2beta1, which Flux 2.7 does not serve any more",
        versions.apis,
    ),
)

_COMMITS: LooksAt = "the tree and the commits before it"
_MOVES = (
    refuses(
        "moves/left",
        "F27",
        "Namespace web in HEAD leaves the tree, and what is committed lets Flux prune it",
        moves.findings,
        _COMMITS,
    ),
    refuses(
        "moves/owner",
        "F27",
        "HelmRelease web/site in HEAD belongs to Kustomization flux-system/infrastructure, and now to …",
        moves.findings,
        _COMMITS,
    ),
    refuses(
        "moves/everything-left",
        "F27",
        "nothing that Flux reconciles in HEAD is reached from clusters/k3s-flux/tree.yaml any more",
        moves.findings,
        _COMMITS,
    ),
    refuses(
        "moves/second-release",
        "F5",
        "HelmRelease storage/volumes in HEAD becomes HelmRelease volumes/volumes",
        moves.findings,
        _COMMITS,
    ),
    refuses("moves/unread", "F27", "Git does not read the repository: it belongs to somebody else", moves.unread, _COMMITS),
    warns(
        "moves/orphaned",
        "F27",
        "HelmRelease web/site in HEAD leaves the tree, and stays in the cluster without an owner",
        departures.orphans,
        _COMMITS,
    ),
    refuses("moves/immutable", "F28", "StorageClass fast in HEAD has other parameters", moves.findings, _COMMITS),
)

_STORAGE = (
    refuses("storage/prunable", "U10", "PersistentVolumeClaim web/data holds data, and Flux may prune it", keeping.findings),
    refuses(
        "storage/remediation",
        "F17",
        "HelmRelease storage/volumes lets Helm rollback it when upgrade fails",
        keeping.findings,
    ),
)
_SECRETS = (
    refuses("secrets/plain", "F22", "Secret web/settings holds `password` in plain text", secrets.secret_objects),
    refuses("secrets/recipients", "F22", "Secret web/settings is not encrypted for age1…", secrets.secret_objects),
    refuses(
        "secrets/no-decryption",
        "F22",
        "Secret web/settings is encrypted, and Kustomization flux-system/web does not decrypt",
        secrets.secret_objects,
    ),
    refuses(
        "secrets/in-text", "F22", "apps/web/config.yaml holds what looks like a key, a token or a password: ghp_…", secrets.anywhere
    ),
    warns(
        "secrets/in-values",
        "F22",
        "HelmRelease web/site sets auth.password to a value in plain text (8 characters)",
        by_name.findings,
    ),
    warns(
        "secrets/in-environment",
        "F22",
        "Deployment web/site sets the variable DB_PASSWORD to a value in plain text (8 characters)",
        by_name.findings,
    ),
    warns(
        "secrets/in-config-map",
        "F22",
        "ConfigMap web/settings holds DB_PASSWORD in plain text (8 characters)",
        by_name.findings,
    ),
)
_OTHER = (
    refuses("units/bytes", "F1", "PersistentVolumeClaim web/data asks for 5 bytes of storage", units.sizes),
    warns("units/cores", "U7", "Deployment web/site asks for 100 whole cores", units.sizes),
    refuses("units/duration", "F17", "HelmRelease web/site has interval: '1ms' is less than a second", units.durations),
    refuses(
        "substitution/undefined",
        "U6",
        "ConfigMap web/script holds ${HOME}, and Kustomization flux-system/web has no value for it",
        substitution.undefined,
    ),
    refuses(
        "network/overlap", "U7", "podCidr 10.42.0.0/16 and nodeCidr 10.0.0.0/8 share addresses", network.overlaps, "the description"
    ),
    refuses(
        "network/node-inside",
        "U7",
        "k3s1 has the address 10.42.0.5, which lies in podCidr 10.42.0.0/16",
        network.overlaps,
        "the description",
    ),
    warns(
        "versions/compatibility",
        "F6",
        "Flux 2.6.1 is tested with Kubernetes 1.31 to 1.33, and this is v1.36.3+k3s1",
        network.compatibility,
        "the description",
    ),
)

GENERAL = tuple(
    sorted(
        (
            *(*REFERENCES, *_OWNERSHIP, _PATIENCE, *_COLD_START, *_VERSIONS, *_MOVES, *_STORAGE, *_SECRETS, *_OTHER),
            *(*OUTSIDE, *ELSEWHERE, *REFUSED_BY_THE_DISK),
        ),
        key=lambda check: check.id,
    )
)
"""Every check that is no system's own, by id."""
