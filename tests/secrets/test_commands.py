"""`./run secrets` as people use it: what it says, what it writes, and that nothing else changes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

from fluxstead.cli.__main__ import main
from fluxstead.secrets.giving import Import
from fluxstead.secrets.tools import recipients_of
from tests.conftest import Project
from tests.edge_keys import CLUSTER
from tests.secrets.conftest import GRAFANA, WIKI, RunSecrets, vault_of


def ciphertexts(text: str) -> dict[str, str]:
    """The encrypted values of a file, by key."""
    return dict(re.findall(r"(?m)^  ([\w.-]+): (ENC\[\S+)$", text.partition("sops:")[0]))


def test_the_table_says_what_is_there(run: RunSecrets) -> None:
    """And ends with 0 where nothing is left to do."""
    status, said = run()
    assert status == 0
    assert "monitoring/grafana-admin  there" in said
    assert "nothing is left to do" in said


def test_the_table_says_what_is_missing_and_what_to_type(run: RunSecrets, example: Project) -> None:
    """Exit status 1; and the same for programs."""
    (example.root / WIKI).unlink()
    status, said = run()
    assert status == 1
    assert "wiki-live/wiki-settings" in said
    assert "./run secrets set wiki-live/wiki-settings" in said
    assert main(["secrets", "--project", str(example.root), "--format", "json"]) == 1


def test_the_table_is_data_for_programs(example: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """One entry for each Secret."""
    assert main(["secrets", "--project", str(example.root), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["secret"], row["state"], row["keys"]) for row in rows] == [
        ("cert-manager/rfc2136-key", "there", ["tsig-key"]),
        ("oauth2-proxy/oidc-client", "there", ["client-id", "client-secret", "cookie-secret"]),
        ("monitoring/grafana-admin", "there", ["admin-user", "admin-password"]),
        ("monitoring/grafana-oidc", "there", ["client-id", "client-secret"]),
        ("wiki-live/wiki-settings", "there", []),
        ("operator/cluster-age", "there", []),
        ("operator/flux-git", "there", ["identity", "known_hosts"]),
    ]


def test_a_changed_value_changes_its_own_line(run: RunSecrets, example: Project) -> None:
    """U11: and sops' date and MAC; everything else keeps its bytes."""
    before = (example.root / WIKI).read_text().splitlines()
    status, _ = run("set", "wiki-settings", "SESSION_KEY", "--stdin", given="another")
    after = (example.root / WIKI).read_text().splitlines()
    assert status == 0
    changed = [one for one, other in zip(before, after, strict=True) if one != other]
    assert [line.split(":")[0].strip() for line in changed] == ["SESSION_KEY", "lastmodified", "mac"]
    assert vault_of(example).values(WIKI)["SESSION_KEY"] == "another"


def test_the_same_value_changes_nothing(run: RunSecrets, example: Project) -> None:
    """Not even the date."""
    before = (example.root / WIKI).read_bytes()
    value = vault_of(example).values(WIKI)["DATABASE_URL"]
    _, said = run("set", "wiki-settings", "DATABASE_URL", "--stdin", given=value)
    assert "unchanged" in said
    assert (example.root / WIKI).read_bytes() == before


