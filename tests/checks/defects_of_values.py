"""Planted defects of what values, monitors and configuration in text say, by the id of the check that they are for."""

from __future__ import annotations

from collections.abc import Mapping

from tests.checks.planted import (
    BUNDLED,
    CONFIG,
    DEPLOYMENT,
    LONGHORN,
    SERVICE,
    WEB,
    Planted,
    ingress,
    kept,
    layer,
    machine,
    obj,
    release,
)


def _longhorn(old: str, new: str) -> Mapping[str, str]:
    return {path: text.replace(old, new) for path, text in LONGHORN.items()}


def _more(values: str) -> Mapping[str, str]:
    """Longhorn's release with more values."""
    return _longhorn("values: {", f"values: {{{values}, ")


def _stack(values: str, *objects: str, rest: str = ", upgrade: {crds: CreateReplace}") -> Mapping[str, str]:
    """A monitoring stack whose values are these and what keeps it quiet on k3s."""
    quiet = ", ".join(f"{name}: {{enabled: false}}" for name in ("kubeControllerManager", "kubeScheduler"))
    namespace = kept(obj("Namespace", "monitoring"))
    stack = kept(release("monitoring/kps", "kube-prometheus-stack", "75.6.0", f", values: {{{quiet}, {values}}}{rest}"))
    more = layer("web", WEB, *objects, spec="dependsOn: [{name: monitoring}]") if objects else {}
    return {**layer("monitoring", namespace, stack), **more}


_QUIET = "kubeProxy: {enabled: false}"
_OPERATOR = "monitoring.coreos.com/v1"
_MONITOR = "spec: {selector: {matchLabels: {app: site}}, endpoints: [{port: http}]}"
_TAKE_ALL = f"{_QUIET}, prometheus: {{prometheusSpec: {{serviceMonitorSelectorNilUsesHelmValues: false}}}}"
_TAKE_RULES = f"{_QUIET}, prometheus: {{prometheusSpec: {{ruleSelectorNilUsesHelmValues: false}}}}"
_RULE = "spec: {groups: [{name: a, rules: [{alert: A, expr: longhorn_volume_robustnes == 3}]}]}"
_LABELLED = SERVICE.replace("name: site}", "name: site, labels: {app: site}}").replace("{port: 80}", "{name: http, port: 80}")
_VOLUME = "volumeClaimTemplate: {spec: {resources: {requests: {storage: 10Gi}}}}"
_FULL = f"{_QUIET}, prometheus: {{prometheusSpec: {{retentionSize: 20GB, storageSpec: {{{_VOLUME}}}}}}}"
_NGINX = layer("ingress", obj("Namespace", "ingress-nginx"), release("ingress-nginx/nginx", "ingress-nginx", "4.12.3"))
_ON_AMD64 = ", values: {defaultBackend: {enabled: true, nodeSelector: {kubernetes.io/os: linux}}}"
_BACKEND = layer("ingress", obj("Namespace", "ingress-nginx"), release("ingress-nginx/nginx", "ingress-nginx", "4.12.3", _ON_AMD64))
_ARM = machine(architecture="arm64", disks=[])
_INGRESS = ingress("web/site", "a.test").replace("spec: {", "spec: {ingressClassName: nginx, ")
_PATTERN = _INGRESS.replace("path: /,", "path: '/site(/|$)(.*)',")
_SNIPPED = _INGRESS.replace("name: site}\n", "annotations: {nginx.ingress.kubernetes.io/server-snippet: x}, name: site}\n", 1)
_ROUTE = "spec: {routes: [{kind: Rule, match: 'Headers(`X-A`, `b`)', services: [{name: site, port: 80}]}]}"
_TRAEFIK = obj("HelmChartConfig", "kube-system/traefik", "spec: {valuesContent: '[web]'}", "helm.cattle.io/v1")
_DASHBOARD = "{dashboard: {enabled: true, entryPoints: [websecure]}}"
_DRIFT = ", driftDetection: {mode: enabled, ignore: [{paths: [/spec/replica], target: {kind: Deployment}}]}"
_CHART = "helm.toolkit.fluxcd.io/v2"
_OCI = obj("OCIRepository", "web/site", "spec: {interval: 1h, url: oci://example.test/site}", "source.toolkit.fluxcd.io/v1")
_FROM_OCI = obj("HelmRelease", "web/site", "spec: {interval: 10m, chartRef: {kind: OCIRepository, name: site}}", _CHART)


