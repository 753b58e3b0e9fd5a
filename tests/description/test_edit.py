"""Keys that are written into the stack file: they are there afterwards, and every other line is as it was."""

from __future__ import annotations

import difflib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.description.edit import NotEdited, with_values
from tests.conftest import REPOSITORY

LISTS = {"people": ["age1a", "age1b"], "cluster": ["age1c"]}
FILES = [
    path.read_text()
    for path in (REPOSITORY / "Pulumi.k3s-flux.yaml", REPOSITORY / "examples/edge/Pulumi.edge.yaml")
    if path.exists()
]
ODD = (
    "config:\n  fluxstead:flux: {version: 2.9.5}\n  other:x: 1\n# end\nencryptionsalt: v1\n",
    "config:\n  fluxstead:secrets: # mine\n    people:\n      - age1a # me\n      - b # off\n    # why\n    cluster: [c]\n",
    "config:\n    fluxstead:secrets:\n        people: []\n    fluxstead:flux:\n        version: 2.9.5 # v\n\n        # more\n",
    "config:\n  fluxstead:secrets: {}\n",
    "config:\n  fluxstead:flux:\n    note: |\n      a\n      b\n",
    "config:\n  fluxstead:flux:\n    version: 2.9.5",
    "config:\n  fluxstead:secrets:\n    missing:\n      - secret: a/b\n        reason: none # yet\n\nsecretsprovider: x\n",
)


@pytest.mark.parametrize("text", [*FILES, *ODD], ids=range(len(FILES) + len(ODD)))
def test_the_keys_are_there_and_nothing_else_is_another(text: str) -> None:
    """Comments, blank lines and the style of what is there stay."""
    new = with_values(text, "secrets", LISTS)
    wanted = yaml.safe_load(text)
    wanted["config"].setdefault("fluxstead:secrets", {}).update(LISTS)
    assert yaml.safe_load(new) == wanted
    gone = [line for line in difflib.ndiff(text.splitlines(), new.splitlines()) if line.startswith("- ")]
    assert all(any(word in line for word in ("age1", "- b", "cluster", "people", "fluxstead:secrets: {}")) for line in gone), gone
    assert with_values(new, "secrets", LISTS) == new


def test_an_item_that_stays_keeps_its_comment() -> None:
    """Who a key belongs to is said there."""
    new = with_values(ODD[1], "secrets", {"people": ["age1a", "age1z"]})
    assert "- age1a # me\n" in new
    assert "# off" not in new


DIGESTS = {"amd64": "a" * 64, "arm64": "b" * 64}
HELD = (
    "config:\n  fluxstead:kubernetes:\n    version: v1 # v\n\n  other:x: 1\n",
    f"config:\n  fluxstead:kubernetes:\n    binaries: # why\n      amd64: {'c' * 64} # by me\n      arm: {'d' * 64}\n    x: 1\n",
    f"config:\n  fluxstead:kubernetes: {{version: v1, binaries: {{arm: {'d' * 64}}}}} # all\n",
    "config:\n  fluxstead:kubernetes:\n    version: v1",
)


@pytest.mark.parametrize("text", HELD, ids=range(len(HELD)))
def test_keys_of_a_mapping_come_to_those_that_are_there(text: str) -> None:
    new = with_values(text, "kubernetes", {"binaries": DIGESTS})
    wanted = yaml.safe_load(text)
    section = wanted["config"]["fluxstead:kubernetes"]
    section["binaries"] = {**section.get("binaries", {}), **DIGESTS}
    assert yaml.safe_load(new) == wanted
    assert [line.partition("#")[2] for line in new.splitlines() if "#" in line] == [
        line.partition("#")[2] for line in text.splitlines() if "#" in line
    ]
    assert with_values(new, "kubernetes", {"binaries": DIGESTS}) == new


@pytest.mark.parametrize("section", ['\'{"version": "v1"}\'', "3"])
def test_a_section_that_the_cli_wrote_as_text_is_left(section: str) -> None:
    with pytest.raises(NotEdited, match="amd64"):
        with_values(f"config:\n  fluxstead:kubernetes: {section}\n", "kubernetes", {"binaries": DIGESTS})


@pytest.mark.parametrize("text", ["config: {}\n", "config: {fluxstead:flux: {version: 2.9.5}}\n", "config: 3\n", "- a\n"])
def test_what_cannot_be_changed_is_said_with_what_to_write(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(NotEdited, match=r"config|fluxstead:secrets: \{people: \[age1a, age1b\]"):
        with_values(text, "secrets", LISTS)


NAMES = st.text("abcdefgh", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, st.one_of(NAMES, st.lists(NAMES, max_size=3), st.dictionaries(NAMES, NAMES, max_size=3)), max_size=4))
def test_whatever_else_is_there(rest: dict[str, object]) -> None:
    """In the styles that PyYAML writes."""
    for flow in (None, False):
        text = yaml.safe_dump({"config": {"fluxstead:flux": {"version": "1"}, **rest}}, default_flow_style=flow, sort_keys=False)
        new = yaml.safe_load(with_values(text, "secrets", LISTS))
        assert new == {"config": {"fluxstead:flux": {"version": "1"}, **rest, "fluxstead:secrets": LISTS}}
