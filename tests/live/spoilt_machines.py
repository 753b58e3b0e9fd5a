"""What can be wrong with machines' clocks and certificates and with copies of etcd, beside what the catalogue of everything has."""

from __future__ import annotations

from tests.live.spoilt import Spoil, changed, more
from tests.live.world import etcd_snapshot, notice

OF_MACHINES: dict[str, tuple[Spoil, str, str]] = {
    "a clock that is ahead": (
        changed("leases", "k3s1", "spec", "renewTime", to="2026-11-28T00:07:00.000000Z"),
        "clock of k3s1",
        "is 0:07:00 ahead of the API's",
    ),
    "a clock that is behind, on a machine that is ready": (
        changed("leases", "k3s1", "spec", "renewTime", to="2026-11-27T23:58:00.000000Z"),
        "clock of k3s1",
        "is 120 s behind the API's",
    ),
    "certificates of k3s that end": (
        more(
            "events",
            notice(
                "k3s1",
                "CertificateExpirationWarning",
                "Node certificates require attention - restart k3s on this node to trigger automatic rotation: kubelet/"
                "serving-kubelet.crt: certificate CN=k3s1 will expire within 120 days at 2027-02-01T00:00:00Z",
                said="2026-11-27T23:55:00Z",
            ),
        ),
        "k3s certificates of k3s1",
        "kubelet/serving-kubelet.crt: certificate CN=k3s1 will expire within 120 days",
    ),
    "an authority of k3s that ends": (
        more(
            "events",
            notice(
                "k3s1",
                "CACertificateExpirationWarning",
                "Certificate Authority certificates require attention - check k3s documentation and begin planning rotation: "
                "certificate-authority/server-ca.crt: certificate CN=k3s-server-ca@1 will expire within 365 days at 2027-06-01",
                said="2026-11-27T23:55:00Z",
            ),
        ),
        "k3s authorities",
        "server-ca.crt",
    ),
    "a copy of etcd that did not reach its bucket": (
        more("etcdsnapshotfiles", etcd_snapshot("s3", "13", "failed to test for existence of bucket home: Access Denied.")),
        "copies of etcd in the bucket",
        "the newest, etcd-snapshot-k3s1-13, failed: failed to test for existence of bucket home: Access Denied.",
    ),
    "a copy of etcd that a server did not make": (
        more("etcdsnapshotfiles", etcd_snapshot("k3s1", "13", "no space left on device")),
        "copies of etcd on k3s1",
        "no space left on device",
    ),
}
