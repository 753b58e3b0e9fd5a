"""YAML out: every reader reads back what was meant."""

from __future__ import annotations

import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.core.yaml_text import to_yaml

TEXTS = st.one_of(
    st.text(alphabet=string.printable, max_size=60),
    st.from_regex(r"[-+]?[0-9][0-9_]{0,3}(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(
        ["y", "n", "on", "off", "yes", "no", "null", "~", "true", "1e3", "0o17", "0x1f", "1:30", "2026-01-01", "=", "<<", ""]
    ),
)
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(PLAIN)
def test_it_reads_back_as_it_was(value: object) -> None:
    """Whatever the value, and whatever order its keys are in."""
    back = yaml.safe_load(to_yaml(value))
    assert back == value
    if isinstance(value, dict):
        assert list(back) == list(value)


@pytest.mark.parametrize(
    "text", ["y", "N", "1e3", "123e4", "0o17", "1.9", "on", "0755", "1:30", "1_000", ".5", "0x1f", "true", "null"]
)
def test_words_that_another_reader_takes_for_something_else_are_quoted(text: str) -> None:
    """Flux reads YAML with Go's library: an image tag 123e4 would become a number, and `y` a truth value."""
    assert to_yaml({"tag": text}) in {f"tag: '{text}'\n", f'tag: "{text}"\n'}


def test_text_of_several_lines_is_a_block() -> None:
    """People read configuration files inside manifests."""
    assert to_yaml({"a": "one\ntwo\n"}) == "a: |\n  one\n  two\n"


def test_keys_keep_the_order_in_which_people_write_them() -> None:
    """apiVersion first, whatever the alphabet says."""
    assert to_yaml({"kind": "X", "apiVersion": "v1"}) == "kind: X\napiVersion: v1\n"
