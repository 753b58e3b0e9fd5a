"""What a cluster begins with: made or given once, read by people alone, and changed by a rotation and never by hand."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from fluxstead.secrets.operator import values_of
from fluxstead.secrets.state import lacking
from fluxstead.secrets.tools import ToolTrouble
from tests.conftest import Project
from tests.edge_keys import CLUSTER, OPERATOR
from tests.secrets.conftest import GRAFANA, RunSecrets, scope_of, vault_of
from tests.secrets.test_guard import git

FOLDER = "secrets/edge/operator"
TOKEN, GIT, KEY = (f"{FOLDER}/{name}.sops.yaml" for name in ("k3s-token", "flux-git", "cluster-age"))
_BINARIES = f"    binaries: {{amd64: {'ab' * 32}}}\n    nodeCidr: 10.20.0.0/24\n"


@pytest.fixture
def installs(example: Project) -> Project:
    """The second cluster, whose description lets k3s be installed."""
    example.replace("Pulumi.edge.yaml", "    nodeCidr: 10.20.0.0/24\n", _BINARIES)
    return example


def committed(project: Project) -> None:
    """All of it, in a commit."""
    git(project.root, "init", "-q", "-b", "main")
    assert git(project.root, "add", "-A").returncode == 0
    assert git(project.root, "commit", "-qm", "all").returncode == 0


def recipients(project: Project, path: str) -> set[str]:
    """For whom a file is."""
    return set(re.findall(r"recipient: (age1\S+)", (project.root / path).read_text()))


def test_the_token_is_needed_made_and_for_people_alone(run: RunSecrets, installs: Project) -> None:
    """Where k3s is installed, and nowhere else; no layer's list has it."""
    status, said = run()
    assert (status, "./run secrets set operator/k3s-token --generate" in said) == (1, True), said
    assert lacking(scope_of(installs)) == [
        line for line in lacking(scope_of(installs)) if "operator/k3s-token" in line and "--generate" in line
    ]
    assert "secrets/missing" in {finding.id for finding in installs.run().findings}
    assert run("set", "k3s-token", "--generate")[0] == 0
    assert run()[0] == 0
    assert not lacking(scope_of(installs))
    token = values_of(scope_of(installs), "k3s-token")["token"]
    assert len(token) >= 32
    assert "::" not in token
    assert recipients(installs, TOKEN) == set(scope_of(installs).settings.people)
    assert not (installs.root / FOLDER / "kustomization.yaml").exists()
    assert not {finding.id for finding in installs.run().findings} & {"secrets/missing", "secrets/unused", "secrets/operators-own"}


def test_before_k3s_is_locked_its_token_is_not_needed_and_why_is_said(run: RunSecrets, example: Project) -> None:
    del example
    status, said = run("set", "k3s-token", "--generate")
    assert (status, "./run upgrade kubernetes --lock" in said) == (1, True), said


def test_a_token_of_a_running_cluster_is_taken_over(run: RunSecrets, installs: Project) -> None:
    """As its server has it; what k3s would read otherwise is refused without being shown."""
    whole = f"K10{'a' * 64}::server:0123456789abcdef"
    for wrong in ("K10short", "a::b", "two words", "döner", whole.replace("::server", "::node"), f"{whole}\n"):
        status, said = run("set", "k3s-token", "--stdin", given=wrong)
        assert (status, "token: " in said, wrong in said) == (1, True, False), said
    assert run("set", "k3s-token", "--stdin", given=whole)[0] == 0
    assert values_of(scope_of(installs), "k3s-token") == {"token": whole}


@pytest.mark.parametrize(
    "words", [("set", "k3s-token", "--generate"), ("edit", "k3s-token"), ("unset", "operator/k3s-token", "token")]
)
def test_a_token_that_was_committed_is_not_changed_by_hand(run: RunSecrets, installs: Project, words: tuple[str, ...]) -> None:
    """A cluster may have begun with it; until then, and once it is gone from the commits, it is anybody's to set."""
    assert run("set", "k3s-token", "--generate")[0] == 0
    assert run("set", "k3s-token", "--generate")[0] == 0
    committed(installs)
    before = (installs.root / TOKEN).read_bytes()
    status, said = run(*words)
    assert (status, "k3s token rotate" in said) == (1, True), said
    assert (installs.root / TOKEN).read_bytes() == before
    (installs.root / TOKEN).unlink()
    status, said = run("set", "k3s-token", "--generate")
    assert (status, f"git checkout HEAD -- {TOKEN}" in said) == (1, True), said
    committed(installs)
    assert run("set", "k3s-token", "--stdin", given="the-new-one-after-a-rotation")[0] == 0


