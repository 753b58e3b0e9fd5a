"""Beginning k3s on a host in a folder: k3s and systemd are stand-ins of these tests, the script is the one that is sent."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from .k3s_host import TOKEN, VERSION, K3sHost

BEFORE, NOW = "wrong-token-of-before", "another-one-of-now"
ALL = ["binary", "links", "token", "configuration", "unit", "start", "ready"]


@pytest.fixture
def host(tmp_path: Path) -> K3sHost:
    made = K3sHost(tmp_path)
    made.prepared()
    return made


def test_a_first_server_is_begun_and_a_second_run_does_nothing(host: K3sHost) -> None:
    host.send()
    assert host.look()["k3s"]["tasks"] == ALL
    done = host.apply()
    assert (done["status"], done["changed"], done["k3s"]["tasks"]) == ("fine", True, ALL)
    assert (done["k3s"]["state"], done["k3s"]["ready"], done["k3s"]["running"]) == ("running", True, VERSION)
    assert host.place("/usr/local/bin/k3s").read_bytes() == host.binary
    assert str(host.place("/usr/local/bin/crictl").readlink()) == "k3s"
    before, calls = host.files(), host.calls
    again = host.apply()
    assert (again["changed"], again["k3s"]["tasks"], again["k3s"]["differs"], again["k3s"]["begun"]) == (False, [], [], "")
    assert host.look()["k3s"]["tasks"] == []
    assert (host.files(), host.calls) == (before, calls)


def test_the_files_are_what_k3s_reads_and_hold_the_token_nowhere_else(host: K3sHost) -> None:
    host.send()
    host.apply(datastore="etcd", registries={"docker.io": ["https://mirror.example"]}, config={"tls-san": ["a", "b"], "x": "1: #"})
    files = host.files()
    assert files["etc/rancher/k3s/fluxstead-token"] == (0o600, f"{TOKEN}\n".encode())
    assert [path for path, (_, text) in files.items() if b"thesecret" in text] == ["etc/rancher/k3s/fluxstead-token"]
    mode, text = files["etc/rancher/k3s/config.yaml.d/40-fluxstead.yaml"]
    path = host.place("/etc/rancher/k3s/fluxstead-token")
    assert (mode, text.decode().splitlines()[1:]) == (
        0o600,
        ["tls-san:", '  - "a"', '  - "b"', 'x: "1: #"', f'token-file: "{path}"', "cluster-init: true"],
    )
    registries = files["etc/rancher/k3s/registries.yaml"][1].decode().splitlines()[1:]
    assert registries == ["mirrors:", '  "docker.io":', "    endpoint:", '      - "https://mirror.example"']
    unit = files["etc/systemd/system/k3s.service"][1].decode()
    assert {"Type=notify", "KillMode=process", "Delegate=yes", "RestartSec=5s", "LimitNOFILE=1048576"} <= set(unit.splitlines())
    assert f"ExecStart={host.place('/usr/local/bin/k3s')} server" in unit


def test_an_agent_joins_by_a_file_that_names_the_server(host: K3sHost) -> None:
    host.send()
    done = host.apply(role="agent", begin="join", server="https://192.0.2.1:6443", config={})
    assert done["status"] == "fine"
    text = host.place("/etc/rancher/k3s/config.yaml.d/40-fluxstead.yaml").read_text()
    assert 'server: "https://192.0.2.1:6443"' in text
    assert "Type=exec" in host.place("/etc/systemd/system/k3s-agent.service").read_text()


@pytest.mark.parametrize("stop", ALL)
def test_interrupted_before_any_task_the_same_run_ends_it(stop: str, host: K3sHost) -> None:
    """As a power cut would: nothing of the process is left, and the next run has only the disk."""
    host.send()

    class CutOff(BaseException):
        pass

    def cut(*_: object) -> None:
        raise CutOff

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(host.script.K3S_TASKS, stop, cut)
        with pytest.raises(CutOff):
            host.apply()
    seen = host.look()["k3s"]
    assert seen["tasks"] == ALL[ALL.index(stop) :]
    assert seen["begun"] == ("first" if stop != "binary" or seen["begun"] else "")
    done = host.apply()
    assert (done["status"], done["k3s"]["tasks"]) == ("fine", ALL[ALL.index(stop) :])
    assert host.look()["k3s"]["tasks"] == []


def test_a_start_that_was_cut_off_before_it_was_recorded_is_repeated_only_while_nobody_answers(host: K3sHost) -> None:
    host.send()
    host.when_started("")
    with pytest.raises(host.script.StepError, match="not Ready after 3 s"):
        host.apply()
    assert host.look()["k3s"]["tasks"] == ["ready"], "it runs with what is told: it is only waited for"
    record = host.place("/var/lib/fluxstead/k3s.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), "started": ""}))
    assert host.look()["k3s"]["tasks"] == ["start", "ready"]
    os.system(host.joins(ready="False"))  # noqa: S605 -- the tests' own text
    assert host.look()["k3s"]["tasks"] == ["ready"]


def test_what_was_wrong_is_put_right_before_anybody_answers_and_never_after(host: K3sHost) -> None:
    host.send()
    host.when_started("")
    with pytest.raises(host.script.StepError):
        host.apply(token=BEFORE)
    host.when_started(host.joins())
    done = host.apply()
    assert done["k3s"]["tasks"] == ["token", "start", "ready"]
    assert "systemctl restart --no-block k3s.service" in host.calls
    assert host.apply(token=NOW)["k3s"]["tasks"] == []


def test_a_begun_server_with_data_keeps_what_it_was_born_with(host: K3sHost) -> None:
    host.send()
    host.when_started(
        f"mkdir -p {host.place('/var/lib/rancher/k3s/server/db')}; echo x >{host.place('/var/lib/rancher/k3s/server/db/state.db')}"
    )
    with pytest.raises(host.script.StepError):
        host.apply()
    before = host.files()
    join = {"begin": "join", "server": "https://192.0.2.9:6443"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"config": {"cluster-cidr": "10.9.0.0/16", "disable": []}}, "begun here with cluster-cidr"),
        ({"token": NOW}, "another token"),
        (join, "and is to be a server that joins now"),
        ({"role": "agent", **join}, "begun here as server"),
    ]
    for change, said in cases:
        done = host.apply(**change)
        assert done["status"] == "refused"
        assert any(said in why for why in done["why"]), done["why"]
        assert "mv " in " ".join(done["why"])
        assert "rm -rf" not in " ".join(done["why"])
    assert host.files() == before


def test_a_running_k3s_of_somebody_is_adopted_as_it_is(host: K3sHost) -> None:
    host.runs(arguments="--disable=traefik --disable servicelb", version="v1.32.5+k3s1")
    before = host.files()
    done = host.apply(registries={"docker.io": ["https://mirror.example"]})
    assert (done["status"], done["changed"], done["k3s"]["tasks"]) == ("fine", False, [])
    told = done["k3s"]["differs"]
    assert any(line.startswith("k3s v1.32.5+k3s1 runs, described is v1.33.1+k3s1") and "drain k3s1" in line for line in told)
    assert any(line.startswith("secrets-encryption is not set in effect, described is true") for line in told)
    assert any("registries.yaml" in line for line in told)
    assert not any(line.startswith("disable") for line in told)
    assert (host.files(), host.calls) == (before, [])


@pytest.mark.parametrize(
    ("state", "told", "said"),
    [
        ({"name": "old"}, {}, "knows this host as node old, described is k3s1"),
        ({"pods": "10.9.0.0/24"}, {}, "cluster-cidr is one that holds 10.9.0.0/24, described is podCidr: 10.42.0.0/16"),
        ({"arguments": "--service-cidr=10.9.0.0/16"}, {"config": {"service-cidr": "10.43.0.0/16"}}, "service-cidr is 10.9.0.0/16"),
        ({}, {"datastore": "etcd"}, "kept in sqlite, described is etcd"),
        ({}, {"role": "agent", "begin": "join", "server": "https://192.0.2.9:6443"}, "k3s is a server here, described is an agent"),
        (
            {"arguments": "--datastore-endpoint=mysql://u:p@h/d"},
            {},
            "described is sqlite: there is no way between these; take binaries out of the description",
        ),
    ],
)
def test_what_a_running_k3s_cannot_change_is_refused_with_what_it_costs(
    state: dict[str, Any], told: dict[str, Any], said: str, host: K3sHost
) -> None:
    host.runs(**state)
    before = host.files()
    for done in (host.look(**told), host.apply(**told)):
        assert done["status"] == "refused"
        assert any(said in why for why in done["why"]), done["why"]
        assert "u:p@h" not in json.dumps(done)
    assert (host.files(), host.calls) == (before, [])


def test_the_digest_of_the_binary_decides_before_it_can_be_started(host: K3sHost) -> None:
    host.send(b"<!DOCTYPE html><html>login</html>")
    [why] = host.apply()["why"]
    assert "another file than described lies there" in why
    assert not host.place("/usr/local/bin/k3s").exists()
    assert host.place("/usr/local/bin/.k3s.fluxstead").stat().st_mode & 0o111 == 0
    host.place("/usr/local/bin/.k3s.fluxstead").unlink()
    assert "it was not sent" in host.apply()["why"][0]
    assert host.look()["k3s"]["refused"] == [], "a plan comes before the sending"
    assert "./run upgrade kubernetes --lock" in host.apply(digests={})["why"][0]


def test_the_binary_says_another_version_than_described(host: K3sHost) -> None:
    host.binary = host.k3s("v1.20.0+k3s1")
    host.send()
    done = host.apply()
    assert "says that it is v1.20.0+k3s1, described is v1.33.1+k3s1" in done["why"][0]
    assert host.calls == [], "it is not started"


def test_images_that_were_sent_are_verified_and_put_where_k3s_looks(host: K3sHost) -> None:
    host.send()
    name, archive = "k3s-airgap-images-amd64.tar.zst", b"(\xb5/\xfdarchive"
    images = {name: hashlib.sha256(archive).hexdigest()}
    with pytest.raises(host.script.StepError, match="did not send it"):
        host.apply(images=images)
    host.write(f"/var/lib/rancher/k3s/agent/images/.{name}.fluxstead", b"cut off")
    with pytest.raises(host.script.StepError, match="is not what is described: no binary at all"):
        host.apply(images=images)
    host.write(f"/var/lib/rancher/k3s/agent/images/.{name}.fluxstead", archive)
    assert host.apply(images=images)["k3s"]["ready"]
    assert host.place(f"/var/lib/rancher/k3s/agent/images/{name}").read_bytes() == archive


def test_mint_and_kubeconfig_come_from_a_running_server_only(host: K3sHost, capsys: pytest.CaptureFixture[str]) -> None:
    script = host.script
    assert script.minted()["why"] == script.kubeconfig()["why"] == ["no server of k3s runs on this host"]
    host.runs()
    token = f"K10{'0' * 64}::abcdef.0123456789abcdef"
    (host.state / "minted").write_text(f"{token}\n")
    assert script.minted()["token"] == token
    assert "k3s token create --ttl 2h --description fluxstead: a machine that joins" in host.calls
    assert "k3s writes it when its API answers" in script.kubeconfig()["why"][0]
    host.write("/etc/rancher/k3s/k3s.yaml", "apiVersion: v1\n")
    assert script.kubeconfig()["kubeconfig"] == "apiVersion: v1\n"
    (host.state / "minted").write_text(f"{token[:70]}\n")
    with pytest.raises(script.StepError) as failed:
        script.minted()
    assert "0000" not in str(failed.value)
    assert "K10" not in capsys.readouterr().out


def test_no_secret_is_said_on_the_way(host: K3sHost, capsys: pytest.CaptureFixture[str]) -> None:
    host.send()
    host.when_started("")
    host.says(f'level=error msg="token {TOKEN} of thesecretofthecluster and K10{"cd" * 32}::node:x: 401 Unauthorized"')
    with pytest.raises(host.script.StepError) as failed:
        host.apply()
    for text in (str(failed.value), *capsys.readouterr()):
        assert "thesecret" not in text
        assert not re.search("(ab|cd){4}", text)
    assert "does not take the token" in str(failed.value)
