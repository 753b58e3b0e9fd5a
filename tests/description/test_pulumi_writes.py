"""What the Pulumi CLI itself writes into a stack file is accepted."""

from __future__ import annotations

import json

import yaml

from fluxstead.core.findings import errors
from tests.conftest import Project


def test_keys_of_pulumi_and_of_other_namespaces_are_left_alone(reference: Project) -> None:
    """`pulumi config set aws:region …` and a passphrase's salt stand in the same file."""
    text = reference.stack_file.read_text().replace("config:\n", "config:\n  aws:region: eu-west-1\n  pulumi:tags: {a: b}\n")
    reference.stack_file.write_text("encryptionsalt: v1:abc\nsecretsprovider: passphrase\nenvironment: [dev]\n" + text)
    assert not errors(reference.run().findings)


def test_an_object_as_a_string_of_json_gives_the_same_tree(reference: Project) -> None:
    """`pulumi config set fluxstead:longhorn '{…}'` writes the object as one string."""
    before = reference.run().assembled
    data = yaml.safe_load(reference.stack_file.read_text())
    data["config"] = {key: json.dumps(value) for key, value in data["config"].items()}
    reference.stack_file.write_text(yaml.safe_dump(data))
    after = reference.run().assembled
    assert before is not None
    assert after is not None
    assert after.files == before.files


def test_quoted_scalars_give_the_same_tree(reference: Project) -> None:
    """`pulumi config set --path fluxstead:longhorn.replicas 2` quotes what it writes."""
    before = reference.run().assembled
    reference.replace("Pulumi.k3s-flux.yaml", "replicaSoftAntiAffinity: true", 'replicaSoftAntiAffinity: "true"')
    reference.replace("Pulumi.k3s-flux.yaml", "    replicas: 2\n", '    replicas: "2"\n')
    after = reference.run().assembled
    assert before is not None
    assert after is not None
    assert after.files == before.files


def test_an_encrypted_setting_is_refused(reference: Project) -> None:
    """F22: a secret that goes through the tree ends in Git as plain text."""
    text = reference.stack_file.read_text()
    reference.stack_file.write_text(text.rstrip() + "\n  fluxstead:longhornn:\n    secure: AAABAB\n")
    line = reference.stack_file.read_text().count("\n") - 1
    [finding] = [finding for finding in reference.run().findings if finding.id == "description/secret"]
    assert finding.source.line == line