def test_the_clusters_key_is_never_typed(
    run: RunSecrets, example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is lost comes from the running cluster, by a stand-in for kubectl, if it is this cluster's."""
    for words in (("set", "cluster-age", "age.agekey", "--stdin"), ("edit", "operator/cluster-age"), ("unset", "cluster-age", "a")):
        status, said = run(*words, given="x")
        assert (status, "recipients add --cluster" in said) == (1, True), said
    (example.root / KEY).unlink()
    status, said = run()
    assert (status, "./run secrets import flux-system/sops-age" in said) == (1, True), said

    def live(key: str) -> None:
        data = {"age.agekey": base64.b64encode(f"{key}\n".encode()).decode()}
        answer = {"kind": "Secret", "metadata": {"name": "sops-age", "namespace": "flux-system"}, "data": data}
        kubectl = tmp_path / "kubectl"
        kubectl.write_text(f"#!/bin/sh\ncat <<'E'\n{json.dumps(answer)}\nE\n")
        kubectl.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    live(OPERATOR)
    status, said = run("import", "flux-system/sops-age")
    assert (status, "is it this cluster's?" in said, (example.root / KEY).exists()) == (1, True, False), said
    live(CLUSTER)
    status, said = run("import", "flux-system/sops-age")
    assert status == 0, said
    assert recipients(example, KEY) == set(scope_of(example).settings.people)
    assert "\ndata:\n" in (example.root / KEY).read_text(), "what kubectl's server-side apply can take away again"
    assert run()[0] == 0


def test_flux_gets_a_key_whose_public_half_is_printed(run: RunSecrets, example: Project) -> None:
    """With where it belongs; the file is the Secret that `flux bootstrap` would make."""
    (example.root / GIT).unlink()
    status, said = run("set", "flux-git", "identity", "--generate")
    assert status == 0, said
    public = values_of_file(example)["identity.pub"].strip()
    assert public.startswith("ssh-ed25519 ")
    assert public in said
    assert "ssh://git@git.example.test/edge.git, as a deploy key, read-only" in said
    status, said = run()
    assert (status, "keys missing: known_hosts; ./run secrets set operator/flux-git known_hosts --file FILE" in said) == (1, True)
    with pytest.raises(ToolTrouble, match="set operator/flux-git known_hosts"):
        values_of(scope_of(example), "flux-git")
    hosts = f"git.example.test ssh-ed25519 {'A' * 68}\n"
    assert run("set", "flux-git", "known_hosts", "--stdin", given="git.example.test")[0] == 1
    assert run("set", "flux-git", "known_hosts", "--stdin", given=hosts)[0] == 0
    assert run()[0] == 0
    assert values_of(scope_of(example), "flux-git")["known_hosts"] == hosts
    assert "  name: flux-system\n  namespace: flux-system\n" in (example.root / GIT).read_text()


def values_of_file(project: Project) -> dict[str, str]:
    """What the file holds, whether or not it is whole."""
    return {key: str(value) for key, value in vault_of(project).values(GIT).items()}


def test_a_key_that_somebody_has_brings_its_own_public_half(run: RunSecrets, example: Project, tmp_path: Path) -> None:
    """Else that of the former one would stay; with a passphrase, nobody types it in the cluster."""
    for phrase in ("", "secret-phrase"):
        file = tmp_path / f"key{phrase}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", str(file)], check=True)
    before = (example.root / GIT).read_bytes()
    status, said = run("set", "flux-git", "identity", "--file", str(tmp_path / "keysecret-phrase"))
    assert (status, "without a passphrase" in said, (example.root / GIT).read_bytes() == before) == (1, True, True), said
    assert run("set", "flux-git", "identity", "--file", str(tmp_path / "key"))[0] == 0
    held, made = values_of_file(example)["identity.pub"].split(), (tmp_path / "key.pub").read_text().split()
    assert held[:2] == made[:2]


