"""The keys that k3s's configuration has, by command, as of v1.33: pkg/cli/cmds/{agent,server,log,config}.go of k3s-io/k3s."""

from __future__ import annotations


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


COMMON = _words(
    "config debug v vmodule log alsologtostderr token token-file server data-dir node-name with-node-id node-label node-taint",
    "image-credential-provider-bin-dir image-credential-provider-config selinux lb-server-port protect-kernel-defaults",
    "container-runtime-endpoint default-runtime image-service-endpoint disable-default-registry-endpoint nonroot-devices",
    "pause-image snapshotter private-registry airgap-extra-registry node-ip node-external-ip node-internal-dns",
    "node-external-dns resolv-conf flannel-iface flannel-conf flannel-cni-conf kubelet-arg kube-proxy-arg rootless",
    "prefer-bundled-bin docker vpn-auth vpn-auth-file enable-pprof bind-address",
)
AGENT = COMMON | {"disable-apiserver-lb"}
SERVER = COMMON | _words(
    "https-listen-port advertise-address advertise-port tls-san tls-san-security cluster-cidr service-cidr",
    "service-node-port-range cluster-dns cluster-domain flannel-backend flannel-ipv6-masq flannel-external-ip",
    "egress-selector-mode servicelb-namespace write-kubeconfig write-kubeconfig-mode write-kubeconfig-group helm-job-image",
    "agent-token agent-token-file cluster-init cluster-reset cluster-reset-restore-path kube-apiserver-arg etcd-arg",
    "kube-controller-manager-arg kube-scheduler-arg kube-cloud-controller-manager-arg kine-tls datastore-endpoint",
    "datastore-cafile datastore-certfile datastore-keyfile etcd-expose-metrics etcd-disable-snapshots etcd-snapshot-name",
    "etcd-snapshot-schedule-cron etcd-snapshot-retention etcd-snapshot-dir etcd-snapshot-compress",
    "etcd-snapshot-reconcile-interval etcd-s3 etcd-s3-endpoint etcd-s3-endpoint-ca etcd-s3-skip-ssl-verify",
    "etcd-s3-access-key etcd-s3-secret-key etcd-s3-session-token etcd-s3-bucket etcd-s3-bucket-lookup-type etcd-s3-region",
    "etcd-s3-folder etcd-s3-proxy etcd-s3-config-secret etcd-s3-insecure etcd-s3-retention etcd-s3-timeout",
    "default-local-storage-path disable disable-scheduler disable-cloud-controller disable-kube-proxy",
    "disable-network-policy disable-helm-controller disable-apiserver disable-controller-manager disable-etcd disable-agent",
    "embedded-registry supervisor-metrics system-default-registry secrets-encryption secrets-encryption-provider",
)
LISTS = _words(
    "node-label node-taint node-ip node-external-ip node-internal-dns node-external-dns kubelet-arg kube-proxy-arg tls-san",
    "cluster-cidr service-cidr cluster-dns kube-apiserver-arg etcd-arg kube-controller-manager-arg kube-scheduler-arg",
    "kube-cloud-controller-manager-arg disable airgap-extra-registry",
)
SHORT = {"c": "config", "t": "token", "s": "server", "d": "data-dir", "i": "node-ip", "l": "log", "o": "write-kubeconfig"}
