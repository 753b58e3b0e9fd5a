"""What `tests/real` does before `pulumi up`, and how it judges what comes after; the machine and k3s are stand-ins."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.cluster.web import git_of, serving
from tests.real.needed import missing
from tests.real.person import NotDone, Person
from tests.real.project import BARE, STACK, described, given_its_secrets, made, node_file, pushed
from tests.real.proof import secret_values, spilled, texts_of, unready

DISK = {"path": "/dev/sda", "links": ["/dev/disk/by-id/wwn-0x5001"], "model": "WD", "serial": "S1", "wwn": "", "size": 10**11}
INVENTORY = [{**DISK, "contents": "blank", "uses": [], "mounts": [], "smart": "passed"}]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
MET = {"login": {"address": "192.0.2.7", "hostKey": KEY}, "machine": "x86_64"}
SSH = f"""#!{sys.executable}
import json, re, sys
if "-G" in sys.argv:
    print("hostname 192.0.2.7\\nport 22\\nuser ops")
else:
    token = re.match("token=([0-9a-f]+) ", sys.stdin.read())[1]
    found = json.loads({json.dumps({"status": "fine", "why": [], "disks": [], "inventory": INVENTORY, **MET})!r})
    print(json.dumps({{"answer": token, "result": found}}))
"""
"""A machine that nobody has, with one blank disk."""


@pytest.fixture
def person(tmp_path: Path, need: Callable[..., dict[str, Path]]) -> Person:
    """With the real `flux`, and an `ssh` that answers for the machine."""
    for name in ("home", "project", "state", "served", "bin"):
        (tmp_path / name).mkdir()
    ssh = tmp_path / "bin/ssh"
    ssh.write_text(SSH)
    ssh.chmod(0o755)
    (tmp_path / "bin/flux").symlink_to(need("flux")["flux"])
    (tmp_path / "project/.venv").symlink_to(Path(sys.prefix))
    return Person(
        tmp_path / "home", tmp_path / "project", tmp_path / "state", PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    )


def test_a_project_is_made_described_and_pushed(person: Person, tmp_path: Path) -> None:
    """Every command that it types before `pulumi up`; k3s's digest is that of a file here."""
    with serving(git_of(tmp_path / "served")) as port:
        url = f"http://127.0.0.1:{port}"
        made(person, tmp_path / "served", url)
        file = person.project / f"Pulumi.{STACK}.yaml"
        text = file.read_text().replace("[local-storage]", "[local-storage], binariesFrom: ../binaries")
        # The `flux` that is built from modules has the manifests of these three.
        three = "source-controller, kustomize-controller, helm-controller"
        file.write_text(text.replace("{version: 2.9.5", f"{{version: 2.9.5, components: [{three}]"))
        (tmp_path / "binaries").mkdir()
        (tmp_path / "binaries/k3s").write_bytes(b"not k3s")
        described(person, "one", "server", "ops@192.0.2.7", None)
        person.types("./run", "upgrade", "kubernetes", "--lock")
        person.types("./run", "upgrade", "flux")
        given_its_secrets(person)
        person.types("./run", "render")
        assert "no errors" in person.types("./run", "check")
        revision = pushed(person, "A cluster of one machine")
        served = person.asks("git", "ls-remote", f"{url}/{BARE}", "refs/heads/main")
    assert revision == f"main@sha1:{served.split()[0]}"
    assert person.asks("git", "status", "--porcelain") == ""
    values = secret_values(person)
    assert {name.partition(":")[0] for name in values} >= {"k3s-token.sops.yaml", "grafana-admin.sops.yaml", "keys.txt"}
    said = {"the output": person.said.encode()}
    assert spilled(values, {**said, **texts_of(person.project / "secrets"), **texts_of(person.project / "generated")}) == []
    assert not (Path.home() / ".kube" / f"fluxstead-{STACK}.yaml").exists()
    assert stat.S_IMODE((person.home / ".config/sops/age/keys.txt").stat().st_mode) == 0o600


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_value_is_found_in_whatever_stands_around_it(before: str) -> None:
    value = "K10correct-horse-battery"
    coded = base64.b64encode(f"{before}{value}, and more".encode())
    assert spilled({"token": value}, {"state": b'{"a": "' + coded + b'"}'}) == ["token stands in state"]
    assert spilled({"token": value}, {"state": f"{before}{value}".encode()}) == ["token stands in state"]
    assert spilled({"token": value}, {"state": coded[::-1]}) == []


def test_of_a_key_file_the_key_is_looked_for() -> None:
    file = "# created: today\n# public key: age1" + "q" * 58 + "\nAGE-SECRET-KEY-1ABCDEFGHIJ\n"
    assert spilled({"key": file}, {"a": b"... AGE-SECRET-KEY-1ABCDEFGHIJ ..."}) == ["key stands in a"]
    assert spilled({"key": file}, {"a": b"# created: today\n# public key: age1" + b"q" * 58}) == []


def test_a_layer_is_ready_at_its_commit_only() -> None:
    def layer(name: str, applied: str, ready: str) -> dict[str, object]:
        status = {"lastAppliedRevision": applied, "conditions": [{"type": "Ready", "status": ready, "message": "said"}]}
        return {"metadata": {"name": name}, "status": status}

    layers: list[dict[str, object]] = [
        layer("a", "new", "True"),
        layer("b", "old", "True"),
        layer("c", "new", "False"),
        {"metadata": {"name": "d"}},
    ]
    assert [line.split(":")[0].strip() for line in unready(layers, "new")] == ["b", "c", "d"]


def test_what_is_no_file_of_a_machine_is_no_machine() -> None:
    with pytest.raises(NotDone, match="printed no machine's file"):
        node_file("usage: ./run hosts", "server")


def test_what_is_missing_is_said_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert [line.partition(":")[0].split(",")[0] for line in missing()] == [
        *("git", "ssh", "age-keygen", "pulumi", "flux", "kubectl"),
        "a key in an SSH agent",
    ]