@pytest.mark.parametrize(
    ("described", "needs"),
    [
        ("repository: ssh://git@git.example.test/edge.git", ["identity", "known_hosts"]),
        ("repository: ssh://git@git.example.test/edge.git\n    credentials: none", None),
        ("repository: https://git.example.test/edge.git", None),
        ("repository: https://git.example.test/edge.git\n    credentials: token", ["username", "password"]),
    ],
)
def test_what_flux_needs_is_as_the_url_says(example: Project, described: str, needs: list[str] | None) -> None:
    """And `credentials`, where the URL does not say it."""
    example.replace("Pulumi.edge.yaml", "repository: ssh://git@git.example.test/edge.git", described)
    found = [one.need for one in scope_of(example).operators if one.need.name == "flux-git"]
    assert [[key.name for key in need.keys] for need in found] == ([needs] if needs else [])


@pytest.mark.parametrize(
    "described", ["repository: https://git.example.test/edge.git\n    credentials: deploy-key", "credentials: token", None]
)
def test_credentials_that_do_not_fit_the_url_are_refused(example: Project, described: str | None) -> None:
    """Flux would be refused, once it is there."""
    old = "repository: ssh://git@git.example.test/edge.git"
    example.replace("Pulumi.edge.yaml", old, described or f"{old}\n    credentials: token")
    [finding] = [one for one in example.run().findings if one.id == "description/value"]
    assert "credentials" in finding.what


def test_a_live_secret_of_flux_is_taken_over(run: RunSecrets, example: Project, tmp_path: Path) -> None:
    """`flux bootstrap` made it: by its name in the cluster, from a manifest."""
    (example.root / GIT).unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    values = {"identity": (tmp_path / "key").read_text(), "known_hosts": f"h ssh-rsa {'A' * 68}\n"}
    plain = tmp_path / "plain.json"
    plain.write_text(
        json.dumps({"kind": "Secret", "metadata": {"name": "flux-system", "namespace": "flux-system"}, "stringData": values})
    )
    status, said = run("import", str(plain))
    assert status == 0, said
    assert values_of(scope_of(example), "flux-git") == values
    assert recipients(example, GIT) == set(scope_of(example).settings.people)


def test_nothing_is_installed_without_what_is_needed(installs: Project) -> None:
    """A line each with what to type; what the description accepts as missing is none."""
    (installs.root / GRAFANA).unlink()
    lines = lacking(scope_of(installs))
    assert [line.partition(",")[0] for line in lines] == ["Secret monitoring/grafana-admin", "Secret operator/k3s-token"]
    assert all("./run secrets set" in line for line in lines)
    accepted = "    missing: [{secret: operator/k3s-token, reason: later}, {secret: monitoring/grafana-admin, reason: later}]\n"
    installs.replace("Pulumi.edge.yaml", "  fluxstead:secrets:\n", f"  fluxstead:secrets:\n{accepted}")
    assert not lacking(scope_of(installs))


def test_what_is_asked_for_and_not_there_says_what_to_type(installs: Project, keys: Path) -> None:
    """To the program that would use it; and without a key, whose it is."""
    with pytest.raises(ToolTrouble, match=r"set operator/k3s-token --generate"):
        values_of(scope_of(installs), "k3s-token")
    with pytest.raises(ToolTrouble, match="needs no operator/nothing"):
        values_of(scope_of(installs), "nothing")
    keys.unlink()
    with pytest.raises(ToolTrouble, match=r"flux-git.*no private key of this machine"):
        values_of(scope_of(installs), "flux-git")


def test_whoever_is_taken_away_knew_the_operators_secrets_too(run: RunSecrets, example: Project) -> None:
    """They are among what has to change."""
    [offline] = [one for one in scope_of(example).settings.people if one.startswith("age1qzg")]
    status, said = run("recipients", "remove", offline)
    assert status == 0, said
    assert f"    {GIT}" in said
    assert f"    {KEY}" in said


