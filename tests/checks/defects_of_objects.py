"""Planted defects of what objects hold and name, by the id of the check that they are for."""

from __future__ import annotations

from collections.abc import Mapping

from tests.checks.planted import (
    ACCOUNT,
    BUNDLED,
    CONFIG,
    DEPLOYMENT,
    RBAC,
    SERVICE,
    WEB,
    Planted,
    autoscaler,
    binding,
    budget,
    claim,
    kept,
    layer,
    obj,
    release,
)

_ROLE = obj("Role", "web/site", "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]", RBAC)
_SET = DEPLOYMENT.replace("Deployment", "StatefulSet").replace("spec: {selector", "spec: {serviceName: sit, selector", 1)
_WITH_PORT = DEPLOYMENT.replace("{containers: [{", "{containers: [{ports: [{name: http, containerPort: 8080}], ")
_CLAIM = claim("1Gi", "''")
_MOUNTS = "volumes: [{name: data, persistentVolumeClaim: {claimName: dat}}]"
_HIGH = obj("PriorityClass", "high", "value: 10", "scheduling.k8s.io/v1")
_HEALTH = "  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: sit, namespace: web}]\n"
_NOTIFIES = "notification.toolkit.fluxcd.io/v1beta3"
_SOURCES = "eventSources: [{kind: Kustomization, name: '*'}]"
_ALERT = obj("Alert", "flux-system/all", f"spec: {{providerRef: {{name: slak}}, {_SOURCES}}}", _NOTIFIES)
_IMAGE = "image: 'example.test/site:1.0.0'"

OF_OBJECTS: Mapping[str, Planted] = {
    "units/bytes": Planted(
        files=layer("web", WEB, DEPLOYMENT.replace("{name: site,", "{name: site, resources: {limits: {memory: 128m}},")),
        cure=("128m", "128Mi"),
        says="asks for 0.128 bytes of memory",
    ),
    "units/cores": Planted(
        files=layer("web", WEB, DEPLOYMENT.replace("{name: site,", "{name: site, resources: {requests: {cpu: 100}},")),
        cure=("cpu: 100", "cpu: 100m"),
        says="asks for 100 whole cores",
    ),
    "units/duration": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.0.0").replace("interval: 10m", "interval: 1ms")),
        cure=("1ms", "1m"),
        says="has interval: '1ms' is less than a second",
    ),
    "secrets/in-environment": Planted(
        files=layer("web", WEB, DEPLOYMENT.replace(_IMAGE, f"{_IMAGE}, env: [{{name: DB_PASSWORD, value: hunter2}}]")),
        cure=("value: hunter2", "value: $(OTHER)"),
        says="sets the variable DB_PASSWORD to a plain-text value (7 characters)",
    ),
    "secrets/in-config-map": Planted(
        files=layer("web", WEB, CONFIG.replace("color: blue", "db-password: hunter2")),
        cure=("db-password: hunter2", "db-password-file: hunter2"),
        says="holds db-password in plain text (7 characters)",
    ),
    "references/missing-service-account": Planted(
        files=layer("web", WEB, ACCOUNT, DEPLOYMENT.replace("spec: {containers", "spec: {serviceAccountName: sit, containers")),
        cure=("serviceAccountName: sit,", "serviceAccountName: site,"),
        says="acts as ServiceAccount web/sit",
    ),
    "references/missing-role": Planted(
        files=layer("web", WEB, ACCOUNT, _ROLE, binding("Role", "sit", "site")),
        cure=("kind: Role, name: sit}", "kind: Role, name: site}"),
        says="grants Role sit",
    ),
    "references/missing-subject": Planted(
        files=layer("web", WEB, ACCOUNT, _ROLE, binding("Role", "site", "sit")),
        cure=("ServiceAccount, name: sit,", "ServiceAccount, name: site,"),
        says="binds a role to ServiceAccount web/sit",
    ),
    "references/missing-values": Planted(
        files=layer("web", WEB, CONFIG, release("web/site", "site", "1.0.0", ", valuesFrom: [{kind: ConfigMap, name: setings}]")),
        cure=("name: setings}", "name: settings}"),
        says="takes values from ConfigMap web/setings",
    ),
    "references/decryption-key": Planted(
        files=layer("web", WEB, spec="decryption: {provider: sops, secretRef: {name: sops}}"),
        cure=("name: sops}", "name: sops-age}"),
        says="decrypts with Secret flux-system/sops, but the description says flux-system/sops-age",
        more={"sops_secret": ("flux-system", "sops-age")},
    ),
    "references/circle": Planted(
        files=layer(
            "web",
            WEB,
            release("web/a", "a", "1.0.0", ", dependsOn: [{name: b}]"),
            release("web/b", "b", "1.0.0", ", dependsOn: [{name: c, namespace: web}]"),
            release("web/c", "c", "1.0.0", ", dependsOn: [{name: a}]"),
        ),
        cure=(", dependsOn: [{name: a}]", ""),
        says="wait for each other: web/a → web/b → web/c → web/a",
    ),
    "references/missing-target-port": Planted(
        files=layer("web", WEB, _WITH_PORT, SERVICE.replace("port: 80", "port: 80, targetPort: htp")),
        cure=("targetPort: htp", "targetPort: http"),
        says="sends to port htp of its pods",
    ),
    "references/missing-governing-service": Planted(
        files=layer("web", WEB, SERVICE, _SET),
        cure=("serviceName: sit,", "serviceName: site,"),
        says="has the governing Service sit",
    ),
    "ownership/load-balancer-port": Planted(
        files=layer("web", WEB, DEPLOYMENT, SERVICE.replace("{selector", "{type: LoadBalancer, selector")),
        cure=("port: 80", "port: 8080"),
        says="asks servicelb for port 80 of the nodes, which k3s's Traefik has",
        platform=BUNDLED,
    ),
    "references/missing-claim": Planted(
        files=layer("web", kept(WEB), _CLAIM, DEPLOYMENT.replace("{containers", f"{{{_MOUNTS}, containers")),
        cure=("claimName: dat}", "claimName: data}"),
        says="mounts PersistentVolumeClaim web/dat",
    ),
    "references/missing-priority-class": Planted(
        files=layer("web", WEB, _HIGH, DEPLOYMENT.replace("{containers", "{priorityClassName: hihg, containers")),
        cure=("hihg", "high"),
        says="uses PriorityClass hihg",
    ),
    "references/missing-health-check": Planted(
        files={path: text.replace("  wait: true\n", _HEALTH) for path, text in layer("web", WEB, DEPLOYMENT).items()},
        cure=("name: sit,", "name: site,"),
        says="waits for Deployment web/sit",
    ),
    "references/missing-flux-object": Planted(
        files=layer("web", obj("Provider", "flux-system/slack", "spec: {type: slack}", _NOTIFIES), _ALERT),
        cure=("name: slak}", "name: slack}"),
        says="names Provider flux-system/slak",
    ),
    "ownership/two-autoscalers": Planted(
        files=layer("web", WEB, DEPLOYMENT, autoscaler("web/a"), autoscaler("web/b")),
        cure=("---\n" + autoscaler("web/b"), ""),
        says="scales Deployment site, as HorizontalPodAutoscaler web/a",
    ),
    "ownership/two-budgets": Planted(
        files=layer("web", WEB, DEPLOYMENT, budget("web/a"), budget("web/b")),
        cure=("---\n" + budget("web/b"), ""),
        says="is a budget for the pods of Deployment web/site, as PodDisruptionBudget web/a",
    ),
}
