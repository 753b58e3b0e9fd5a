"""The types of single values: what they take, what they say, what they mean."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from fluxstead.core.duration import Duration
from fluxstead.core.names import HostName, Labels, Name, bounded, nearest_name
from fluxstead.core.network import Address, Cidr, HostKey, NodePort, UrlPath
from fluxstead.core.quantity import Cpu, Memory, Quantity, Size, SizeOrNone
from fluxstead.core.version import K3sVersion, Version
from fluxstead.core.written import Written
from fluxstead.core.yaml_text import to_yaml
from fluxstead.systems.monitoring.settings import AlertRetention, PrometheusBytes, Retention


def key_of(kind: str, declared: str | None = None) -> str:
    """A well-formed public key line whose blob names `declared`."""
    name = (declared or kind).encode()
    return f"{kind} {base64.b64encode(len(name).to_bytes(4, 'big') + name + bytes(36)).decode()}"


GOOD: list[tuple[Any, Any, Any]] = [
    (Size, "25Gi", "25Gi"),
    (SizeOrNone, 0, "0"),
    (Size, 5368709120, "5368709120"),
    (Memory, "64Mi", "64Mi"),
    (Memory, "134217728", "134217728"),
    (Cpu, "250m", "250m"),
    (Cpu, 2, "2"),
    (Cpu, "0.5", "0.5"),
    (Cpu, "64000m", "64000m"),
    (Duration, "1h30m", "1h30m"),
    (Address, "192.168.86.71", "192.168.86.71"),
    (Address, "fd00:0::1", "fd00::1"),
    (Cidr, "10.42.0.0/16", "10.42.0.0/16"),
    (NodePort, "30080", 30080),
    (Name, "k3s1", "k3s1"),
    (HostName, "dev.example-app.local", "dev.example-app.local"),
    (
        Labels,
        {"node.longhorn.io/create-default-disk": "config", "x": ""},
        {"node.longhorn.io/create-default-disk": "config", "x": ""},
    ),
    (Version, "1.9.0", "1.9.0"),
    (Version, "v1.21.1", "v1.21.1"),
    (K3sVersion, "v1.33.1+k3s1", "v1.33.1+k3s1"),
    (HostKey, key_of("ssh-ed25519") + " root@k3s1", key_of("ssh-ed25519")),
    (UrlPath, "/longhorn/", "/longhorn"),
    (UrlPath, "/", "/"),
]

BAD: list[tuple[Any, Any, str]] = [
    (Size, "25 GB", "25Gi"),
    (Size, True, "25Gi"),
    (Size, 0, "5Gi"),
    (Memory, "4000Gi", "4000Mi"),
    (Size, "-5Gi", "25Gi"),
    (Size, 20, "20Gi"),
    (Size, "465", "465Gi"),
    (Size, "1.5", "1.5Gi"),
    (Size, "20m", "20Gi"),
    (Size, 500000, "25Gi"),
    (Memory, 64, "64Mi"),
    (Memory, "128m", "128Mi"),
    (Memory, "512u", "512Mi"),
    (Cpu, 100, "100m"),
    (Cpu, "50", "50m"),
    (Cpu, "128Mi", "250m"),
    (Cpu, "1k", "250m"),
    (Duration, "10", "10s or 10m"),
    (Duration, "0s", "10m"),
    (Duration, 10, "10m"),
    (Duration, "1ms", "1m"),
    (Duration, "500ms", "500m"),
    (Duration, "1h 30m", "1h30m"),
    (Duration, "10min", "10m"),
    (Duration, "10M", "10m"),
    (Duration, "7d", "168h"),
    (Duration, "1mo", "10m"),
    (Duration, "1" * 40 + "!", "10m"),
    (PrometheusBytes, 8, "8GB"),
    (PrometheusBytes, "8Gi", "8GB"),
    (PrometheusBytes, "500M", "500MB"),
    (PrometheusBytes, "8B", "8GB"),
    (Retention, 10, "10d"),
    (AlertRetention, "5d", "120h"),
    (AlertRetention, "120", "120h"),
    (Address, "k3s1.local", "192.168.86.71"),
    (Cidr, "10.42.0.1/16", "10.42.0.0/16"),
    (NodePort, 8080, "30000 to 32767"),
    (Name, "Example App", "example-app"),
    (HostName, "dev_app.local", "dev.example-app.local"),
    (Labels, {"storage": True}, "'true' in quotes"),
    (Labels, {"a b": "x"}, "prefix.example/name"),
    (Version, "1.9", "1.9.0"),
    (Version, 1.9, "1.9.0"),
    (K3sVersion, "v1.33.1", "v1.33.1+k3s1"),
    (HostKey, key_of("ssh-rsa"), "ssh-ed25519"),
    (HostKey, key_of("ssh-ed25519", "ssh-rsa"), "ssh-keyscan"),
    (HostKey, "ssh-ed25519 AAAA", "ssh-keyscan"),
    (UrlPath, "longhorn", "/longhorn"),
]


@pytest.mark.parametrize(("kind", "written", "meant"), GOOD)
def test_a_right_value_is_kept_in_its_canonical_form(kind: Any, written: Any, meant: Any) -> None:
    """What operators write every day."""
    read = TypeAdapter(kind).validate_python(written)
    assert (read if isinstance(meant, (dict, int)) else str(read)) == meant


@pytest.mark.parametrize(("kind", "written", "hint"), BAD)
def test_a_wrong_value_says_what_to_write(kind: Any, written: Any, hint: str) -> None:
    """The refusal carries the finding's three parts."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(written)
    context = refused.value.errors()[0]["ctx"]
    assert hint in context["write"]
    assert context["why"]