def _names(key: str, text: str) -> Mapping[str, str]:
    """What CoreDNS is told."""
    return layer("dns", obj("ConfigMap", "kube-system/coredns-custom", f"data: {{{key}: '{text}'}}"))


_OWN_HOSTS = "hosts { 192.0.2.1 a.test }"

OF_VALUES: Mapping[str, Planted] = {
    "images/architecture": Planted(
        files=_BACKEND,
        cure=("enabled: true", "enabled: false"),
        says="registry.k8s.io/defaultbackend-amd64:1.5 runs on no machine: k3s1 is arm64",
        nodes=[_ARM],
    ),
    "images/some-machines": Planted(
        files=_BACKEND,
        cure=("kubernetes.io/os: linux", "kubernetes.io/arch: amd64"),
        says="registry.k8s.io/defaultbackend-amd64:1.5 does not run everywhere: k3s1 is arm64",
        nodes=[_ARM, machine(name="k3s2", address="192.168.86.72", architecture="amd64", disks=[])],
    ),
    "tree/values-not-yaml": Planted(
        files=layer("traefik", _TRAEFIK), cure=("'[web]'", "'ports: {}'"), says="is not YAML: it is not a mapping", platform=BUNDLED
    ),
    "tree/no-text": Planted(
        files=layer("web", WEB, CONFIG.replace("blue", "'${N}'"), spec="postBuild: {substitute: {N: '5'}}"),
        cure=("N: '5'", "N: five"),
        says="has the number 5 at data.color",
        platform=None,
    ),
    "longhorn/kubelet-root": Planted(
        files=_more("csi: {kubeletRootDir: /var/lib/rancher/k3s/agent/kubelet}"),
        cure=("/var/lib/rancher/k3s/agent/kubelet", "/var/lib/kubelet"),
        says="looks for the kubelet in /var/lib/rancher/k3s/agent/kubelet",
    ),
    "longhorn/kubelet-root-unsure": Planted(
        files=_more("csi: {kubeletRootDir: /data/kubelet}"), cure=("/data/kubelet", "''"), says="the kubelet in /data/kubelet"
    ),
    "longhorn/copies": Planted(
        files=_longhorn("defaultClassReplicaCount: 1", "defaultClassReplicaCount: two"), cure=("two", "2"), says="is 'two'"
    ),
    "longhorn/backup-credentials": Planted(
        files=_more("defaultBackupStore: {backupTarget: 's3://bucket@region/'}"),
        cure=("s3://bucket@region/", "nfs://192.0.2.1:/backup"),
        says="is s3://…, and no Secret with its credentials is named",
    ),
    "longhorn/backup-target": Planted(
        files=_more("defaultBackupStore: {backupTarget: 's3:bucket@region/'}"),
        cure=("s3:bucket@region/", "nfs://192.0.2.1:/backup"),
        says="is no URL that it knows",
    ),
    "longhorn/deletion-confirmed": Planted(
        files=_more("defaultSettings: {deletingConfirmationFlag: true}"), cure=(": true}, p", ": false}, p"), says="is confirmed"
    ),
    "longhorn/not-collected": Planted(
        files={**_more("networkPolicies: {enabled: true}, metrics: {serviceMonitor: {enabled: true}}"), **layer("web", WEB)},
        cure=("networkPolicies: {enabled: true}", "networkPolicies: {enabled: false}"),
        says="keep Prometheus from its metrics",
    ),
    "longhorn/no-such-metric": Planted(
        files={
            **LONGHORN,
            **_stack(_TAKE_RULES, obj("PrometheusRule", "web/volumes", _RULE, _OPERATOR)),
        },
        cure=("robustnes ==", "robustness =="),
        says="asks for longhorn_volume_robustnes, which Longhorn 1.9.0 does not have",
    ),
    "monitoring/always-firing": Planted(
        files=_stack("kubeProxy: {enabled: true}"),
        cure=("kubeProxy: {enabled: true}", _QUIET),
        says="the alert KubeProxyDown fires",
    ),
    "monitoring/fills-volume": Planted(files=_stack(_FULL), cure=("20GB", "8GB"), says="20GB does not fit into a volume of 10Gi"),
    "monitoring/notation": Planted(
        files=_stack(f"{_QUIET}, prometheus: {{prometheusSpec: {{retentionSize: 8Gi}}}}"), cure=("8Gi", "8GB"), says="is '8Gi'"
    ),
    "monitoring/not-selected": Planted(
        files=_stack(_QUIET, DEPLOYMENT, _LABELLED, obj("ServiceMonitor", "web/site", _MONITOR, _OPERATOR)),
        cure=(_QUIET, _TAKE_ALL),
        says="does not have the label release: kps",
    ),
    "monitoring/finds-nothing": Planted(
        files=_stack(_TAKE_ALL, DEPLOYMENT, SERVICE, obj("ServiceMonitor", "web/site", _MONITOR, _OPERATOR)),
        cure=(SERVICE, _LABELLED),
        says="looks for Services with app=site, and namespace web has none",
    ),
    "monitoring/no-such-port": Planted(
        files=_stack(
            _TAKE_ALL, DEPLOYMENT, _LABELLED, obj("ServiceMonitor", "web/site", _MONITOR.replace("http", "htp"), _OPERATOR)
        ),
        cure=("port: htp", "port: http"),
        says="collects from port htp, which the Services that it selects do not have",
    ),
    "releases/crds-not-upgraded": Planted(
        files=_stack(_QUIET, rest=", upgrade: {crds: Skip}"),
        cure=("crds: Skip", "crds: CreateReplace"),
        says="never upgrades the CRDs",
    ),
    "releases/short-timeout": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.0.0", ", timeout: 20s")),
        cure=("20s", "2m"),
        says="gives up after 20s",
    ),
    "releases/drift-exception": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.0.0", _DRIFT)),
        cure=("/spec/replica]", "/spec/replicas]"),
        says="excepts /spec/replica of kind Deployment, which has no such place",
    ),
    "versions/moving-chart": Planted(
        files=layer("web", WEB, _OCI, _FROM_OCI),
        cure=("url: oci://example.test/site", "url: oci://example.test/site, ref: {tag: 1.0.0}"),
        says="has no ref, and takes its chart from the tag latest",
    ),
    "ingress/pattern-in-prefix": Planted(
        files={**_NGINX, **layer("web", WEB, DEPLOYMENT, SERVICE, _PATTERN, spec="dependsOn: [{name: ingress}]")},
        cure=("pathType: Prefix", "pathType: ImplementationSpecific"),
        says="has the path /site(/|$)(.*) of type Prefix",
    ),
    "ingress/snippet": Planted(
        files={**_NGINX, **layer("web", WEB, DEPLOYMENT, SERVICE, _SNIPPED, spec="dependsOn: [{name: ingress}]")},
        cure=("annotations: {nginx.ingress.kubernetes.io/server-snippet: x}, ", ""),
        says="has server-snippet",
    ),
    "ingress/traefik-2-rule": Planted(
        files=layer("web", WEB, DEPLOYMENT, SERVICE, obj("IngressRoute", "web/site", _ROUTE, "traefik.io/v1alpha1")),
        cure=("Headers(", "Header("),
        says="uses Headers(`X-A`, `b`), which Traefik 3 does not know",
        platform=BUNDLED,
    ),
    "ingress/open-dashboard": Planted(
        files=layer("web", WEB, release("web/traefik", "traefik", "35.0.0", f", values: {{ingressRoute: {_DASHBOARD}}}")),
        cure=("[websecure]", "[traefik]"),
        says="shows Traefik's dashboard to everyone on websecure",
        platform=None,
    ),
    "exposure/open-ui": Planted(
        files=_more("ingress: {enabled: true, host: longhorn.test}"),
        cure=("enabled: true, host", "enabled: false, host"),
        says="lets everybody in at Longhorn's UI, by ingress.enabled",
    ),
    "exposure/open-page": Planted(
        files=_stack("prometheus: {service: {type: NodePort}}"),
        cure=("type: NodePort", "type: ClusterIP"),
        says="lets everybody in at Prometheus, by prometheus.service.type",
    ),
    "dns/hosts-twice": Planted(
        files=_names("home.override", _OWN_HOSTS),
        cure=(f"home.override: '{_OWN_HOSTS}'", "a.override: log"),
        says="k3s's own block",
    ),
    "dns/hosts-twice-unsure": Planted(
        files=_names("home.override", _OWN_HOSTS),
        cure=(f"home.override: '{_OWN_HOSTS}'", "a.override: log"),
        says="k3s's own block",
        platform=None,
    ),
    "dns/unread-key": Planted(
        files=_names("home.conf", "a.test { whoami }"), cure=("home.conf", "home.server"), says="home.conf in ConfigMap"
    ),
    "dns/zone-twice": Planted(
        files=_names("home.server", ". { whoami }"),
        cure=("'. {", "'a.test {"),
        says="has a second block for .:53, beside k3s's own",
    ),
}
