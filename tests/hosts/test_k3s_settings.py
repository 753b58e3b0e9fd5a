"""k3s's configuration files as this script reads them, against what YAML says that they are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.hosts.script.k3s_files import cluster_text, registries_text
from fluxstead.hosts.script.k3s_model import read_told
from fluxstead.hosts.script.k3s_settings import arguments_of, lines_of, merged, same_setting

TEXT = """# first
token: abc # not this
disable: [traefik, "service,lb"] # nor this
kubelet-arg:
- "a=b#c"
- 'c=d' # nor
node-ip: "1.2.3.4,fe80::1"
url: https://a#b
"quoted": it's
single: 'it''s # this'
back: "a\\\\" # nor
empty:
none: ~
flag: true
"""
TOO_MUCH = [
    "|\n  a",
    "*a",
    "&a b",
    "{a: b}",
    "[a, [b]]",
    '"a',
    "a: b",
    "- a",
    "\n  a: b",
    "!x a",
    "[a",
    "\n  - a: b",
    "a\n  b",
    "'a",
]


def told(text: str) -> dict[str, tuple[str, ...] | None]:
    return {line.key: line.value for line in lines_of("f", text) or []}


def as_k3s(value: Any) -> tuple[str, ...]:
    """As k3s hands a value of YAML on (k3s: pkg/configfilearg/parser.go)."""
    if isinstance(value, list):
        return tuple(as_k3s(one)[0] if as_k3s(one) else "" for one in value)
    return () if value is None else (str(value).lower() if isinstance(value, bool) else str(value),)


def test_what_people_write_is_read_as_yaml_reads_it() -> None:
    expected = {key: as_k3s(value) for key, value in yaml.safe_load(TEXT).items()}
    assert told(TEXT) == {**expected, "none": ("",)}


@pytest.mark.parametrize("value", TOO_MUCH)
def test_what_is_more_than_a_plain_value_cannot_be_told(value: str) -> None:
    assert told(f"before: 1\nkey: {value}\nafter: 2")["key"] is None


@pytest.mark.parametrize("text", ["{a: b}", "- a", "key", "? a\n: b", "  key: a", "\tkey: a"])
def test_a_file_whose_keys_cannot_be_told_is_named(text: str) -> None:
    assert lines_of("f", text) is None
    assert merged([("f", text)]) == ({}, ("f",))


pieces = st.sampled_from([*"ab1 \"'#,:-[]{}\\\n~&*|>!", "key", ": ", "- ", " #", "true", "''", '\\"', "\n  - ", "[a, b]", "0x1f"])


@given(st.lists(pieces, max_size=12).map("".join))
def test_no_value_is_ever_told_as_another(rest: str) -> None:
    """It may say that it cannot tell; what it tells is what YAML says. Numbers and words of YAML keep their own spelling."""
    text = f"key: {rest}\n"
    found = told(text).get("key")
    try:
        right = yaml.load(text, yaml.BaseLoader)  # noqa: S506 -- it makes texts only
    except yaml.YAMLError:
        return
    if found is None or not isinstance(right, dict) or "key" not in right:
        return
    expected = right["key"]
    values = tuple(expected) if isinstance(expected, list) else (expected,) if expected else ()
    assert tuple(value for value in found if value) == tuple(
        "" if value in ("~", "null") else value for value in values if value not in ("", "~", "null")
    )


lines = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), max_size=20)
scalars = lines | st.booleans() | st.integers(-9, 99999)
configs = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9-]{0,9}x", fullmatch=True), scalars | st.lists(scalars, max_size=3), max_size=5
)
PLAIN = {"version": "v1.33.1+k3s1", "role": "server", "datastore": "etcd", "begin": "first", "server": "", "seconds": 1}


@given(configs, st.dictionaries(lines, st.lists(lines, max_size=2), max_size=3))
def test_what_is_written_is_read_back_by_yaml_and_by_the_script(config: dict[str, Any], registries: dict[str, list[str]]) -> None:
    one = read_told({**PLAIN, "config": config, "registries": registries}, "plan")
    read = yaml.safe_load(cluster_text(one))
    assert {key: read[key] for key in config} == config
    assert list(read) == [*config, "token-file", "cluster-init"]
    assert yaml.safe_load(registries_text(one))["mirrors"] == {name: {"endpoint": ends} for name, ends in registries.items()}
    effective, unread = merged([("f", cluster_text(one))])
    assert unread == ()
    assert all(same_setting(value, effective[key]) for key, value in config.items())


def test_later_files_replace_added_keys_add_and_arguments_come_last() -> None:
    files = [("a", "disable: [x]\nnode-ip: 1\n"), ("b", "disable+: y\n"), ("c", "node-ip: 2")]
    effective, _ = merged(files, ["--disable=z", "-d", "/data", "--debug"])
    assert effective == {"disable": ("x", "y", "z"), "node-ip": ("2",), "data-dir": ("/data",), "debug": ("true",)}
    assert list(arguments_of(["--a", "--b=c=d", "e"])) == [("a", "true"), ("b", "c=d")]


@pytest.mark.parametrize(
    ("described", "found", "same"),
    [
        (["a", "b"], ("b,a",), True),
        (["a"], ("a", "b"), False),
        (True, ("yes",), True),
        (False, (), True),
        ("", (), True),
        (True, (), False),
        (5, ("5",), True),
        ("5", ("6", "5"), True),
        ("x", None, False),
    ],
)
def test_settings_are_compared_by_what_they_mean(described: Any, found: tuple[str, ...] | None, same: bool) -> None:
    assert same_setting(described, found) is same