@pytest.mark.parametrize(
    ("quantity", "size"),
    [("25Gi", 26843545600), ("1k", 1000), ("1.5Gi", 1610612736), ("100m", 1), ("0", 0), ("465Gi", 499289948160), (".5Ki", 512)],
)
def test_a_quantity_in_bytes_is_rounded_up(quantity: str, size: int) -> None:
    """storageReserved is a whole number of bytes (facts: Longhorn Node, int64), never less than asked for."""
    assert Quantity(quantity).bytes == size


def test_durations_add_up() -> None:
    """As Go reads them."""
    assert Duration("1h30m").seconds == 5400
    assert Duration("500ms").seconds == 0.5


@given(st.text(min_size=1, max_size=300))
def test_the_suggested_name_is_always_admitted(text: str) -> None:
    """A suggestion that is refused in turn is worse than none."""
    assert TypeAdapter(Name).validate_python(nearest_name(text))


@given(st.text(alphabet="abc-", min_size=64, max_size=100), st.text(alphabet="abc-", min_size=64, max_size=100))
def test_long_names_fit_and_stay_different(one: str, other: str) -> None:
    """Cutting alone would make two namespaces one."""
    assert len(bounded(one)) <= 63
    assert (bounded(one) == bounded(other)) == (one == other)


def test_a_version_has_three_numbers() -> None:
    """With a suffix or without."""
    assert Version("v1.33.1+k3s1").numbers == (1, 33, 1)
    assert Version("1.9.0-rc1").numbers == (1, 9, 0)


@pytest.mark.parametrize("value", [Duration("5m"), Quantity("25Gi"), Version("1.9.0"), PrometheusBytes("8GB")])
def test_a_value_is_one_wherever_it_goes(value: Written) -> None:
    """It is equal to itself read again or copied, and to no other notation of the same."""
    for again in (type(value)(value.text), copy.deepcopy(value)):
        assert again == value
        assert hash(again) == hash(value)
        assert str(again) == value.text
    assert value != value.text
    assert Duration("60s") != Duration("1m")


@pytest.mark.parametrize("value", [Duration("5m"), Quantity("25Gi"), Version("1.9.0")])
def test_only_the_text_of_a_value_is_written(value: Written) -> None:
    """An object that was given the value itself would be a mistake of ours, and none of what is written can hide it."""
    with pytest.raises(yaml.YAMLError):
        to_yaml({"key": value})
    with pytest.raises(TypeError):
        json.dumps({"key": value})


@pytest.mark.parametrize("kind", [Duration, Quantity, Version, PrometheusBytes])
@pytest.mark.parametrize("value", ["", "soon", "5 m", "1.9.", "\n", 5, None, ["5m"], {"5m": "5m"}])
def test_what_is_no_value_reads_as_none(kind: type[Written], value: object) -> None:
    """Trees may hold anything."""
    assert kind.read(value) is None
