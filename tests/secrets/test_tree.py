"""What the tree makes of secrets: layers decrypt what they need, and tell of what is missing, without a key and without sops."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from fluxstead.cli.__main__ import main
from fluxstead.secrets.rules import NotWritable, rules_file
from tests.conftest import REPOSITORY, Project
from tests.secrets.conftest import GRAFANA, WIKI


def test_a_layer_refers_to_its_folder_and_decrypts(example: Project) -> None:
    """And no other layer does."""
    assembled = example.run().assembled
    assert assembled is not None
    objects = {file.path: file.object for file in assembled.tree}
    decrypting = {path for path, obj in objects.items() if "decryption" in obj.get("spec", {})}
    assert decrypting == {
        "infrastructure/certificate-issuers.yaml",
        "infrastructure/oauth2-proxy.yaml",
        "monitoring/kube-prometheus-stack.yaml",
        "apps/wiki-live-access.yaml",
        "apps/whoami.yaml",
    }
    assert "../../../../secrets/edge/wiki-live-access" in objects["apps/wiki-live-access/kustomization.yaml"]["resources"]
    assert {str(item.ref) for item in assembled.applied.objects if item.ref.kind == "Secret"} == {
        "Secret cert-manager/rfc2136-key",
        "Secret monitoring/grafana-admin",
        "Secret monitoring/grafana-oidc",
        "Secret oauth2-proxy/oidc-client",
        "Secret wiki-live/wiki-settings",
    }


def test_the_tree_is_the_same_whether_or_not_a_file_is_there(example: Project) -> None:
    """It follows from the description; only the list in the folder of ciphertext follows from the disk."""
    before = example.run().assembled
    (example.root / WIKI).unlink()
    after = example.run().assembled
    assert before is not None
    assert after is not None
    assert before.files == after.files
    assert before.lists != after.lists


def test_what_is_missing_on_purpose_is_not_referred_to(example: Project) -> None:
    """A layer that decrypts waits for the cluster's key, which a cluster without secrets need not have."""
    (example.root / WIKI).unlink()
    example.stack_file.write_text(
        example.stack_file.read_text() + "    missing: [{secret: wiki-live/wiki-settings, reason: it is made by hand}]\n"
    )
    run = example.run()
    assert run.assembled is not None
    access = next(file for file in run.assembled.tree if file.path == "apps/wiki-live-access.yaml")
    assert "decryption" not in access.object["spec"]
    assert "secrets/missing" not in {finding.id for finding in run.findings}


def test_without_a_key_for_the_cluster_nothing_decrypts(example: Project) -> None:
    """Then people create what is needed, and are told so."""
    text = example.stack_file.read_text().replace("    sopsSecret: sops-age\n", "")
    example.stack_file.write_text(text[: text.index("  fluxstead:secrets:")])
    run = example.run()
    assert run.assembled is not None
    assert not run.assembled.lists
    assert not [file for file in run.assembled.tree if "decryption" in file.object.get("spec", {})]


def test_render_warns_and_check_fails(example: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The tree is right, and the cluster would not work with it."""
    (example.root / GRAFANA).unlink()
    assert main(["render", "--project", str(example.root)]) == 0
    assert main(["check", "--project", str(example.root)]) == 1
    said = capsys.readouterr()
    assert "secrets/missing" in said.err
    assert "no errors" not in said.out
    listing = yaml.safe_load((example.root / GRAFANA).with_name("kustomization.yaml").read_text())
    assert listing["resources"] == ["grafana-oidc.sops.yaml"]


def test_a_secret_of_ones_own_manifests_is_not_asked_for(example: Project) -> None:
    """It is applied from there, and would have two owners."""
    (example.root / WIKI).unlink()
    plain = "apiVersion: v1\nkind: Secret\nmetadata: {name: wiki-settings, namespace: wiki-live}\nstringData: {a: 'ENC[x]'}\n"
    (example.root / "apps/whoami/secret.yaml").write_text(plain + "sops: {age: [], mac: 'ENC[x]'}\n")
    example.replace("apps/whoami/kustomization.yaml", "namespace: whoami\n", "")
    example.replace("apps/whoami/kustomization.yaml", "  - namespace.yaml", "  - namespace.yaml\n  - secret.yaml")
    assert "secrets/missing" not in {finding.id for finding in example.run().findings}


def test_render_and_check_run_no_sops() -> None:
    """Reading ciphertext is reading YAML: what runs programs is not even imported."""
    program = (
        "import sys; from fluxstead.cli.__main__ import main; main(['render', '--check', '--project', 'examples/edge']);"
        "print(sorted(name for name in sys.modules if name.startswith('fluxstead.secrets.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    pure = ("checks", "ciphertext", "files", "operator_needs", "settings", "state")
    assert done.stdout.splitlines()[-1] == str([f"fluxstead.secrets.{name}" for name in pure])


@pytest.mark.parametrize("text", ["creation_rules: [{age: age1x}]\n", "- a\n", "creation_rules: {\n"])
def test_rules_that_cannot_be_changed_are_refused(text: str) -> None:
    """What belongs there is given; a second `creation_rules` would be no YAML to sops."""
    with pytest.raises(NotWritable, match="secrets/home/operator/"):
        rules_file("home", ["age1a"], ["age1c"], text)


OWN = "creation_rules:\n  # mine\n  - path_regex: apps/.*\n    age: age1x\n"
COMMENTED = OWN.replace("rules:", "rules: # ours")


@pytest.mark.parametrize(
    "text",
    [None, OWN, "stores: {yaml: {indent: 4}}\n", COMMENTED, f"{OWN}stores:\n  yaml:\n    indent: 2\n"],
)
def test_rules_of_ones_own_stay(text: str | None) -> None:
    """Ours come first, since the first that fits counts; written again, nothing changes; another cluster has its own."""
    new = rules_file("home", ["age1a"], ["age1c"], text)
    rules = yaml.safe_load(new)["creation_rules"]
    assert [rule.get("path_regex") for rule in rules][:2] == ["^secrets/home/operator/", "^secrets/home/"]
    assert rules[0]["age"] == ["age1a"]
    assert rules[1]["age"] == ["age1a", "age1c"]
    assert all(line in new for line in (text or "").splitlines())
    assert rules_file("home", ["age1a"], ["age1c"], new) == new
    both = yaml.safe_load(rules_file("other", ["age1b"], ["age1d"], new))["creation_rules"]
    assert len(both) == len(rules) + 2
