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

_NFS = "    backupTarget:\n      url: nfs://10.20.0.5:/export/longhorn\n"


def _backed_up(how: str) -> tuple[str, str]:
    return "        mountPath: /data\n", f"        mountPath: /data\n        backup: {how}\n"


def _old(policy: str, version: str, *, beside: str = "") -> Mistake:
    more = f"    version: {version}\n    backups:\n      daily: {{cron: 0 3 * * *, retain: 7}}\n      {policy}"
    return edge("longhorn/policy-release", policy, ("    version: 1.12.1", more), beside=beside)


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
    reference(
        "longhorn/failing-jobs", "version: 1.9.0", (STACK, "version: 1.9.2", "version: 1.9.0"), beside="versions/known-defect"
    ),
    edge("longhorn/no-backups", "{only: [weekly-trim]}", _backed_up("{only: [weekly-trim]}")),
    edge("longhorn/no-backups", "fluxstead:longhorn", (_NFS, "")),
    edge(
        "longhorn/nowhere-to-go",
        "nightly",
        (_NFS, "    backups:\n      nightly: {cron: 0 3 * * *, retain: 7}\n"),
        beside="longhorn/no-backups",
    ),
    _old("weekly: {task: system-backup, cron: 0 3 * * 0, retain: 7}", "1.8.2"),
    _old("weekly: {cron: 0 3 * * 0, retain: 7, fullBackupInterval: 7}", "1.6.4", beside="versions/known-defect"),
    edge(
        "longhorn/policy-release",
        "backupTargets",
        ("    version: 1.12.1", "    version: 1.7.3\n    backupTargets:\n      second: {url: nfs://10.20.0.6:/more}"),
    ),
    edge("longhorn/running-database", "volume", ("image: registry.example.test/wiki", "image: registry.example.test/postgres")),
    edge(
        "longhorn/same-store",
        "nfs://10.20.0.5:/Export",
        (_NFS, f"{_NFS}    backupTargets: {{nas: {{url: nfs://10.20.0.5:/Export/longhorn/}}}}\n"),
    ),
    edge("longhorn/backup-credentials", "s3://more@a/", (_NFS, f"{_NFS}    backupTargets: {{more: {{url: s3://more@a/}}}}\n")),
    edge(
        "longhorn/policy-release",
        "recurringJobMaxRetention",
        ("ui: null", "ui: null\n    values: {defaultSettings: {recurringJobMaxRetention: 10}}"),
    ),
    edge("longhorn/unknown-policy", "[weekly-system]", _backed_up("[weekly-system]")),
    edge("longhorn/unknown-target", "backupsTo: secnd", (_NFS, f"{_NFS}    backupsTo: secnd\n")),
    edge("longhorn/unknown-policy", "[hourly]", _backed_up("[hourly]"), beside=""),
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
