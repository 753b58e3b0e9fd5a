"""Copies of the cluster's own state as a tree, as k3s's configuration, and as what a server is told."""

from __future__ import annotations

import json

import pytest

from fluxstead.description.load import load
from fluxstead.description.operator_secrets import operator_secrets
from fluxstead.description.state_copies import state_copies
from tests.conftest import Project

EDGE, STACK = "Pulumi.edge.yaml", "Pulumi.k3s-flux.yaml"
DIGEST = f"binaries: {{amd64: {'0123456789abcdef' * 4}}}"
AGE = "age10k68qulqgk4cpwvkhwe6djtt70n9exzw3ly8fm8etphqrvzp6uuqsx6fzg"
SNAPSHOTS = "etcdSnapshots: {schedule: 0 */6 * * *, s3ConfigSecret: etcd-s3}"


def _with(project: Project, stack: str, *lines: str) -> Project:
    after = {EDGE: "    nodeCidr: 10.20.0.0/24\n", STACK: "    nodeCidr: 192.168.86.0/24\n"}[stack]
    project.replace(stack, after, after + "".join(f"    {line}\n" for line in lines))
    return project


def test_etcds_copies_go_to_s3_by_a_secret_of_k3ss_own_type_and_two_keys(example: Project) -> None:
    """Any further key of S3's, and k3s would not look into the Secret."""
    assembled = _with(example, EDGE, SNAPSHOTS, DIGEST).run().assembled
    assert assembled is not None
    [need] = [one for one in assembled.secrets.needs if one.name == "etcd-s3"]
    assert (need.namespace, need.layer, need.type) == ("kube-system", "etcd-snapshots", "etcd.k3s.cattle.io/s3-config-secret")
    assert [key.name for key in need.keys if not key.optional] == ["etcd-s3-bucket", "etcd-s3-access-key", "etcd-s3-secret-key"]
    for told in assembled.k3s.values():
        s3 = {key: value for key, value in told["config"].items() if key.startswith("etcd-s3")}
        assert s3 == ({"etcd-s3": True, "etcd-s3-config-secret": "etcd-s3"} if told["role"] == "server" else {})
    files = assembled.files
    assert "kube-system" not in files["infrastructure/etcd-snapshots.yaml"]
    assert "secrets/edge/etcd-snapshots" in files["infrastructure/etcd-snapshots/kustomization.yaml"]
    assert "decryption" in files["infrastructure/etcd-snapshots.yaml"]
    assert not any(
        "etcd-snapshots" in text
        for path, text in files.items()
        if path != "infrastructure/etcd-snapshots.yaml" and "dependsOn" in text
    )


def test_without_a_secret_of_s3s_the_tree_and_k3s_are_as_before(example: Project) -> None:
    before = example.run().assembled
    after = _with(example, EDGE, "etcdSnapshots: {retention: 9}").run().assembled
    assert before is not None
    assert after is not None
    assert before.files == after.files


@pytest.mark.reference
def test_the_one_server_is_told_when_for_whom_and_where(reference: Project) -> None:
    s3 = "s3: {bucket: home, endpoint: 'https://s3.home.arpa:9000', folder: state}"
    _with(reference, STACK, f"sqliteBackups: {{schedule: 0 3 * * *, retention: 7, {s3}}}")
    reference.replace(STACK, "  fluxstead:secrets:\n", f"  fluxstead:secrets:\n    people: [{AGE}]\n")
    description = load(reference.root, "k3s-flux").description
    assert description is not None
    store = {"endpoint": "https://s3.home.arpa:9000", "bucket": "home", "region": "us-east-1", "folder": "state"}
    assert state_copies(description) == {
        "k3s1": {
            "datastore": "sqlite",
            "folder": "/var/lib/fluxstead/k3s-backups",
            "late": 50 * 3600,
            "keep": 7,
            "calendars": ["*-*-* 03:00:00"],
            "recipients": [AGE],
            "store": store,
        }
    }
    [secret] = [one for one in operator_secrets(description.cluster) if one.need.name == "sqlite-backup-s3"]
    assert [key.name for key in secret.need.keys] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert "AWS" not in json.dumps(state_copies(description))


def test_every_server_of_etcd_is_asked_for_k3ss_own_copies(example: Project) -> None:
    """By k3s's own times where fluxstead does not configure it."""
    description = load(example.root, "edge").description
    assert description is not None
    servers = [node.name for node in description.nodes if node.role == "server"]
    assert len(servers) == 3
    wanted = {"datastore": "etcd", "folder": "/var/lib/rancher/k3s/server/db/snapshots", "late": 26 * 3600, "keep": 5}
    assert state_copies(description) == dict.fromkeys(servers, wanted)
    described = load(_with(example, EDGE, SNAPSHOTS, DIGEST, "config: {etcd-snapshot-dir: /mnt/etcd}").root, "edge").description
    assert described is not None
    assert {(one["late"], one["folder"]) for one in state_copies(described).values()} == {(14 * 3600, "/mnt/etcd")}