def test_a_new_secret_is_made_with_what_its_need_says(run: RunSecrets, example: Project) -> None:
    """Its namespace, its list, and a password that nobody chose."""
    (example.root / GRAFANA).unlink()
    assert run("set", "grafana-admin", "admin-user", "--stdin", given="me")[0] == 0
    status, said = run()
    assert (status, "keys missing: admin-password" in said) == (1, True)
    assert run("set", "grafana-admin", "--generate")[0] == 0
    values = vault_of(example).values(GRAFANA)
    assert values["admin-user"] == "me"
    assert len(values["admin-password"]) >= 32
    assert "namespace: monitoring" in (example.root / GRAFANA).read_text()
    listing = (example.root / GRAFANA).with_name("kustomization.yaml").read_text()
    assert "- grafana-admin.sops.yaml" in listing


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        (("set", "grafana-admin", "admin-user", "--stdin"), "me\n", "line breaks around it"),
        (("set", "grafana-admin", "admin-user", "--stdin"), "", "it is empty"),
        (("set", "grafana-admni", "admin-user", "--stdin"), "x", "grafana-admin?"),
        (("set", "grafana-admin", "admin-pasword", "--stdin"), "x", "admin-password?"),
        (("set", "wiki-settings", "--stdin"), "x", "which keys"),
        (("set", "operator/cluster-age", "age.agekey", "--stdin"), "x", "recipients add --cluster"),
        (("set", "wiki-settings", "A", "B", "--stdin"), "x", "one value for one key"),
        (("set", "wiki-settings", "A", "--file", "/nonexistent"), "", "cannot be read: No such file"),
        (("set", "wiki-settings", "A"), "", "without a terminal"),
        (("edit", "nothing"), "", "no described system needs"),
        (("import", "/nonexistent/secret.yaml"), "", "cannot be read"),
        (("move", "secrets/edge/x/none.sops.yaml", "wiki-settings"), "", "is not a Secret that sops encrypted"),
        (("move", "/x/deep/er/x.sops.yaml", "wiki-settings"), "", "is not below secrets/edge/"),
        (("move", "secrets/edge/operator/cluster-age.sops.yaml", "wiki-settings"), "", "only for people"),
        (("recipients", "add", "age1nonsense"), "", "is not an age recipient"),
        (("recipients", "add"), "", "recipients add age1"),
        (("recipients", "remove", "age1hsjx920u6h5ukrrrc46577hy89qnak04v5p3zax7glv7whtyqszqahvh50"), "", "would have no key"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    run: RunSecrets, example: Project, words: tuple[str, ...], given: str, says: str
) -> None:
    """Each with what to do instead, without the value and without a traceback."""
    before = {path: path.read_bytes() for path in example.root.rglob("*") if path.is_file()}
    status, said = run(*words, given=given)
    assert status == 1
    assert says in said
    assert {path: path.read_bytes() for path in example.root.rglob("*") if path.is_file()} == before


def test_an_edit_changes_what_was_edited(
    run: RunSecrets, example: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """sops' editor has the right file, in memory and nowhere else."""
    seen = tmp_path / "seen"
    monkeypatch.setenv("EDITOR", f'sh -c \'echo "$0" > {seen}; sed -i s/SESSION_KEY:.*/SESSION_KEY:\\ other/ "$0"\'')
    before = ciphertexts((example.root / WIKI).read_text())
    status, said = run("edit", "wiki-settings")
    assert status == 0, said
    after = ciphertexts((example.root / WIKI).read_text())
    assert vault_of(example).values(WIKI)["SESSION_KEY"] == "other"
    assert {key for key in before if before[key] != after[key]} == {"SESSION_KEY"}
    assert seen.read_text().startswith(("/dev/shm/", "/run/user/"))
    assert not Path(seen.read_text().strip()).exists()


def test_a_plain_secret_is_taken_over_and_named_for_removal(run: RunSecrets, example: Project, tmp_path: Path) -> None:
    """From a file elsewhere, values in either form."""
    plain = tmp_path / "plain.yaml"
    plain.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: wiki-settings, namespace: wiki-live}\n"
        "data: {TOKEN: czNjcjN0}\nstringData: {OTHER: 'yes'}\n"
    )
    status, said = run("import", str(plain))
    assert status == 0, said
    assert f"git rm {plain}" in said
    assert "s3cr3t" not in said
    values = vault_of(example).values(WIKI)
    assert (values["TOKEN"], values["OTHER"]) == ("s3cr3t", "yes")
    assert "DATABASE_URL" in values


def test_a_plain_secret_in_its_own_place_is_encrypted_there(run: RunSecrets, example: Project) -> None:
    """F22: until then, the tree is refused."""
    (example.root / WIKI).write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: wiki-settings, namespace: wiki-live}\nstringData: {TOKEN: hunter2}\n"
    )
    assert "secrets/plain" in {finding.id for finding in example.run().findings}
    assert run("import", str(example.root / WIKI))[0] == 0
    assert "hunter2" not in (example.root / WIKI).read_text()
    assert "secrets/plain" not in {finding.id for finding in example.run().findings}


