"""What k3s is configured with: nothing that its role does not know, nothing that is said elsewhere, and all that was described."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.catalog.k3s_options import options_of
from fluxstead.core.findings import Source
from fluxstead.core.version import Version
from fluxstead.core.yaml_text import to_yaml
from fluxstead.description.kubernetes import KubernetesSettings
from fluxstead.description.kubernetes_checks import findings_of
from fluxstead.hosts.k3s_config import SAID_ELSEWHERE, configuration, registries
from fluxstead.nodes.model import Node
from fluxstead.tree.asks import HostSetting

VERSION = "v1.33.1+k3s1"
OPTIONS = options_of(Version(VERSION))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(0, 9999),
    "string": st.text("abc=,:/", min_size=1, max_size=9),
    "list": st.one_of(
        st.text("abc=", min_size=1, max_size=5), st.lists(st.text("abc=", min_size=1, max_size=5), min_size=1, max_size=3)
    ),
}
CONFIGS = st.dictionaries(st.sampled_from(sorted(OPTIONS.types.keys() - SAID_ELSEWHERE.keys())), st.none(), max_size=6).flatmap(
    lambda keys: st.fixed_dictionaries({key: VALUES[OPTIONS.types[key]] for key in keys})
)
LISTS = sorted(key for key, type_ in OPTIONS.types.items() if type_ == "list" and key not in SAID_ELSEWHERE)
ASKED = st.lists(st.tuples(st.sampled_from(LISTS), st.tuples(st.text("xyz=", min_size=1, max_size=5))), max_size=4)


def machine(role: str) -> Node:
    return Node.model_validate({"name": "a", "cluster": "home", "address": "10.0.0.1", "role": role, "state": "live"})


def asks(key: str, value: Any) -> HostSetting:
    return HostSetting(key, value, "a test", "nothing", Source("a"))


def described(**more: Any) -> KubernetesSettings:
    return KubernetesSettings.model_validate({"version": VERSION, **more})


def test_a_server_has_what_is_described_in_the_order_of_the_documentation() -> None:
    kubernetes = described(
        datastore="etcd",
        apiAddress="api.home.arpa",
        tlsSan=["10.0.0.9", "api.home.arpa"],
        podCidr="10.42.0.0/16,fd00:42::/56",
        serviceCidr="10.43.0.0/16,fd00:43::/112",
        disable=["traefik"],
        secretsEncryption=True,
        etcdSnapshots={"schedule": "0 */6 * * *", "retention": 9},
        config={"kubelet-arg": ["max-pods=200"], "etcd-s3": True},
    )
    found = configuration(
        kubernetes.for_hosts(), machine("server"), [asks("kubelet-arg", ("a=b",)), asks("etcd-expose-metrics", True)]
    )
    assert list(found.items()) == [
        ("tls-san", ["api.home.arpa", "10.0.0.9"]),
        ("cluster-cidr", "10.42.0.0/16,fd00:42::/56"),
        ("service-cidr", "10.43.0.0/16,fd00:43::/112"),
        ("disable", ["traefik"]),
        ("secrets-encryption", True),
        ("etcd-snapshot-schedule-cron", "0 */6 * * *"),
        ("etcd-snapshot-retention", 9),
        ("kubelet-arg", ["a=b", "max-pods=200"]),
        ("etcd-expose-metrics", True),
        ("etcd-s3", True),
    ]


def test_an_agent_has_only_what_it_knows() -> None:
    """It does not start with a key of a server's."""
    kubernetes = described(datastore="etcd", tlsSan=["10.0.0.9"], config={"kubelet-arg": "max-pods=200", "etcd-s3": True})
    assert configuration(kubernetes.for_hosts(), machine("agent")) == {"kubelet-arg": ["max-pods=200"]}


def test_a_key_of_a_newer_version_reaches_servers_alone() -> None:
    """They leave out what they do not know."""
    kubernetes = described(version="v1.99.0+k3s1", config={"zebra": "a"})
    assert configuration(kubernetes.for_hosts(), machine("server"))["zebra"] == "a"
    assert configuration(kubernetes.for_hosts(), machine("agent")) == {}


def test_a_default_says_nothing_but_the_networks() -> None:
    assert configuration(described().for_hosts(), machine("server")) == {
        "cluster-cidr": "10.42.0.0/16",
        "service-cidr": "10.43.0.0/16",
    }
    assert described(etcdSnapshots={}).for_hosts().snapshots is None


@given(CONFIGS, ASKED, st.sampled_from(["server", "agent"]))
def test_any_configuration(config: dict[str, Any], asked: list[tuple[str, tuple[str]]], role: Any) -> None:
    """What the checks let through arrives whole, in the type of its key, at each machine that knows it, and reads back the same."""
    kubernetes = described(datastore="etcd", config=config)
    settings = [asks(key, value) for key, value in asked]
    assert not list(findings_of(kubernetes, [machine("server")], settings))
    found = configuration(kubernetes.for_hosts(), machine(role), settings)
    assert all(role in OPTIONS.roles[key] for key in found)
    assert not found.keys() & {"node-name", "node-ip", "node-label", "node-taint", "token", "token-file", "server", "cluster-init"}
    for key, value in [*config.items(), *asked]:
        if role in OPTIONS.roles[key]:
            if OPTIONS.types[key] == "list":
                assert set([value] if isinstance(value, str) else value) <= set(found[key])
            else:
                assert found[key] == value
        else:
            assert key not in found
    assert yaml.safe_load(to_yaml(found)) == found
    assert configuration(kubernetes.for_hosts(), machine(role), settings) == found


def test_what_is_said_elsewhere_are_keys_of_k3s() -> None:
    """A misspelt one would protect nothing; three came with 1.32, and one with 1.32.2."""
    every = options_of(Version("v1.36.3+k3s1")).types.keys()
    assert SAID_ELSEWHERE.keys() <= every


@pytest.mark.parametrize("mirrors", [{}, {"docker.io": ["https://a.example", "http://10.0.0.1:5000"], "*": ["https://b.example"]}])
def test_registries(mirrors: dict[str, list[str]]) -> None:
    content = registries(described(registryMirrors=mirrors).registry_mirrors)
    assert content == ({"mirrors": {name: {"endpoint": urls} for name, urls in mirrors.items()}} if mirrors else {})
