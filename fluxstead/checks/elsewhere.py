"""Rules that stand where their subject is read, planned or compared, listed for the registry."""

from __future__ import annotations

from fluxstead.checks.subject import Check, LooksAt
from fluxstead.core.findings import Severity

_DESCRIPTION: LooksAt = "the description"
_FILES: LooksAt = "the files on disk"

# id, what it protects from, an example of its message
_ERRORS = (
    ("accept/error", "U7", "`longhorn/too-few-nodes` is an error"),
    ("accept/unknown", "U7", "no check is called `longhorn/open-iu`"),
    ("applications/autoscaling-range", "U7", "minReplicas 5 is above maxReplicas 3"),
    ("applications/autoscaling-without-metrics", "U9", "`web-prod` scales by CPU, and metrics-server is switched off"),
    ("applications/autoscaling-without-request", "U9", "`web-prod` scales by CPU and requests none"),
    ("applications/bad-tag", "F4", "'1 2' is not a tag"),
    ("applications/budget", "U7", "the budget of `web-prod` has to say one of minAvailable and maxUnavailable"),
    ("applications/budget-blocks-drains", "F18", "the budget of `web-prod` lets none of its 2 pods go"),
    ("applications/long-name", "U7", "`…` has 70 characters"),
    ("applications/mutable-tag", "F23", "`web-prod` runs the tag latest"),
    ("applications/name-taken", "F8", "environment `prod` of `web` is the layer `web-prod`, which is already described at …"),
    ("applications/no-environment", "U7", "application `web` has no environment"),
    ("applications/no-image", "U7", "application `web` has neither an image nor a path"),
    ("applications/path-taken", "F8", "application `web` is to be reconciled from generated/web"),
    ("applications/peer", "U7", "a peer has to be one of cidr and namespace"),
    ("applications/plain-secret", "F22", "the variable API_TOKEN looks like a secret, and its value stands here in plain text"),
    ("applications/request-above-limit", "U7", "512Mi of memory requested, above the limit of 256Mi"),
    ("applications/reserved-namespace", "U7", "the namespace `kube-web` belongs to Kubernetes or Flux"),
    ("applications/route-without-port", "F21", "`web-prod` has a route, and `web` listens on no port"),
    ("applications/service-name", "U7", "no Service can be called `1web`"),
    ("applications/shared-volume", "F1", "`web-prod` has a volume and up to 2 pods"),
    ("applications/tag-in-image", "F23", "the image registry.example/web:1 carries a tag or a digest"),
    ("applications/two-forms", "U7", "application `web` has a path, and beside it image"),
    ("applications/two-sizes", "U9", "`web-prod` has replicas beside autoscaling"),
    ("description/missing", "U7", "`version` is missing"),
    ("description/no-cluster", "U12", "no stack is called 'k3s-flx'"),
    ("description/no-stack", "U7", "there is no description of a stack `k3s-fluxx`"),
    ("description/secret", "F22", "`fluxstead:monitoring` is encrypted"),
    ("description/type", "U7", "replicas: expected a whole number, found the text 'two'"),
    ("description/unknown-key", "F20", "unknown key `longhorn.datalocality`"),
    ("description/unread-node", "U12", "this is not read: machines are files nodes/<name>.yaml"),
    ("description/unreadable", "U7", "the file cannot be read: …"),
    ("description/value", "F4, F23, F24, U1", "version: '1.9.x' is not an exact version"),
    ("description/yaml", "F20", "the key `state` stands here a second time"),
    ("dns/cluster-domain", "U7", "web.cluster.local is inside the cluster's own domain, cluster.local"),
    ("dns/no-coredns", "U7", "there are records, and k3s's CoreDNS is disabled"),
    ("flux/directory", "F3", "the project lies in homelab of its Git repository, and its paths would begin in the root"),
    ("ingress/bundled-traefik", "F5", "`version` says nothing about the Traefik that k3s brings"),
    ("ingress/no-version", "F23", "ingress-nginx has no version"),
    ("ingress/one-port-twice", "F7", "HTTP and HTTPS both ask for node port 30080"),
    ("longhorn/chart-version", "F4", "Longhorn's charts carry no leading v: v1.9.0"),
    ("longhorn/default-disk", "F24", "Longhorn is told to make a default disk on every node"),
    ("longhorn/too-few-nodes", "F1", "3 replicas on different nodes, and 1 live node with disks to schedule on"),
    ("monitoring/chart-version", "F4", "the versions of kube-prometheus-stack carry no leading v: v75.6.0"),
    ("monitoring/plain-password", "F22", "Grafana's password stands in the description in plain text"),
    ("monitoring/retention-size", "F19", "retentionSize 20GB does not fit into a volume of 10Gi"),
    ("monitoring/unknown-version", "U5", "kube-prometheus-stack 60.0.0 is older than the versions that fluxstead knows"),
    ("nodes/address-outside", "U7", "10.0.0.1 is no address of a machine in 192.168.86.0/24"),
    ("nodes/address-twice", "U7", "k3s2 has the address of k3s1 (nodes/k3s1.yaml:3)"),
    ("nodes/disk-inside-disk", "F13", "/mnt/a/b lies on disk 'a' at /mnt/a"),
    ("nodes/disk-twice", "F13", "mountPath '/mnt/longhorn/sdf1' is already declared at nodes/k3s1.yaml:15"),
    ("nodes/no-server", "U7", "no live node is a server"),
    ("nodes/unusable-address", "U7", "no machine can be reached at 127.0.0.1"),
    ("order/cycle", "F2", "layers wait for each other: a → b → a"),
    ("order/dangling-dependency", "F2", "layer `monitoring` depends on `infrastructur`, which does not exist"),
    ("order/unmet-need", "U5", "layer `web` needs StorageClass longhorn-ssd, and nothing offers it"),
    ("tree/namespace-not-ours", "F27", "layer `ingress-nginx` would own the namespace kube-system"),
    ("tree/name-taken", "F8", "the layer `infrastructure` has the name of the group `infrastructure`"),
)
_WARNINGS = (
    ("applications/moving-tag", "F23", "the tag edge of `web-prod` sounds like one that moves"),
    ("accept/unused", "U7", "nothing is found that `longhorn/open-ui` would accept"),
    ("applications/budget-of-one", "F18", "`web-prod` has a budget and 1 pod"),
    ("dns/mdns", "U7", "k3s1.local: .local belongs to multicast DNS (RFC 6762)"),
    ("flux/begins-elsewhere", "F3", "Flux was bootstrapped into clusters/home at the repository's root, and its entry …"),
    ("ingress/retired", "F6", "ingress-nginx is retired since March 2026"),
    ("ingress/two-default-classes", "F5", "two ingress classes are the default: nginx, and traefik, which k3s brings"),
    ("longhorn/open-ui", "F21", "Longhorn's UI is open to everyone who reaches the ingress controller"),
    ("longhorn/untried-version", "F9", "Longhorn 1.13.0 is outside the lines that fluxstead knows, 1.5 to 1.12"),
    ("monitoring/default-password", "F21", "Grafana has the password that chart 75.6.0 gives to everyone: prom-operator"),
)
_OWNED = (
    ("tree/added", "U8", "a manifest that fluxstead did not write lies in the generated tree"),
    ("tree/deleted", "F3, U8", "deleted by hand: generated/home/apps.yaml"),
    ("tree/edited", "U8", "edited by hand: …"),
    ("tree/entry", "F27", "it is empty"),
    ("tree/in-the-way", "U8", "a symbolic link is where the tree has a file"),
    ("tree/record", "U8", "the record of generated files cannot be read"),
)
_DISK = (
    ("tree/locked", "U8", "the tree is held by process 4711 (./run render)"),
    ("tree/not-written", "U8", "it cannot be written: No space left on device; the tree is as it was before"),
    ("tree/unreadable", "U8", "it cannot be read: Permission denied"),
)

ELSEWHERE = (
    *(Check(id_, protects, Severity.ERROR, _DESCRIPTION, says) for id_, protects, says in _ERRORS),
    *(Check(id_, protects, Severity.WARNING, _DESCRIPTION, says) for id_, protects, says in _WARNINGS),
    *(Check(id_, protects, Severity.ERROR, _FILES, says) for id_, protects, says in _OWNED),
    Check(
        "tree/stale", "U8", Severity.WARNING, _FILES, "the tree is not what the description says: update generated/home/apps.yaml"
    ),
)

REFUSED_BY_THE_DISK = tuple(Check(id_, protects, Severity.ERROR, _FILES, says) for id_, protects, says in _DISK)
"""What takes more than a description to happen: another run, rights, a full disk."""