def test_a_live_secret_is_taken_over(run: RunSecrets, example: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the operator's own kubectl, of which this is a stand-in that answers what the API server would."""
    answer = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "wiki-settings", "namespace": "wiki-live", "uid": "1", "managedFields": []},
        "data": {"LIVE": "eWVz"},
    }
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\nprintf '%s ' \"$@\" > {tmp_path}/asked\ncat <<'E'\n{json.dumps(answer)}\nE\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run("import", "wiki-live/wiki-settings")[0] == 0
    assert (tmp_path / "asked").read_text().split() == ["-n", "wiki-live", "get", "secret", "wiki-settings", "-o", "json"]
    assert vault_of(example).values(WIKI)["LIVE"] == "yes"
    assert "managedFields" not in (example.root / WIKI).read_text()


def test_a_rename_moves_the_file_with_its_values(run: RunSecrets, example: Project) -> None:
    """The table names it; afterwards only the name and the namespace differ."""
    example.replace("Pulumi.edge.yaml", "    - name: wiki\n", "    - name: pages\n")
    status, said = run()
    new = "secrets/edge/pages-live-access/wiki-settings.sops.yaml"
    assert status == 1
    assert f"./run secrets move {WIKI} pages-live/wiki-settings" in said
    before = (example.root / WIKI).read_text()
    assert run("move", WIKI, "pages-live/wiki-settings")[0] == 0
    assert (example.root / new).read_text() == before.replace("namespace: wiki-live", "namespace: pages-live")
    assert not (example.root / WIKI).parent.exists(), "its list as well"
    assert run()[0] == 0
    assert vault_of(example).values(new)["SESSION_KEY"] == "${not:a-variable}"


def test_init_makes_three_identities_and_a_second_one_changes_nothing(
    example: Project, run: RunSecrets, keys: Path, tree_of: Callable[[Path], dict[str, bytes]]
) -> None:
    """From nothing: the operator's key outside the repository, the cluster's as ciphertext, the rules, the description."""
    text = example.stack_file.read_text()
    example.stack_file.write_text(text[: text.index("  fluxstead:secrets:")])
    for path in sorted((example.root / "secrets").rglob("*.yaml")):
        path.unlink()
    keys.unlink()
    status, said = run("init", "--offline", "age1qzgxkaymdvaxx8lw8kxaf7qux6y28tpxgdssp7uwrcaqc0022ensasxpfd")
    assert status == 0, said
    assert f"keep: {keys}" in said
    assert keys.stat().st_mode & 0o077 == 0
    vault = vault_of(example)
    settings = vault.scope.settings
    assert len(settings.people) == 2
    [cluster] = settings.cluster
    own = "secrets/edge/operator/cluster-age.sops.yaml"
    assert cluster not in (example.root / own).read_text()
    assert "AGE-SECRET-KEY" in vault.own.opened((example.root / own).read_text())["data"].popitem()[1] or vault.values(own)
    assert cluster in (example.root / ".sops.yaml").read_text()
    before = tree_of(example.root)
    assert run("init")[0] == 0
    assert tree_of(example.root) == before


