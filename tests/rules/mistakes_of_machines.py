"""Mistakes for the rules about machines, and about strings with a grammar of their own."""

from __future__ import annotations

from tests.rules.mistakes import K1, STACK, Mistake, edge, reference


def _k1(id_: str, at: str, old: str, new: str, *, beside: str = "") -> Mistake:
    return reference(id_, at, (K1, old, new), beside=beside)


K2 = "nodes/k3s2.yaml"
_LABEL = "  storage: longhorn\n"
_FIRST = "    device: /dev/sdf\n"
_SERIAL = f"{_FIRST}    serial: S1\n"
_CREDENTIAL = "      credentialSecret: longhorn-backup # our choice of name; a SOPS secret\n"
_TAINTED = "  - {key: gpu, effect: PreferNoSchedule}\n"

OF_MACHINES = (
    _k1("nodes/reserved-label", "hostname", _LABEL, f"{_LABEL}  kubernetes.io/hostname: other\n"),
    _k1("nodes/kubelet-label", "arch", _LABEL, f"{_LABEL}  kubernetes.io/arch: amd64\n"),
    _k1("nodes/taint-twice", "gpu", "labels:\n", f"taints:\n{_TAINTED}{_TAINTED}labels:\n"),
    _k1(
        "nodes/controllers-taint",
        "not-ready",
        "labels:\n",
        "taints: [{key: node.kubernetes.io/not-ready, effect: PreferNoSchedule}]\nlabels:\n",
    ),
    edge(
        "tree/route-without-controller",
        "route",
        ("  fluxstead:ingress:\n    controller: traefik\n    httpPort: 31080\n    httpsPort: 31443\n", ""),
    ),
    edge("applications/bad-image", "/Wiki", ("test/wiki\n", "test/Wiki\n")),
    edge("applications/mounted-twice", "mountPath", ("mountPath: /data", "mountPath: /tmp")),
    reference("dns/another-address", "k3s1.local", (STACK, "k3s1.local: 192.168.86.71", "k3s1.local: 192.168.86.99")),
    reference("longhorn/backup-credentials", "url:", (STACK, _CREDENTIAL, ""), beside="secrets/accepted-in-vain"),
    _k1("nodes/dialled-twice", "address: 192.168.86.72", "role: server", "role: server\nssh: {address: 192.168.86.72}"),
    reference("nodes/disk-in-two-machines", "serial: S1", (K1, _FIRST, _SERIAL), (K2, _FIRST, _SERIAL)),
    Mistake(
        id="nodes/address-in-two-clusters",
        base="k3s-flux",
        edits=(("Pulumi.other.yaml", "", "config: {}\n"), ("nodes/other.yaml", "", "cluster: other\naddress: 192.168.86.71\n")),
        at="address",
        beside=frozenset(),
    ),
    reference("longhorn/never-drained", "replicas: 1", (STACK, "replicas: 2", "replicas: 1")),
)
