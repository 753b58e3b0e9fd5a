"""Hosts on which k3s does not begin: what is there already, or what the machine lacks. Each ends in words; nothing is written."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fluxstead.hosts.script import k3s_others, tools
from fluxstead.hosts.script.k3s_model import read_told
from fluxstead.hosts.script.model import WrongUseError

from .k3s_host import TOKEN, K3sHost


@pytest.fixture
def host(tmp_path: Path) -> K3sHost:
    made = K3sHost(tmp_path)
    made.prepared()
    made.send()
    return made


def refused(host: K3sHost, **told: Any) -> str:
    """Why nothing was done; and nothing was."""
    before = host.files()
    done = host.apply(**told)
    assert done["status"] == "refused", done
    assert (host.files(), host.calls) == (before, [])
    assert "thesecret" not in str(done)
    return "\n".join(done["why"])


def test_somebody_s_k3s_that_was_stopped_is_theirs_to_start(host: K3sHost) -> None:
    host.runs(arguments="--token=thesecret")
    host.stops()
    assert "which this script did not write, is inactive); nothing was done: who stopped it knows why" in refused(host)
    assert host.look()["k3s"]["state"] == "stopped"


def test_our_own_that_was_stopped_after_it_was_ready_is_not_started_again(host: K3sHost) -> None:
    host.apply()
    host.stops()
    (host.state / "calls").write_text("")
    assert "sudo systemctl start k3s.service" in refused(host)


def test_data_without_a_unit_stay_where_they_are(host: K3sHost) -> None:
    host.write("/var/lib/rancher/k3s/server/db/etcd/member/snap/db", "data")
    home = host.place("/var/lib/rancher/k3s")
    assert f"a k3s left its data here ({home}/server/db)" in refused(host)


def test_what_may_lie_there_before_is_no_data(host: K3sHost) -> None:
    """An authority of one's own, manifests and images are put there before the first start."""
    for path in ("server/tls/server-ca.crt", "server/manifests/a.yaml", "agent/images/other.tar", "data/abc/bin/k3s"):
        host.write(f"/var/lib/rancher/k3s/{path}", "kept")
    assert host.apply()["k3s"]["ready"]


def test_a_binary_of_somebody_is_not_replaced(host: K3sHost) -> None:
    host.write("/usr/local/bin/k3s", host.k3s("v1.20.0+k3s1"), 0o755)
    assert "is v1.20.0+k3s1, not the described binary" in refused(host)
    host.write("/usr/local/bin/k3s", "#!/bin/nothing\n", 0o755)
    assert "no k3s that says its version" in refused(host)


def test_a_link_or_a_tool_of_somebody_stays(host: K3sHost) -> None:
    kubectl = host.write("/usr/local/bin/kubectl", "mine", 0o755)
    host.place("/usr/local/bin/ctr").symlink_to("/nowhere")
    host.apply()
    assert kubectl.read_text() == "mine"
    assert str(host.place("/usr/local/bin/ctr").readlink()) == "/nowhere"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("server: https://192.0.2.9:6443", "config.yaml:2 sets server: https://192.0.2.9:6443"),
        ("token: thesecret", "config.yaml:2 sets token: …"),
        ("cluster-cidr: 10.9.0.0/16", "config.yaml:2 sets cluster-cidr: 10.9.0.0/16"),
        ("cluster-init: true", "sets cluster-init"),
        ("datastore-endpoint: mysql://thesecret@h/d", "sets datastore-endpoint: …"),
        ("data-dir: /srv/k3s", "sets data-dir"),
        ("disable: *all", "sets disable: more than a line"),
        ("node-name: other", "config.yaml:2 sets node-name: other"),
        ("{disable: [a]}", "is not as simple as this script reads"),
    ],
)
def test_a_line_of_somebody_that_says_otherwise_is_named(line: str, said: str, host: K3sHost) -> None:
    host.write("/etc/rancher/k3s/config.yaml", f"# mine\n{line}\n")
    assert said in refused(host)


def test_a_file_of_somebody_that_says_the_same_or_something_else_is_no_reason(host: K3sHost) -> None:
    host.write("/etc/rancher/k3s/config.yaml", "cluster-cidr: 10.42.0.0/16\nwrite-kubeconfig-mode: '0640'\n")
    host.write("/etc/rancher/k3s/config.yaml.d/90-mine.yaml", "disable+:\n- metrics-server\nnode-name: k3s1\n")
    assert host.apply()["k3s"]["ready"]


