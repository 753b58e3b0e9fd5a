"""What holds of every k3s that may be found, and of everything that may be told of it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from fluxstead.hosts.script.k3s_decide import IN_ORDER, decide_k3s
from fluxstead.hosts.script.k3s_files import birth_of
from fluxstead.hosts.script.k3s_model import LOADED, Begun, Foreign, FoundK3s, FoundUnit, K3sVerdict, ToldK3s
from tests.conftest import examples

MANY = examples(100, suppress_health_check=[HealthCheck.too_slow])
NODE = "k3s1"
CIDRS = st.sampled_from(["10.42.0.0/16", "10.9.0.0/16", "10.42.0.0/16,fd00::/56"])
VERSIONS = st.sampled_from(["v1.33.1+k3s1", "v1.32.0+k3s1", ""])
GOING = st.sampled_from(["active", "activating", "inactive", "failed", "masked"])

any_told = st.builds(
    ToldK3s,
    version=VERSIONS.filter(bool),
    role=st.sampled_from(["server", "agent"]),
    datastore=st.sampled_from(["sqlite", "etcd"]),
    digests=st.sampled_from([{}, dict.fromkeys(("amd64", "arm64", "arm"), "a" * 64)]),
    url=st.sampled_from(["", "https://example/"]),
    config=st.fixed_dictionaries(
        {},
        optional={
            "cluster-cidr": CIDRS,
            "service-cidr": CIDRS,
            "disable": st.just(["traefik"]),
            "secrets-encryption": st.booleans(),
        },
    ),
    registries=st.sampled_from([{}, {"docker.io": ("https://mirror",)}]),
    begin=st.sampled_from(["first", "join", "look"]),
    server=st.just("https://192.0.2.1:6443"),
    token=st.sampled_from(["", "secret"]),
    seconds=st.just(1),
    images=st.just({}),
)
any_unit = st.builds(
    FoundUnit,
    st.sampled_from(["k3s.service", "k3s-agent.service"]),
    GOING,
    st.just("/etc/systemd/system/k3s.service"),
    st.booleans(),
    st.sampled_from(["server", "agent", ""]),
)
any_begun = st.none() | st.builds(
    Begun,
    st.sampled_from(["server", "agent"]),
    st.sampled_from(["first", "join"]),
    st.sampled_from([{}, {"cluster-cidr": '"10.42.0.0/16"'}]),
    st.sampled_from(["", "now"]),
)
any_found = st.builds(
    FoundK3s,
    running=st.booleans(),
    units=st.lists(any_unit, max_size=2).map(tuple),
    role=st.sampled_from(["", "server", "agent"]),
    version=VERSIONS,
    digest=st.sampled_from(["", "a" * 64, "b" * 64]),
    running_version=VERSIONS,
    ready=st.booleans(),
    answers=st.booleans(),
    used=st.booleans(),
    node_name=st.sampled_from(["", NODE, "old"]),
    pod_cidrs=st.sampled_from([(), ("10.42.1.0/24",), ("10.9.0.0/24", "fd00::/64"), ("no network",)]),
    datastore=st.sampled_from(["", "sqlite", "etcd", "external"]),
    data=st.sampled_from([(), (), ("server/db",), ("agent/client-kubelet.crt",)]),
    begun=any_begun,
    effective=st.dictionaries(
        st.sampled_from(["cluster-cidr", "disable", "token"]), st.none() | CIDRS.map(lambda one: (one,)), max_size=2
    ),
    unreadable=st.sampled_from([(), (), ("/etc/rancher/k3s/config.yaml",)]),
    foreign=st.sampled_from(
        [(), (), (Foreign("/f", 1, "server", False, ("x",)),), (Foreign("/f", 1, "token", False, ("secretvalue",)),)]
    ),
    token=st.sampled_from(["absent", "right", "other"]),
    due=st.sets(st.sampled_from(IN_ORDER)).map(lambda due: tuple(task for task in IN_ORDER if task in due)),
    sent=st.sampled_from(["", "a" * 64, "b" * 64]),
    will_be=st.sampled_from([NODE, NODE, "other"]),
    environment=st.sampled_from([(), (), ("/f:1 sets K3S_URL",)]),
    taken=st.sampled_from([(), (), ("/etc/rancher/k3s/registries.yaml",)]),
    problems=st.sampled_from([(), (), ("no default route",)]),
)


@MANY
@given(any_told, any_found)
def test_nothing_that_is_told_leads_to_a_task_where_k3s_runs(told: ToldK3s, found: FoundK3s) -> None:
    """Only one that this script began, and that nobody heard of yet, may still be begun; one that answers is waited for."""
    verdict = decide_k3s(told, NODE, found)
    ours = all(unit.ours for unit in found.units if unit.active in LOADED)
    if found.running and not (found.begun and ours):
        assert verdict.tasks == ()
    if found.running and (found.answers or found.used):
        assert set(verdict.tasks) <= {"ready"}
    if found.answers or found.used:
        assert not set(verdict.tasks) - {"start", "ready"} or not found.begun


@MANY
@given(any_told, any_found)
def test_a_refusal_comes_with_no_task_and_no_secret(told: ToldK3s, found: FoundK3s) -> None:
    verdict = decide_k3s(told, NODE, found)
    if verdict.refused:
        assert verdict.tasks == ()
    assert "secretvalue" not in repr(verdict)
    assert "secret'" not in repr(told)
    assert "rm -rf" not in repr(verdict)


@MANY
@given(any_told, any_found)
def test_data_of_a_cluster_that_this_script_did_not_begin_are_left(told: ToldK3s, found: FoundK3s) -> None:
    if found.data and not found.begun:
        assert decide_k3s(told, NODE, found).tasks == ()


@MANY
@given(any_told, any_found)
def test_nothing_begins_under_another_name_or_against_what_this_machine_lacks(told: ToldK3s, found: FoundK3s) -> None:
    tasks = set(decide_k3s(told, NODE, found).tasks)
    if tasks - {"start", "ready"}:
        assert found.will_be == NODE
        assert not found.problems
        assert not found.environment
        assert told.digest


def do(task: str, told: ToldK3s, found: FoundK3s) -> FoundK3s:
    """What is found after a task, as the real script would leave it."""
    begun = found.begun or Begun(told.role, told.begin, birth_of(told))
    due = tuple(one for one in found.due if one != task)
    if task == "binary":
        return replace(found, due=due, begun=begun, digest=told.digest, version=told.version)
    if task == "start":
        unit = FoundUnit(f"{told.unit}.service", "active", "/f", True, told.role)
        # Another digest than it was started with is no longer found.
        return replace(found, due=due, begun=begun, units=(unit,), running=True, role=told.role)
    if task == "ready":
        found = replace(found, begun=None, running_version=told.version, running=True, ready=True)
        return replace(found, answers=True, node_name=NODE, role=told.role)
    return replace(found, due=due, begun=begun)


@MANY
@given(any_told, any_found)
def test_a_plan_after_an_apply_is_empty(told: ToldK3s, found: FoundK3s) -> None:
    verdict: K3sVerdict = decide_k3s(told, NODE, found)
    done: list[str] = []
    while verdict.tasks:
        done.append(verdict.tasks[0])
        assert len(done) == len(set(done)), "nothing is done twice"
        found = do(verdict.tasks[0], told, found)
        verdict = decide_k3s(told, NODE, found)
    assert not done or verdict.state == "running" or verdict.refused
