"""k3s in the description: what is refused says what to write instead, at its line."""

from __future__ import annotations

import pytest

from fluxstead.assembly import README
from fluxstead.core.findings import Finding
from tests.conftest import Project

STACK, AFTER = "Pulumi.k3s-flux.yaml", "    nodeCidr: 192.168.86.0/24\n"
DIGEST = "0123456789abcdef" * 4


def found(project: Project, *lines: str, stack: str = STACK) -> list[Finding]:
    """What is new with these lines."""
    before = {(one.id, one.what) for one in project.run().findings}
    project.replace(stack, AFTER, AFTER + "".join(f"    {line}\n" for line in lines))
    return [one for one in project.run().findings if (one.id, one.what) not in before]


@pytest.mark.parametrize(
    ("line", "id_", "says", "write"),
    [
        ("datastore: mysql", "description/value", "mysql", "sqlite or etcd"),
        (
            "apiAddress: https://k3s.home.arpa:6443",
            "description/value",
            "neither an IP address nor a host name",
            "without https://",
        ),
        ("tlsSan: [k3s_1]", "description/value", "k3s_1", "the address or the name alone"),
        (f"binaries: {{amd64: sha256:{DIGEST}}}", "description/value", "is not a SHA-256", DIGEST),
        (f"binaries: {{amd64: {DIGEST.upper()}}}", "description/value", "is not a SHA-256", DIGEST),
        ("binaries: {amd64: abc}", "description/value", "is not a SHA-256", "64 digits"),
        ("binaries: {}", "description/value", "there is no digest", "--lock"),
        (f"binaries: {{armhf: {DIGEST}}}", "description/unknown-key", "armhf", "arm"),
        ("binariesFrom: http://mirror.home.arpa/k3s", "description/value", "is not HTTPS", "https://mirror.home.arpa/k3s"),
        ("binariesFrom: file:///srv/k3s", "description/value", "is not HTTPS", "an https URL, or a folder"),
        ("binariesFrom: /srv/k3s", "description/value", "a folder of one machine", "from the project's"),
        ("binariesFrom: https://me:secret@mirror.home.arpa/k3s", "description/value", "not the URL of a folder", "without login"),
        ("registryMirrors: {https://docker.io: [https://a.example]}", "description/value", "is not a registry", "docker.io"),
        ("registryMirrors: {docker.io: [a.example]}", "description/value", "is not the URL of a mirror", "https://"),
        ("registryMirrors: {docker.io: ['https://u:p@a.example']}", "description/value", "a login in it", "without the login"),
        ("registryMirrors: {docker.io: ['https://[::1']}", "description/value", "is not the URL of a mirror", "https://"),
        ("registryMirrors: {docker.io: []}", "description/value", "there is no mirror", "https://"),
        ("etcdSnapshots: {schedule: 6h}", "description/value", "is not a schedule", "15 2 * * *"),
        ("etcdSnapshots: {s3: {bucket: home}}", "description/unknown-key", "s3", "s3ConfigSecret: NAME"),
        ("etcdSnapshots: {s3ConfigSecret: Etcd_S3}", "description/value", "Etcd_S3", "etcd-s3"),
        ("stateBackups: {}", "description/unknown-key", "stateBackups", "sqliteBackups; or etcdSnapshots"),
        ("sqliteBackups: {schedule: 0 0 30 2 *}", "description/value", "never comes", "15 2 * * *"),
        ("sqliteBackups: {schedule: '@every 6h'}", "description/value", "no time of a day", "15 2 * * *"),
        ("sqliteBackups: {retention: 0}", "description/value", "0", ""),
        ("sqliteBackups: {directory: mnt/nas}", "description/value", "not a folder of the server's", "/mnt/nas/k3s"),
        ("sqliteBackups: {directory: /mnt/../etc}", "description/value", "not a folder of the server's", "/mnt/nas/k3s"),
        ("sqliteBackups: {directory: '/mnt/a b'}", "description/value", "not a folder of the server's", "/mnt/nas/k3s"),
        ("sqliteBackups: {path: /mnt/nas}", "description/unknown-key", "path", "directory"),
        ("sqliteBackups: {recipients: [age1x]}", "description/unknown-key", "recipients", "people"),
        ("sqliteBackups: {s3: {}}", "description/missing", "s3.bucket", "bucket"),
        ("sqliteBackups: {s3: {bucket: s3://home}}", "description/value", "not the name of a bucket", "the name alone"),
        ("sqliteBackups: {s3: {bucket: home, folder: ../x}}", "description/value", "not a folder in a bucket", "home/k3s"),
        ("sqliteBackups: {s3: {bucket: home, endpoint: s3.home.arpa}}", "description/value", "not the URL of a store", "https://"),
        ("sqliteBackups: {s3: {bucket: home, endpoint: 'http://s3.home.arpa'}}", "description/value", "not the URL", "https://"),
        (
            "sqliteBackups: {s3: {bucket: home, endpoint: 'https://me:pw@s3.home.arpa'}}",
            "description/value",
            "not the URL",
            "a login",
        ),
        ("etcdSnapshots: {retention: 0}", "description/value", "0", ""),
        ("config: {kubelet-args: [a=b]}", "k3s/unknown-key", "has no key kubelet-args", "kubelet-arg"),
        ("config: {kubelet-arg+: [a=b]}", "k3s/unknown-key", "kubelet-arg+", "kubelet-arg"),
        ("config: {helm-controller-arg: [a=b]}", "k3s/unknown-key", "(1.34.10 is the first that has it)", ""),
        ("clusterCidr: 10.52.0.0/16", "description/unknown-key", "clusterCidr", "podCidr"),
        ("config: {token: abc}", "k3s/own-key", "config.token", "./run secrets"),
        ("config: {disable-etcd: true}", "k3s/own-key", "config.disable-etcd", "every server would be without it"),
        ("config: {advertise-address: 192.168.86.9}", "k3s/own-key", "advertise-address", "address in the machine's file"),
        ("config: {cluster-cidr: 10.52.0.0/16}", "k3s/own-key", "cluster-cidr", "podCidr"),
        ("config: {flannel-ipv6-masq: 'yes'}", "k3s/key-type", "expected true or false, found the text 'yes'", "true or false"),
        ("config: {kubelet-arg: [[a]]}", "k3s/key-type", "a list with a list", "each value a text"),
        ("config: {kubelet-arg: [5]}", "k3s/key-type", "a list with the number 5 in it", "each value a text"),
        ("config: {kubelet-arg: []}", "k3s/key-type", "an empty list", "each value a text"),
        ("config: {write-kubeconfig-mode: 600}", "k3s/key-type", "expected a text, found the number 600", "in quotes"),
        ("config: {advertise-port: '6443'}", "k3s/key-type", "expected a whole number", "a whole number"),
        ("config: {advertise-port: null}", "k3s/key-type", "found nothing", "a whole number"),
        ('config: {kubelet-arg: ["a=b\\nnode-name: c"]}', "k3s/key-type", "in more than one line", "each value a text"),
        ('config: {vmodule: "a\\u0007"}', "k3s/key-type", "characters that are not shown", "in quotes"),
        ("config: {vmodule: ''}", "k3s/key-type", "an empty text", "in quotes"),
        ("config: {lb-server-port: true}", "k3s/key-type", "found true", "a whole number"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(reference: Project, line: str, id_: str, says: str, write: str) -> None:
    [finding] = found(reference, line)
    assert (finding.id, says in finding.what, write in finding.fix) == (id_, True, True), finding.text()
    assert line.partition(":")[0] in (reference.root / finding.source.file).read_text().splitlines()[finding.source.line - 1]


@pytest.mark.parametrize(
    "line",
    [
        "apiAddress: fd00:86::71",
        "tlsSan: [k3s1.local, 192.168.86.70]",
        f"binaries: {{amd64: {DIGEST}}}",
        "binariesFrom: ../k3s",
        "binariesFrom: https://mirror.home.arpa/k3s/",
        "binariesFrom: http://127.0.0.1:8080",
        "registryMirrors: {'*': [http://192.168.86.5:5000], 'registry.home.arpa:5000': [https://a.example/v2]}",
        "secretsEncryption: true",
        "config: {kubelet-arg: max-pods=200, flannel-backend: host-gw, node-external-dns: [a.example], debug: true}",
    ],
)
def test_what_is_right_changes_nothing_of_the_tree(reference: Project, line: str) -> None:
    before = reference.run().assembled
    # What k3s begins with is needed once it is installed.
    assert {one.id for one in found(reference, line)} <= {"secrets/missing"}
    after = reference.run().assembled
    assert before is not None
    assert after is not None
    assert {**before.files, README: ""} == {**after.files, README: ""}


def test_servers(example: Project) -> None:
    """Three are right with etcd; of a leaving one, two stay."""
    assert not [one for one in example.run().findings if one.id.startswith("k3s/")]
    example.replace("nodes/gamma.yaml", "state: live", "state: leaving")
    [warning] = [one for one in example.run().findings if one.id.startswith("k3s/")]
    assert (warning.id, warning.fix) == ("k3s/even-servers", "3 servers, or 1")
    example.replace("Pulumi.edge.yaml", "datastore: etcd", "datastore: sqlite")
    [error] = [one for one in example.run().findings if one.id.startswith("k3s/")]
    assert (error.id, error.source.line) == ("k3s/one-server-only", 12)


def test_an_agent_does_not_rejoin(example: Project) -> None:
    """A server does."""
    example.replace("nodes/beta.yaml", "role: server", "role: server\nrejoin: true")
    assert not [one for one in example.run().findings if one.source.file == "nodes/beta.yaml"]
    example.replace("nodes/delta.yaml", "role: agent", "role: agent\nrejoin: true")
    [finding] = [one for one in example.run().findings if one.source.file == "nodes/delta.yaml"]
    assert finding.fix == "no rejoin"


def test_what_systems_ask_of_k3s_is_there_for_the_machines(example: Project) -> None:
    """Only where fluxstead writes its configuration."""
    assembled = example.run().assembled
    assert assembled is not None
    assert assembled.host_settings == ()
    example.replace("Pulumi.edge.yaml", "    datastore: etcd\n", f"    datastore: etcd\n    binaries: {{amd64: {DIGEST}}}\n")
    assembled = example.run().assembled
    assert assembled is not None
    [setting] = assembled.host_settings
    assert (setting.key, setting.value, setting.source.file) == ("etcd-expose-metrics", True, "Pulumi.edge.yaml")


def test_a_planned_machine_needs_its_binary_as_well(reference: Project) -> None:
    """It is what the next `pulumi up` installs."""
    reference.replace("nodes/k3s2.yaml", "role: agent", "role: agent\narchitecture: arm")
    new = found(reference, f"binaries: {{amd64: {DIGEST}, arm64: {DIGEST}}}")
    assert "k3s2 is arm, and there is no digest for arm" in [one.what for one in new if one.id == "k3s/no-binary"]
