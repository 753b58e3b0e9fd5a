"""What k3s says when its node does not become Ready, and what a person reads of it. The journal is the tests' own text."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.hosts.script.k3s_wait import masked

from .k3s_host import TOKEN, K3sHost

WAITING = 'time="x" level=info msg="Waiting to retrieve agent configuration; server is not ready: {}"'


@pytest.fixture
def host(tmp_path: Path) -> K3sHost:
    made = K3sHost(tmp_path)
    made.prepared()
    made.send()
    made.when_started("")
    return made


def why(host: K3sHost, *lines: str) -> str:
    host.says(*lines)
    with pytest.raises(host.script.StepError) as error:
        host.apply(role="agent", begin="join", server="https://192.0.2.1:6443", config={}, seconds=90)
    return str(error.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            WAITING.format("token CA hash does not match the Cluster CA certificate hash: 0 != 1"),
            "the token is for another cluster",
        ),
        ('level=error msg="CA cert validation failed: x509: certificate signed by unknown authority"', "of another authority"),
        (WAITING.format("x509: certificate has expired or is not yet valid: current time 1970"), "timedatectl set-ntp true"),
        (WAITING.format("Node password rejected, duplicate hostname or contents"), "delete secret k3s1.node-password.k3s"),
        (
            WAITING.format("https://127.0.0.1:6444/v1-k3s/serving-kubelet.crt: 401 Unauthorized"),
            "run this again, which makes a new one",
        ),
        ('level=fatal msg="starting kubernetes: listen tcp :6443: bind: address already in use"', "ss -tlnp"),
        ('level=fatal msg="no default routes found in \\"/proc/net/route\\""', "no default route"),
        ('level=fatal msg="bootstrap data already found and encrypted with different token"', "another token than the k3s-token"),
        ('level=fatal msg="failed to find memory cgroup (v2)"', "cmdline.txt"),
        ('level=fatal msg="critical configuration value mismatch"', "what all servers must have alike"),
        (
            'level=fatal msg="etcd cluster join failed: duplicate node name found, please use a unique name"',
            "kubectl delete node k3s1",
        ),
    ],
)
def test_what_no_waiting_mends_is_told_at_once_in_words(line: str, said: str, host: K3sHost) -> None:
    told = why(host, "I0101 kubelet starts", line)
    assert "the node does not become Ready: " in told
    assert said in told
    assert "sudo journalctl -u k3s-agent -n 100" in told


def test_a_server_that_does_not_answer_yet_is_waited_for(host: K3sHost) -> None:
    host.says('level=error msg="dial tcp 192.0.2.1:6443: connect: connection refused"')
    with pytest.raises(host.script.StepError, match=r"not Ready after 2 s.*curl -vk https://192.0.2.1:6443/ping"):
        host.apply(role="agent", begin="join", server="https://192.0.2.1:6443", config={}, seconds=2)


def test_a_unit_that_ends_again_and_again_is_not_waited_for(host: K3sHost) -> None:
    host.when_started(f"( sleep 0.5; echo 9 >{host.state}/restarts ) >/dev/null 2>&1 &")
    told = why(host, 'level=fatal msg="something new"', "level=info msg=fine")
    assert "k3s ended 9 times" in told
    assert "what keeps it is not known. k3s says: something new;" in told


def test_a_node_that_becomes_ready_later_ends_the_wait(host: K3sHost) -> None:
    host.when_started(f"( sleep 0.4; {host.joins(ready='True')} ) >/dev/null 2>&1 &")
    host.says(WAITING.format("connection refused"))
    assert host.apply(seconds=90)["k3s"]["ready"]


@pytest.mark.parametrize(
    "token", [TOKEN, "abcdef.0123456789abcdef", f"K10{'0' * 64}::abcdef.0123456789abcdef", "short-secret-word"]
)
def test_nothing_of_a_token_is_left_in_a_line(token: str) -> None:
    for shown in (token, token.rpartition("::")[2], token.rpartition(":")[2]):
        line = masked(f"before {shown} after", token)
        assert shown not in line
        assert line.startswith("before ")
        assert line.endswith(" after")
