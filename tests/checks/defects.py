"""The planted defects, by the id of the check that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from tests.checks.defects_of_moves import OF_MOVES
from tests.checks.defects_of_objects import OF_OBJECTS
from tests.checks.defects_of_pods import OF_MACHINES, OF_PODS
from tests.checks.defects_of_secrets import DECRYPTS, ENCRYPTED, OF_SECRETS
from tests.checks.defects_of_trees import OF_TREES
from tests.checks.defects_of_values import OF_VALUES
from tests.checks.planted import (
    CONFIG,
    DEPLOYMENT,
    HOME,
    KEEP,
    PLACES,
    SERVICE,
    SOURCE,
    STORAGE,
    WEB,
    Planted,
    claim,
    disk,
    disk_node,
    ingress,
    kept,
    layer,
    machine,
    obj,
    release,
    storage,
    storage_class,
)

_ELSEWHERE = CONFIG.replace("namespace: web", "namespace: default")
_ISSUER = obj("ClusterIssuer", "ca", "spec: {selfSigned: {}}", "cert-manager.io/v1")
_CERT_MANAGER = (obj("Namespace", "cert-manager"), release("cert-manager/cert-manager", "cert-manager", "1.20.3"))
_CERTIFICATE = "spec: {secretName: site-tls, dnsNames: [site.example], issuerRef: {kind: ClusterIssuer, name: ca}}"
_HPA = "spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: sit}}"
_NODE_PORT = "spec: {type: NodePort, selector: {app: site}, ports: [{port: 80, nodePort: 30080}]}"
_A, _B = disk("a", "/mnt/a"), disk("b", "/mnt/b")
_IMAGE = "image: 'example.test/site:1.0.0'"
_COLOR = "{name: COLOR, valueFrom: {secretKeyRef: {name: setings, key: color}}}"
_POLICY = "networking.k8s.io/v1"

_GOTK = "clusters/home/flux-system/gotk-components.yaml"
_NAMED_BY_LABEL = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: flux-system\n  labels:\n    app.kubernetes.io/version: "

DEFECTS: Mapping[str, Planted] = {
    **OF_MOVES,
    **OF_OBJECTS,
    **OF_TREES,
    **OF_PODS,
    **OF_SECRETS,
    **OF_VALUES,
    "flux/version": Planted(
        files={_GOTK: f"{_NAMED_BY_LABEL}v2.5.0\n"},
        cure=("v2.5.0", f"v{HOME.flux}"),
        says=f"{_GOTK} installs Flux v2.5.0",
        more={"places": PLACES},
    ),
    "references/missing-file": Planted(
        files={**layer("web", WEB), "web/kustomization.yaml": "resources: [objects.yaml, servce.yaml]\n"},
        cure=(", servce.yaml", ""),
        says="web/servce.yaml is not in the repository",
    ),
    "references/not-yaml": Planted(
        files=layer("web", WEB + "\tx: 1\n"), cure=("\tx: 1\n", ""), says="web/objects.yaml is not YAML"
    ),
    "references/missing-path": Planted(
        files={"site/objects.yaml": WEB, "clusters/home/web.yaml": layer("webb")["clusters/home/webb.yaml"]},
        cure=("./webb", "./site"),
        says="reconciles webb, which is not in the repository",
    ),
    "references/dangling-dependency": Planted(
        files={**layer("infrastructure", WEB), **layer("monitoring", _ELSEWHERE, spec="dependsOn: [{name: infrastructur}]")},
        cure=("infrastructur}", "infrastructure}"),
        says="depends on flux-system/infrastructur, which does not exist",
    ),
    "references/missing-source": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.0.0").replace("name: site}}", "name: sit}}")),
        cure=("name: sit}}", "name: site}}"),
        says="takes its content from HelmRepository web/sit",
    ),
    "references/missing-service": Planted(
        files=layer("web", WEB, DEPLOYMENT, SERVICE, ingress("web/site", "a.test", "sit")),
        cure=("name: sit,", "name: site,"),
        says="sends requests to Service sit",
    ),
    "references/missing-port": Planted(
        files=layer("web", WEB, DEPLOYMENT, SERVICE, ingress("web/site", "a.test", port=81)),
        cure=("number: 81", "number: 80"),
        says="to port 81 of Service site",
    ),
    "references/no-target": Planted(
        files=layer("web", WEB, DEPLOYMENT, obj("HorizontalPodAutoscaler", "web/site", _HPA, "autoscaling/v2")),
        cure=("name: sit}", "name: site}"),
        says="scales Deployment sit",
    ),
    "references/selects-nothing": Planted(
        files=layer("web", WEB, DEPLOYMENT, SERVICE.replace("app: site", "app: sit")),
        cure=("{app: sit}", "{app: site}"),
        says="no pod in its namespace has",
    ),
    "references/policy-selects-nothing": Planted(
        files=layer(
            "web", WEB, DEPLOYMENT, obj("NetworkPolicy", "web/site", "spec: {podSelector: {matchLabels: {app: sit}}}", _POLICY)
        ),
        cure=("{app: sit}", "{app: site}"),
        says="guards pods with app=sit",
    ),
    "references/not-its-own-pods": Planted(
        files=layer("web", WEB, DEPLOYMENT.replace("matchLabels: {app: site}", "matchLabels: {app: sit}")),
        cure=("{app: sit}", "{app: site}"),
        says="selects pods with app=sit, which its template does not have",
    ),
    "references/missing-config-map": Planted(
        files=layer("web", WEB, CONFIG, DEPLOYMENT.replace(_IMAGE, f"{_IMAGE}, envFrom: [{{configMapRef: {{name: setings}}}}]")),
        cure=("name: setings}", "name: settings}"),
        says="takes its configuration from ConfigMap web/setings",
    ),
    "references/missing-secret": Planted(
        files=layer("web", WEB, ENCRYPTED, DEPLOYMENT.replace(_IMAGE, f"{_IMAGE}, env: [{_COLOR}]"), spec=DECRYPTS),
        cure=("name: setings,", "name: settings,"),
        says="needs Secret web/setings",
    ),
    "tree/two-owners": Planted(
        files={**layer("infrastructure", WEB, CONFIG), **layer("monitoring", CONFIG, spec="dependsOn: [{name: infrastructure}]")},
        cure=(f"---\n{CONFIG}", ""),
        says="ConfigMap web/settings in monitoring/objects.yaml is already in infrastructure/objects.yaml",
    ),
    "ownership/two-releases": Planted(
        files=layer(
            "monitoring",
            WEB,
            release("web/prometheus-operator", "kube-prometheus-stack", "75.6.0"),
            release("web/kps", "kube-prometheus-stack", "75.6.0").partition("---")[0],
        ),
        cure=("name: kps}\nspec: {chart: {spec: {chart: kube-prometheus-stack", "name: kps}\nspec: {chart: {spec: {chart: other"),
        says="the chart kube-prometheus-stack, which a cluster can have only once",
    ),
    "ownership/same-route": Planted(
        files=layer("web", WEB, DEPLOYMENT, SERVICE, ingress("web/one", "dev.test"), ingress("web/two", "dev.test")),
        cure=("name: two}\nspec: {rules: [{host: dev.test", "name: two}\nspec: {rules: [{host: prod.test"),
        says="both answer dev.test/",
    ),
    "ownership/node-port-range": Planted(
        files=layer("web", WEB, DEPLOYMENT, obj("Service", "web/site", _NODE_PORT.replace("30080", "8080"))),
        cure=("nodePort: 8080", "nodePort: 30080"),
        says="asks for node port 8080",
    ),
    "ownership/port-twice": Planted(
        files=layer("web", WEB, DEPLOYMENT, obj("Service", "web/a", _NODE_PORT), obj("Service", "web/b", _NODE_PORT)),
        cure=("name: b}\n" + _NODE_PORT, "name: b}\n" + _NODE_PORT.replace("30080", "30081")),
        says="asks for port 30080 of the nodes",
    ),
    "ownership/two-defaults": Planted(
        files=storage(
            obj("StorageClass", "other", "provisioner: example.test", STORAGE).replace(
                "name: other", "name: other, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}"
            )
        ),
        cure=("class: 'true'", "class: 'false'"),
        says="2 default StorageClass objects: longhorn, other",
    ),
    "coldstart/deadlock": Planted(
        files={**layer("a", WEB, spec="dependsOn: [{name: b}]"), **layer("b", CONFIG, spec="dependsOn: [{name: a}]")},
        cure=("  dependsOn: [{name: b}]\n", ""),
        says="wait for each other: a → b → a",
    ),
    "coldstart/never": Planted(
        files=layer("web", CONFIG), cure=("namespace: web", "namespace: default"), says="needs Namespace web, and nothing"
    ),
    "coldstart/stuck": Planted(
        files=layer("issuer", *_CERT_MANAGER, _ISSUER),
        cure=(f"---\n{_ISSUER}", ""),
        says="brings from the same Kustomization",
    ),
    "coldstart/too-early": Planted(
        files={
            **storage(disk_node(_A)),
            **layer("monitoring", kept(WEB), claim("1Gi"), spec="dependsOn: [{name: longhorn}] # early"),
        },
        cure=("[{name: longhorn}] # early", "[{name: storage}]"),
        says="needs StorageClass longhorn, which Node.longhorn.io longhorn-system/k3s1",
    ),
    "coldstart/retried": Planted(
        files={**layer("certs", *_CERT_MANAGER), **layer("issuer", _ISSUER)},
        cure=("path: ./issuer\n", "path: ./issuer\n  dependsOn: [{name: certs}]\n"),
        says="does not depend on flux-system/certs",
        platform=None,
    ),
    "coldstart/from-outside": Planted(
        files=layer("issuer", *_CERT_MANAGER, _ISSUER),
        cure=(f"---\n{_ISSUER}", ""),
        says="from the same Kustomization",
        platform=None,
    ),
    "certificates/one-secret-twice": Planted(
        files={
            **layer("certs", *_CERT_MANAGER),
            **layer(
                "web",
                WEB,
                _ISSUER,
                obj("Certificate", "web/a", _CERTIFICATE, "cert-manager.io/v1"),
                obj("Certificate", "web/b", _CERTIFICATE.replace("site.example", "b.example"), "cert-manager.io/v1"),
                spec="dependsOn: [{name: certs}]",
            ),
        },
        cure=("{secretName: site-tls, dnsNames: [b.example]", "{secretName: b-tls, dnsNames: [b.example]"),
        says="both write Secret web/site-tls",
    ),
    "tree/schema": Planted(
        files=layer("web", WEB, CONFIG.replace("data: {color: blue}", "data: {color: 3}")),
        cure=("color: 3", "color: blue"),
        says="web/objects.yaml: data.color",
    ),
    "tree/chart-value": Planted(
        files=layer(
            "longhorn",
            kept(obj("Namespace", "longhorn-system")),
            kept(
                release("longhorn-system/longhorn", "longhorn", "1.9.0", ", values: {defaultSettings: {defaultDiskSelector: hdd}}")
            ),
        ),
        cure=("{defaultDiskSelector: hdd}", "{defaultReplicaCount: 2}"),
        says="has no value `defaultSettings.defaultDiskSelector`",
    ),
    "tree/chart-value-unsure": Planted(
        files=layer("web", WEB, release("web/cm", "cert-manager", "1.21.1", ", values: {zebra: 1}")),
        cure=("{zebra: 1}", "{replicaCount: 1}"),
        says="has no value `zebra`",
    ),
    "versions/range": Planted(
        files=layer("web", WEB, release("web/site", "site", "'>=55.0.0'")),
        cure=("'>=55.0.0'", "55.5.0"),
        says="version `>=55.0.0` of chart site",
    ),
    "versions/source-type": Planted(
        files=layer(
            "web", WEB, obj("HelmRepository", "web/a", "spec: {interval: 1h, type: oci, url: https://charts.longhorn.io}", SOURCE)
        ),
        cure=(", type: oci", ""),
        says="has type oci, but its URL is https://charts.longhorn.io",
    ),
    "versions/moving-image": Planted(
        files=layer("web", WEB, DEPLOYMENT.replace("site:1.0.0", "site:latest")),
        cure=(":latest", ":1.0.0"),
        says="runs example.test/site:latest",
    ),
    "versions/deprecated-api": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.0.0").replace("fluxcd.io/v2\n", "fluxcd.io/v2beta1\n")),
        cure=("v2beta1", "v2"),
        says="which Flux 2.7 no longer serves",
        platform=None,
    ),
    "versions/compatibility": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="is tested with Kubernetes 1.31 to 1.33",
        platform=Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.36.3+k3s1")),
        more={"places": PLACES},
    ),
    "releases/timeout": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.0.0", ", install: {timeout: 20m}"), spec="timeout: 5m"),
        cure=("timeout: 5m", "timeout: 21m"),
        says="Kustomization flux-system/web waits 5m for HelmRelease web/site, which may take 20m",
    ),
    "storage/disk-uuid": Planted(
        files=storage(disk_node(disk("a", "/mnt/a", rest="allowScheduling: true, diskUUID: 0a1b"))),
        cure=(", diskUUID: 0a1b", ""),
        says="sets diskUUID",
        platform=None,  # with a description, the schema of its Longhorn says so as well
    ),
    "storage/reserved": Planted(
        files=storage(disk_node(disk("a", "/mnt/a", rest="allowScheduling: true, storageReserved: 50"))),
        cure=("storageReserved: 50", "storageReserved: 53687091200"),
        says="reserves 50 bytes of disk a",
    ),
    "storage/path-twice": Planted(
        files=storage(disk_node(f"{_A}, {disk('b', '/mnt/a/')}")), cure=("/mnt/a/", "/mnt/b"), says="at one path, /mnt/a"
    ),
    "storage/outside-mount": Planted(
        files=storage(disk_node(disk("a", "/var/lib/longhorn"))),
        cure=("/var/lib/longhorn", "/mnt/a"),
        says="where k3s1 declares none",
        nodes=[machine()],
    ),
    "storage/tags": Planted(
        files={
            **storage(disk_node(_A), storage_class("fast", "nvme")),
            **layer("web", kept(WEB), claim("1Gi", "fast"), spec="dependsOn: [{name: storage}]"),
        },
        cure=("diskSelector: nvme", "diskSelector: hdd"),
        says="no nodes with such disks take replicas",
    ),
    "storage/tags-unused": Planted(
        files=storage(disk_node(_A), storage_class("fast", "nvme")),
        cure=("diskSelector: nvme", "diskSelector: hdd"),
        says="no nodes with such disks",
    ),
    "storage/prunable": Planted(
        files={
            **storage(disk_node(_A)),
            **layer("web", kept(WEB), claim("1Gi").replace(f"annotations: {KEEP}, ", ""), spec="dependsOn: [{name: storage}]"),
        },
        cure=("metadata: {namespace: web, name: data}", f"metadata: {{namespace: web, name: data, annotations: {KEEP}}}"),
        says="PersistentVolumeClaim web/data (web/objects.yaml) holds data",
    ),
    "storage/remediation": Planted(
        files=layer(
            "longhorn",
            kept(obj("Namespace", "longhorn-system")),
            kept(release("longhorn-system/longhorn", "longhorn", "1.9.0", ", upgrade: {remediation: {retries: 3}}")),
        ),
        cure=("retries: 3", "retries: 0"),
        says="lets Helm rollback Longhorn when upgrade fails",
    ),
    "storage/capacity": Planted(
        files={**storage(disk_node(_A)), **layer("web", kept(WEB), claim("81Gi"), spec="dependsOn: [{name: storage}]")},
        cure=("81Gi", "80Gi"),
        says="1 disk has 100Gi - 20Gi reserved = 80Gi",
        nodes=[machine()],
    ),
    "storage/copies": Planted(
        files=storage(disk_node(_A), storage_class("one", "hdd").replace("'1'", "'one'")),
        cure=("'one'", "'1'"),
        says="makes 'one' copies of each volume",
    ),
    "substitution/undefined": Planted(
        files=layer("web", WEB, CONFIG.replace("blue", "'${HOME}/x'"), spec="postBuild: {substitute: {COLOR: blue}}"),
        cure=("'${HOME}/x'", "'$${HOME}/x'"),
        says="holds ${HOME}",
    ),
    "network/overlap": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="share addresses",
        more={"networks": {"nodeCidr": [ip_network("10.0.0.0/8")], "podCidr": [ip_network("10.42.0.0/16")]}, "places": PLACES},
    ),
    "network/node-inside": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="which lies in podCidr",
        more={"networks": {"podCidr": [ip_network("192.168.0.0/16")]}, "places": PLACES},
        nodes=[machine()],
    ),
}
"""Networks and versions are the description's: no change to the files cures those three, and their own tests show it."""

OF_THE_DESCRIPTION = frozenset(
    {
        *("moves/unread", "moves/network", "moves/role", "moves/flux-stored-versions", "moves/first-start", "moves/joins-first"),
        "longhorn/not-yet-tolerated",
        "moves/secret",
        *OF_MACHINES,
        *("versions/compatibility", "network/overlap", "network/node-inside"),
    }
)