def test_init_refuses_a_key_inside_the_repository(example: Project, run: RunSecrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be committed one day."""
    text = example.stack_file.read_text()
    example.stack_file.write_text(text[: text.index("  fluxstead:secrets:")])
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(example.root / "keys.txt"))
    status, said = run("init")
    assert (status, "inside the repository" in said) == (1, True)
    assert not (example.root / "keys.txt").exists()


def test_a_machine_without_a_key_says_so(run: RunSecrets, keys: Path) -> None:
    """The table still shows what it can."""
    keys.unlink()
    status, said = run()
    assert "not looked into" in said
    assert status == 0
    status, said = run("set", "wiki-settings", "A", "--stdin", given="x")
    assert (status, "no private key of this machine" in said) == (1, True)


def test_a_key_of_a_plugin_is_one(run: RunSecrets, keys: Path, example: Project) -> None:
    """Only its plugin can use it; its file says in a comment for whom it decrypts (age-plugin-yubikey)."""
    own = keys.read_text()
    keys.write_text("#    Recipient: age1yubikey1qwerty\nAGE-PLUGIN-YUBIKEY-1QWERTY\n")
    status, said = run()
    assert (status, "not looked into" in said) == (0, True)
    keys.write_text(f"# Recipient: age1yubikey1qwerty\nAGE-PLUGIN-YUBIKEY-1QWERTY\n{own}")
    assert recipients_of(keys.read_text())[-1] == "age1yubikey1qwerty"
    text = example.stack_file.read_text()
    example.stack_file.write_text(text[: text.index("  fluxstead:secrets:")])
    keys.write_text("-----BEGIN AGE ENCRYPTED FILE-----\nx\n-----END AGE ENCRYPTED FILE-----\n")
    before = keys.read_text()
    status, said = run("init")
    assert (status, "does not say for whom" in said) == (1, True)
    assert keys.read_text() == before


def test_a_live_secret_keeps_its_type(example: Project, tmp_path: Path) -> None:
    """The API server lets none become another."""
    (example.root / WIKI).unlink()
    plain = tmp_path / "plain.yaml"
    plain.write_text(
        "kind: Secret\ntype: kubernetes.io/basic-auth\nmetadata: {name: wiki-settings, namespace: wiki-live}\n"
        "stringData: {username: a, password: b}\n"
    )
    list(Import(vault_of(example)).file(plain))
    assert "type: kubernetes.io/basic-auth\n" in (example.root / WIKI).read_text()


def test_what_opens_shows_what_is_wrong_inside(run: RunSecrets, example: Project) -> None:
    """A MAC that Flux would not look at; a value that Longhorn's webhook or a login would refuse."""
    file = example.root / WIKI
    file.write_text(re.sub(r"(?m)^  SESSION_KEY.*\n", "", file.read_text()))
    status, said = run()
    assert (status, "MAC broken" in said) == (1, True)


def test_the_cluster_cannot_read_what_only_people_may(example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own key least of all."""
    only = tmp_path / "cluster.agekey"
    only.write_text(f"{CLUSTER}\n")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(only))
    vault = vault_of(example)
    assert vault.values(WIKI)
    with pytest.raises(Exception, match="no private key"):
        vault.values("secrets/edge/operator/cluster-age.sops.yaml")


def test_line_ends_of_a_file_stay_as_they_are(run: RunSecrets, example: Project, tmp_path: Path) -> None:
    """Byte for byte."""
    file = tmp_path / "value"
    file.write_bytes("a\r\nb\r\nzwölf".encode())
    assert run("set", "wiki-settings", "TEXT", "--file", str(file))[0] == 0
    assert vault_of(example).values(WIKI)["TEXT"] == "a\r\nb\r\nzwölf"


def test_a_folder_that_takes_no_file_is_said(
    run: RunSecrets, keys: Path, example: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the operator's key would go."""
    text = example.stack_file.read_text()
    example.stack_file.write_text(text[: text.index("  fluxstead:secrets:")])
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(keys / "below-a-file"))
    status, said = run("init")
    assert status == 1
    assert "Not a directory" in said or "File exists" in said


def by_password(project: Project) -> None:
    """The second cluster, with a password in front of its wiki."""
    project.replace(
        "Pulumi.edge.yaml",
        "            host: wiki.example.test\n",
        "            host: wiki.example.test\n            access: {by: basic}\n",
    )


LOGIN = "secrets/edge/wiki-live-access/web-login.sops.yaml"


def test_a_password_that_is_made_up_is_told_and_stands_nowhere(run: RunSecrets, example: Project) -> None:
    """Both controllers read one key, and Traefik refuses a Secret that has another; the page says to keep what is printed."""
    by_password(example)
    status, said = run("set", "web-login", "--generate")
    assert status == 0
    told = re.search(r"log in as (\w+) with (\w+)", said)
    assert told is not None
    values = vault_of(example).values(LOGIN)
    assert list(values) == ["auth"]
    name, _, digest = str(values["auth"]).partition(":")
    assert name == told[1]
    assert bcrypt.checkpw(told[2].encode(), digest.replace("$2y$", "$2b$", 1).encode())
    assert told[2] not in (example.root / LOGIN).read_text()


def test_a_key_beside_the_password_is_an_error(run: RunSecrets, example: Project) -> None:
    """And the command that takes it out is said."""
    by_password(example)
    run("set", "web-login", "--generate")
    vault = vault_of(example)
    [need] = vault.scope.named("web-login")
    vault.put(need, {"notes": "ada's"})
    [one] = [one for one in example.run().findings if one.id == "secrets/keys-too-many"]
    assert "notes" in one.what
    assert one.fix.startswith("./run secrets unset wiki-live/web-login notes")
    run("unset", "web-login", "notes")
    assert not [one for one in example.run().findings if one.id == "secrets/keys-too-many"]