def test_files_of_somebody_in_our_places_stay(host: K3sHost) -> None:
    host.write("/etc/rancher/k3s/registries.yaml", "mirrors: {}\n")
    host.write("/etc/rancher/k3s/config.yaml.d/40-fluxstead.yaml", "disable: []\n")
    why = refused(host, registries={"docker.io": ["https://m"]})
    assert why.count("is somebody's") == 2


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/systemd/system/k3s.service.env", "http_proxy=x\nK3S_URL=https://thesecret\n"),
        ("/etc/default/k3s", "export K3S_TOKEN=thesecret\n"),
        ("/etc/systemd/system/k3s.service.d/10.conf", "[Service]\nExecStart=\n"),
    ],
)
def test_what_would_reach_k3s_past_its_configuration_is_named(path: str, text: str, host: K3sHost) -> None:
    host.write(path, text)
    assert "which k3s would take for its own" in refused(host)


def test_a_host_that_was_not_prepared_would_have_another_name(host: K3sHost) -> None:
    host.place("/etc/rancher/k3s/config.yaml.d/50-fluxstead.yaml").unlink()
    assert f"would register this host as {os.uname().nodename.lower()}" in refused(host)
    assert host.look()["k3s"]["refused"] == [], "a plan is before the preparation"


def test_a_masked_unit_is_left(host: K3sHost) -> None:
    shown = "Id=k3s.service\\nLoadState=masked\\nActiveState=inactive\\nFragmentPath=/dev/null\\n"
    host.program("systemctl", f"#!/bin/sh\nprintf '{shown}'\n")

    assert "sudo systemctl unmask k3s.service" in refused(host)


def test_a_token_file_that_others_may_read_is_written_anew(host: K3sHost) -> None:
    host.write("/etc/rancher/k3s/fluxstead-token", f"{TOKEN}\n", 0o644)
    assert "token" in host.apply()["k3s"]["tasks"]
    assert host.files()["etc/rancher/k3s/fluxstead-token"][0] == 0o600


def test_a_k3s_started_by_hand_is_adopted(host: K3sHost) -> None:
    """Without a unit, and in the host's own files; not one in a container."""
    fake = host.place("/tmp/k3s")
    fake.parent.mkdir()
    fake.symlink_to(sys.executable)
    with subprocess.Popen([fake, "-c", "import time; time.sleep(60)"]) as hand:
        host.script.__dict__["text_of"] = _as_if(f"/proc/{hand.pid}/cmdline", "/usr/local/bin/k3s server\0", host.script.text_of)
        done = host.apply()
        hand.kill()
    assert (done["k3s"]["state"], done["k3s"]["tasks"]) == ("running", [])


def _as_if(path: str, text: str, before: Any) -> Any:
    return lambda asked: text if asked == path else before(asked)


def machine(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], folders: dict[str, str] | None = None, **told: Any
) -> list[str]:
    """The problems of a machine with these files of the kernel's."""
    plain = {
        "/proc/net/route": "Iface\tDestination\neth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
        "/sys/fs/cgroup/cgroup.controllers": "cpu io memory pids\n",
        "/proc/net/tcp": "",
        "/proc/net/tcp6": "",
        "/proc/net/ipv6_route": "",
        "/proc/cgroups": "",
    }
    before, those = tools.text_of, {**plain, **files}
    monkeypatch.setattr(k3s_others, "text_of", lambda path: those[path] if path in those else before(path))
    monkeypatch.setattr(k3s_others, "unwritable", lambda *_: "")
    monkeypatch.setattr(k3s_others, "OTHERS", ("kubelet-of-the-tests",))
    monkeypatch.setattr(k3s_others, "FOLDERS", folders or {})
    monkeypatch.setattr(k3s_others, "SYSTEMD", "/")
    one = {"version": "v1.33.1+k3s1", "role": "server", "datastore": "etcd", "begin": "look", "server": "", "seconds": 1, **told}
    return list(k3s_others.machine_problems(read_told(one, "plan"), ()))


def test_a_machine_on_which_k3s_can_start_has_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine(monkeypatch, {}) == []
    six = "0" * 32 + " 00 " + "0" * 32 + " 00 " + "f" * 32 + " 0 0 0 3 eth0\n"
    assert machine(monkeypatch, {"/proc/net/route": "", "/proc/net/ipv6_route": six}) == []


