"""Rules about what objects name, listed for the registry."""

from __future__ import annotations

from fluxstead.checks.rules import accounts, config, flux_objects, references, releases, selectors, starting, traffic
from fluxstead.checks.subject import refuses, warns

REFERENCES = (
    refuses(
        "references/missing-file",
        "F3",
        "apps/whoami/kustomization.yaml lists `service.yaml`: apps/whoami/service.yaml is not in the repository",
        references.paths,
    ),
    refuses(
        "references/not-yaml",
        "F3",
        "apps/whoami/service.yaml is not YAML: found character that cannot start any token",
        references.paths,
    ),
    refuses(
        "references/missing-path",
        "F3",
        "Kustomization flux-system/whoami reconciles apps/whoam, which is not in the repository",
        references.paths,
    ),
    refuses(
        "references/dangling-dependency",
        "F2",
        "Kustomization flux-system/monitoring depends on flux-system/infrastructur, which does not exist",
        references.dependencies,
    ),
    refuses(
        "references/missing-source",
        "F2",
        "HelmRelease a/b takes its content from HelmRepository flux-system/charts, which does not exist",
        references.sources,
    ),
    refuses(
        "references/missing-service",
        "F21",
        "Ingress web/site sends requests to Service sit, which does not exist",
        traffic.services,
    ),
    refuses("references/missing-port", "F21", "Ingress web/site sends requests to port 81 of Service site", traffic.services),
    refuses(
        "references/missing-config-map",
        "U5",
        "Deployment web/site takes its configuration from ConfigMap web/setings, which does not exist",
        config.findings,
    ),
    warns(
        "references/missing-secret",
        "U5",
        "HelmRelease web/site needs Secret web/admin, which is not in the tree",
        config.findings,
    ),
    refuses(
        "references/no-target",
        "U9",
        "HorizontalPodAutoscaler web/site scales Deployment sit, which does not exist",
        references.targets,
    ),
    warns(
        "references/selects-nothing",
        "U9",
        "Service web/site selects pods with app=sit, and no pod of its namespace carries them",
        references.targets,
    ),
    warns(
        "references/policy-selects-nothing",
        "U9",
        "NetworkPolicy web/site guards pods with app=sit, and no pod of namespace web carries them",
        selectors.policies,
    ),
    refuses(
        "references/not-its-own-pods",
        "U9",
        "Deployment web/site selects pods with app=sit, and its template does not carry them",
        selectors.workloads,
    ),
    refuses(
        "references/missing-service-account",
        "F2",
        "Kustomization flux-system/web acts as ServiceAccount flux-system/reconcilr, which does not exist",
        accounts.service_accounts,
    ),
    refuses("references/missing-role", "F2", "RoleBinding web/site grants Role sit, which does not exist", accounts.roles),
    warns(
        "references/missing-subject",
        "F2",
        "RoleBinding web/site grants something to ServiceAccount web/sit, which does not exist",
        accounts.subjects,
    ),
    warns(
        "references/missing-values",
        "U5",
        "HelmRelease web/site takes values from ConfigMap web/setings, which is not in the tree",
        config.findings,
    ),
    warns(
        "references/decryption-key",
        "F22",
        "Kustomization flux-system/web decrypts with Secret flux-system/sops, and the description has flux-system/sops-age",
        config.decryption,
    ),
    refuses("references/circle", "F2", "HelmReleases wait for each other: web/site → web/db → web/site", releases.circles),
    refuses(
        "references/missing-target-port",
        "F21",
        "Service web/site sends to port htp of its pods, and none of them has one of that name",
        traffic.target_ports,
    ),
    warns(
        "references/missing-governing-service",
        "F21",
        "StatefulSet web/db has Service d for the names of its pods, which does not exist",
        traffic.governing,
    ),
    warns(
        "references/missing-claim",
        "F1",
        "Deployment web/site mounts PersistentVolumeClaim web/dat, which is not in the tree",
        starting.claims,
    ),
    refuses(
        "references/missing-priority-class",
        "U5",
        "Deployment web/site has the priority of PriorityClass hihg, which does not exist",
        starting.priorities,
    ),
    refuses(
        "references/missing-health-check",
        "F26",
        "Kustomization flux-system/web waits for Deployment web/sit, which does not exist",
        flux_objects.health_checks,
    ),
    refuses(
        "references/missing-flux-object",
        "F2",
        "Alert flux-system/all names Provider flux-system/slak, which does not exist",
        flux_objects.objects,
    ),
)