def test_a_folder_of_ones_own_beside_them_is_no_ones_business(run: RunSecrets, installs: Project) -> None:
    """What people keep there is not called unused, and nothing of a layer is moved there."""
    (installs.root / FOLDER / "mine.sops.yaml").write_bytes((installs.root / KEY).read_bytes())
    assert "mine" not in run()[1]
    status, said = run("move", GRAFANA, "operator/k3s-token")
    assert (status, "only for people" in said) == (1, True), said


def test_a_made_token_never_begins_as_a_whole_one(run: RunSecrets, installs: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """k3s would look for a digest in it; one in 262,144 begins so."""
    made = iter(["K10" + "x" * 40, "y" * 43])
    monkeypatch.setattr("fluxstead.secrets.makers.secrets.token_urlsafe", lambda _: next(made))
    assert run("set", "k3s-token", "--generate")[0] == 0
    assert values_of(scope_of(installs), "k3s-token") == {"token": "y" * 43}


def test_what_git_ignores_is_told(run: RunSecrets, installs: Project) -> None:
    """A rule such as `*token*` is in many a machine's own configuration; the only copy would go with the machine."""
    committed(installs)
    (installs.root / ".gitignore").write_text("*token*\n")
    status, said = run("set", "k3s-token", "--generate")
    assert (status, f"git add --force {TOKEN}" in said) == (0, True), said


def test_a_plain_file_that_was_committed_becomes_ciphertext(run: RunSecrets, installs: Project) -> None:
    """Its value stays, which is no change that only a rotation may make."""
    (installs.root / TOKEN).write_text(
        "kind: Secret\nmetadata: {name: k3s-token, namespace: operator}\nstringData: {token: hunter-two-33}\n"
    )
    committed(installs)
    assert "secrets/operators-own" in {finding.id for finding in installs.run().findings}
    status, said = run("import", str(installs.root / TOKEN))
    assert status == 0, said
    assert values_of(scope_of(installs), "k3s-token") == {"token": "hunter-two-33"}
    assert recipients(installs, TOKEN) == set(scope_of(installs).settings.people)


def test_a_public_half_of_another_key_is_told(run: RunSecrets, example: Project) -> None:
    """Whoever gives the forge that one locks Flux out."""
    vault = vault_of(example)
    [need] = [one.need for one in scope_of(example).operators if one.need.name == "flux-git"]
    vault.put(need, {"identity.pub": f"ssh-ed25519 {'A' * 68} other"})
    status, said = run()
    assert (status, "identity.pub is not the public half of identity" in said) == (1, True), said


def test_a_port_is_asked_at(example: Project) -> None:
    """As `ssh-keyscan` wants it."""
    example.replace("Pulumi.edge.yaml", "git.example.test/edge.git", "git.example.test:2222/edge.git")
    [need] = [one.need for one in scope_of(example).operators if one.need.name == "flux-git"]
    assert [key.hint for key in need.keys if key.hint] == [
        "a line of `ssh-keyscan -p 2222 git.example.test`, compared with what git.example.test publishes"
    ]


@pytest.mark.parametrize("missing", ["no Git", "another's repository", "a hook of another"])
def test_where_git_does_not_answer_nothing_is_changed(
    run: RunSecrets, installs: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    """It may have been committed, and a cluster go by it; Git refuses a repository of another owner."""
    assert run("set", "k3s-token", "--generate")[0] == 0
    committed(installs)
    before = (installs.root / TOKEN).read_bytes()
    if missing == "no Git":
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    elif missing == "another's repository":
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    else:
        git(tmp_path, "init", "-q", "elsewhere")
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere/.git"))
    status, said = run("set", "k3s-token", "--generate")
    assert (status, "Git does not say" in said or "is not changed by hand" in said) == (1, True), said
    assert (installs.root / TOKEN).read_bytes() == before


def test_a_folder_in_its_place_is_not_called_readable(installs: Project) -> None:
    """It is told once, and as what it is."""
    (installs.root / TOKEN).mkdir()
    found = [one for one in installs.run().findings if TOKEN in str(one.source)]
    assert [one.id for one in found] == ["secrets/no-secret"]
    assert "Flux" not in found[0].why