def test_no_default_route_is_told_with_a_dummy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lo = "0" * 32 + " 00 " + "0" * 32 + " 00 " + "0" * 32 + " ffffffff 1 0 00200200 lo\n"
    [why] = machine(monkeypatch, {"/proc/net/route": "Iface\n", "/proc/net/ipv6_route": lo})
    assert "ip link add dummy0 type dummy" in why


def test_a_kernel_that_accounts_no_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {"/sys/fs/cgroup/cgroup.controllers": "cpu\n", "/proc/cgroups": "#n h n e\nmemory 0 99 0\n"}
    assert "cgroup_enable=memory" in machine(monkeypatch, groups)[0]
    assert machine(monkeypatch, {**groups, "/proc/cgroups": "memory 0 99 1\n"}) == []


def test_a_port_that_somebody_has_is_told_with_who(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        inode = os.fstat(listening.fileno()).st_ino
        row = "  0: 0100007F:192B 00000000:0000 0A 0 0 0 0 0 {}\n"
        [why] = machine(monkeypatch, {"/proc/net/tcp": "head\n" + row.format(inode)})
    assert f"port 6443 is taken by {Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})" in why
    [why] = machine(monkeypatch, {"/proc/net/tcp": "head\n" + row.format(1)})
    assert "sudo ss -tlnp says who" in why
    assert machine(monkeypatch, {"/proc/net/tcp": "head\n" + row.format(1).replace("192B", "0050")}) == []
    assert machine(monkeypatch, {"/proc/net/tcp": "head\n" + row.format(1)}, role="agent") == []


def test_another_kubernetes_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "kubelet-of-the-tests"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as running:
        # An exec that has only begun has no words yet.
        while not Path(f"/proc/{running.pid}/cmdline").read_bytes():
            time.sleep(0.01)
        told = machine(monkeypatch, {}, {str(tmp_path): "somebody's; type: x"})
        running.kill()
    assert told[0].startswith(f"another Kubernetes runs here: kubelet-of-the-tests (process {running.pid})")
    assert told[1] == f"another Kubernetes is or was here ({tmp_path}): somebody's; type: x"


PLAIN = {
    "version": "v1.33.1+k3s1",
    "role": "server",
    "datastore": "etcd",
    "begin": "first",
    "server": "",
    "seconds": 1,
    "token": "t",
}
WRONG: list[dict[str, Any]] = [
    {"version": "1.33"},
    {"version": "v1.33.1/../x"},
    {"role": "master"},
    {"datastore": "mysql"},
    {"digests": {"amd64": "abc"}},
    {"digests": []},
    {"url": "http://example/x/"},
    {"url": "https://user:password@example/x/"},
    {"url": 1},
    {"config": []},
    {"config": {"a\nb": 1}},
    {"config": {"token": "x"}},
    {"config": {"data-dir": "/x"}},
    {"config": {"a": {"b": 1}}},
    {"config": {"a": ["b\nc"]}},
    {"config": {"a": "b\u2028c"}},
    {"config": {"a": None}},
    {"registries": {"a": "b"}},
    {"registries": {"a\nb": []}},
    {"begin": "now"},
    {"begin": "join"},
    {"server": "http://x", "begin": "join"},
    {"server": "https://x:1"},
    {"role": "agent"},
    {"token": "two words"},
    {"token": "a\nb"},
    {"token": ""},
    {"begin": "look"},
    {"seconds": 0},
    {"seconds": 10**6},
    {"seconds": True},
    {"images": {"../x.tar": "a" * 64}},
]


@pytest.mark.parametrize("change", WRONG)
def test_what_is_told_wrongly_is_refused_by_key_and_never_shows_the_token(change: dict[str, Any]) -> None:
    read_told(PLAIN, "apply")
    with pytest.raises(WrongUseError) as error:
        read_told({**PLAIN, **change}, "apply")
    assert next(iter(change)) in str(error.value) or "apply is told" in str(error.value) or "joins" in str(error.value)
    assert "two words" not in str(error.value)


def test_a_systemd_that_does_not_answer_hides_nobody_s_k3s(host: K3sHost) -> None:
    host.program("systemctl", "#!/bin/sh\necho 'Failed to connect to bus: No such file or directory' >&2; exit 1\n")
    before = host.files()
    with pytest.raises(host.script.StepError, match="does not say whether k3s is here: Failed to connect to bus"):
        host.apply()
    assert host.files() == before
    planned = host.look()
    assert (planned["status"], "k3s" in planned) == ("failed", False)
    assert "Failed to connect to bus" in planned["why"][0]


def test_a_unit_file_that_systemd_has_not_read_is_somebody_s_all_the_same(host: K3sHost) -> None:
    host.program("systemctl", "#!/bin/sh\nprintf 'Id=k3s.service\\nLoadState=not-found\\nActiveState=inactive\\n'\n")
    unit = host.write("/etc/systemd/system/k3s.service", "[Service]\nExecStart=/opt/mine server\n")
    assert f"{unit} is somebody's" in refused(host)


def test_a_k3s_that_somebody_started_where_ours_was_begun_is_left(host: K3sHost) -> None:
    """The record of an interrupted run gives no right over it."""
    host.when_started("")
    with pytest.raises(host.script.StepError):
        host.apply()
    assert host.place("/var/lib/fluxstead/k3s.json").exists()
    host.stops()
    host.runs("k3s-agent")
    (host.state / "node.json").unlink()
    (host.state / "calls").write_text("")
    assert "k3s is an agent here, described is a server" in refused(host)


def test_data_elsewhere_are_looked_for_where_they_are(host: K3sHost) -> None:
    """Else the node would have no name here, and any described one would do."""
    host.runs(arguments=f"--data-dir={host.place('/srv/k3s')}")
    host.place("/srv").mkdir()
    host.place("/var/lib/rancher/k3s").rename(host.place("/srv/k3s"))
    assert "knows this host as node k3s1, described is other" in refused_as(host, "other")
    assert host.look()["k3s"]["ready"]


def refused_as(host: K3sHost, name: str) -> str:
    host.prepared(name)
    return "\n".join(host.apply(name)["why"])


def test_the_right_binary_without_its_mode_gets_its_mode(host: K3sHost) -> None:
    host.place("/usr/local/bin/.k3s.fluxstead").unlink()
    host.write("/usr/local/bin/k3s", host.binary, 0o644)
    assert host.apply()["k3s"]["ready"]
    assert host.files()["usr/local/bin/k3s"][0] == 0o755


def test_what_a_file_of_somebody_says_to_a_terminal_is_not_repeated(host: K3sHost) -> None:
    host.write("/etc/rancher/k3s/config.yaml", 'server: "\\u001b[2Jgone"\n')
    assert "\x1b" not in refused(host)


def test_after_an_uninstall_an_interrupted_beginning_begins_anew(host: K3sHost) -> None:
    """k3s's own uninstaller takes all but the record."""
    host.when_started("")
    with pytest.raises(host.script.StepError):
        host.apply()
    host.stops()
    for path in ("/etc/systemd/system/k3s.service", "/usr/local/bin/k3s", "/etc/rancher/k3s/fluxstead-token"):
        host.place(path).unlink()
    host.when_started(host.joins())
    host.send()
    assert host.apply()["k3s"]["ready"]
    assert host.look()["k3s"]["tasks"] == []


def test_a_folder_in_the_place_of_a_file_is_named_and_stays(host: K3sHost) -> None:
    for path in ("/etc/rancher/k3s/config.yaml.d/40-fluxstead.yaml", "/usr/local/bin/k3s"):
        host.place(path).mkdir(parents=True)
        with pytest.raises((OSError, host.script.StepError), match=str(host.place(path))):
            host.apply()
        host.place(path).rmdir()


def test_every_place_that_will_be_written_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, int] = {}
    assert machine(monkeypatch, {}) == []
    monkeypatch.setattr(k3s_others, "unwritable", lambda path, room: asked.setdefault(path, room) and "somebody made it immutable")
    one = read_told({**PLAIN, "begin": "first"}, "apply")
    whys = [why for why in k3s_others.machine_problems(one, ("binary",)) if "immutable" in why]
    assert len(whys) == 1
    assert asked["/usr/local/bin/.k3s.fluxstead"] == k3s_others.BINARY_ROOM
    assert {"/etc/rancher/k3s/fluxstead-token", "/etc/systemd/system/k3s.service", "/var/lib/fluxstead/k3s.json"} <= set(asked)
