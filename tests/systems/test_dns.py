"""Names that CoreDNS answers: what the ConfigMap holds, and what is refused before."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.catalog.schemas import Schemas
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.systems.dns import plan
from fluxstead.systems.dns.settings import DnsSettings
from fluxstead.tree.layer import Plan

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9](\.[a-z]{2,6}){0,2}", fullmatch=True)
ADDRESSES = st.ip_addresses().map(str)


def plan_of(records: dict[str, str], *disabled: str) -> Plan:
    """The plan of records as they are written in YAML."""
    platform = Platform(cluster="lab", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"), disabled=frozenset(disabled))
    return plan(DnsSettings.model_validate({"records": records}), platform, ())


def config_map(found: Plan) -> dict[str, Any]:
    """The one object."""
    [layer] = found.layers
    [manifest] = layer.manifests
    assert not Schemas(kubernetes=Version("v1.33.1"), flux=Version("2.6.1")).problems(manifest.object)
    assert str(manifest.ref) == "ConfigMap kube-system/coredns-custom"
    data: dict[str, Any] = manifest.object["data"]
    return data


@given(st.dictionaries(NAMES, ADDRESSES, min_size=1, max_size=6))
def test_each_name_has_a_server_block_of_its_own(records: dict[str, str]) -> None:
    """In a `.server` file: `hosts` in an `.override` fails, and takes CoreDNS with it."""
    data = config_map(plan_of(records))
    assert set(data) == {f"{name}.server" for name in records}
    for name, address in records.items():
        block = data[f"{name}.server"]
        assert re.match(rf"{re.escape(name)}:53 {{\n", block)
        assert re.search(rf"hosts {{\s+{re.escape(address)} {re.escape(name)}\s+fallthrough\s+}}", block)
        assert "forward . /etc/resolv.conf" in block
        assert block.count("{") == block.count("}") == 2


def test_the_order_of_the_description_does_not_matter() -> None:
    """The same names give the same bytes."""
    names = {"b.home.arpa": "10.0.0.2", "a.home.arpa": "10.0.0.1"}
    assert list(config_map(plan_of(names))) == list(config_map(plan_of(dict(reversed(names.items())))))


def test_without_names_there_is_nothing() -> None:
    """No empty ConfigMap, and no finding even where CoreDNS is off."""
    platform = Platform(cluster="lab", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"))
    assert plan(None, platform, ()) == plan_of({}) == plan_of({}, "coredns") == Plan()


@pytest.mark.parametrize(
    ("name", "disabled", "expected"),
    [
        ("nas.home.arpa", (), []),
        ("nas.home.arpa", ("coredns",), [("error", "dns/no-coredns")]),
        ("k3s1.local", (), [("warning", "dns/mdns")]),
        ("local", (), [("error", "dns/cluster-domain")]),
        ("cluster.local", (), [("error", "dns/cluster-domain"), ("warning", "dns/mdns")]),
        ("a.svc.cluster.local", (), [("error", "dns/cluster-domain"), ("warning", "dns/mdns")]),
        ("mycluster.local", (), [("warning", "dns/mdns")]),
    ],
)
def test_what_would_not_work_is_found(name: str, disabled: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    """A block for `local` would answer for every Service of the cluster."""
    found = plan_of({name: "10.0.0.1"}, *disabled).findings
    assert [(str(finding.severity), finding.id) for finding in found] == expected
    assert all(name in finding.what or finding.id == "dns/no-coredns" for finding in found)
