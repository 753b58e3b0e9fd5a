"""An item of a list is changed or taken out: it is as wanted afterwards, and every other byte is as it was."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.description.edit import NotEdited
from fluxstead.description.edit_list import ListItem, item_in, with_key, without
from tests.conftest import REPOSITORY

B = ListItem("disks", "b")
MACHINES = [path.read_text() for path in sorted(REPOSITORY.glob("**/nodes/*.yaml")) if "disks:\n" in path.read_text()]
ODD = (
    "disks:\n  - name: a\n  # the large one\n  - name: b # mine\n    size: 1Gi # as sold\n\n    # in a caddy\n  - name: c\n# end\n",
    "disks:\n- name: a\n- name: b\n  tags:\n    - x\n    - y # z\nrole: agent\n",
    "disks: [{name: a}, {name: b, size: 1Gi}, {name: c}] # all\nrole: agent\n",
    "disks: [{name: a}, {name: b}]\n",
    "disks:\n  - {name: a}\n  - {name: b, evict: false}\n",
    "disks:\n  -\n    name: a\n  -\n    # why\n    name: b\n    note: |\n      long\n      er\n  - name: c",
    "disks:\n  - name: a\n  - size: 1Gi\n    name: b",
    "disks:\n  - name: a\n    note: '- name: b'\n  - name: b\n    evict: false # not yet\n",
)


@pytest.mark.parametrize("text", ODD)
def test_a_key_of_one_item_is_changed_and_nothing_else(text: str) -> None:
    new = with_key(text, B, "evict", "true")
    wanted = yaml.safe_load(text)
    next(one for one in wanted["disks"] if one["name"] == "b")["evict"] = True
    assert yaml.safe_load(new) == wanted
    assert comments(new) == comments(text)
    gone = [line for line in changed(text, new) if line.startswith("- ")]
    assert all("evict" in line or "{" in line or line == "- " + text.splitlines()[-1] for line in gone), gone
    assert with_key(new, B, "evict", "true") == new


@pytest.mark.parametrize("text", ODD)
def test_an_item_is_taken_out_and_the_comments_around_it_stay(text: str) -> None:
    new = without(text, B)
    wanted = yaml.safe_load(text)
    wanted["disks"] = [one for one in wanted["disks"] if one["name"] != "b"]
    assert yaml.safe_load(new) == wanted
    if "{" not in text:
        assert all(line.startswith("- ") for line in changed(text, new)), "lines go, and none is written anew"
    for kept in ("# the large one", "# end", "# all"):
        assert (kept in new) == (kept in text)


def test_the_last_item_leaves_an_empty_list() -> None:
    assert without("disks: # none\n  - name: b\n    size: 1Gi\nrole: agent\n", B) == "disks: [] # none\nrole: agent\n"
    assert without("disks: [{name: b}]\n", B) == "disks: []\n"


@pytest.mark.parametrize("text", MACHINES)
def test_the_machines_of_this_repository_keep_their_comments(text: str) -> None:
    for name in [one["name"] for one in yaml.safe_load(text)["disks"]]:
        item = ListItem("disks", name)
        evicted = with_key(text, item, "evict", "true")
        assert changed(text, evicted) == ([] if "evict" in (item_in(text, item) or {}) else ["+     evict: true"])
        gone = without(evicted, item)
        assert item_in(gone, item) is None
        assert comments(gone).startswith(comments(text.partition("disks:")[0]))


@pytest.mark.parametrize(
    "text",
    [
        "- b\n",
        "disks: 3\n",
        "disks:\n  - name: a\n",
        "disks:\n  - name: b\n  - name: b\n",
        "disks: [\n",
        "disks:\n  - &b\n    name: b\n  - *b\n",
        "",
    ],
)
def test_what_cannot_be_changed_is_said_with_what_to_write(text: str) -> None:
    with pytest.raises(NotEdited, match="evict: true for b under disks"):
        with_key(text, B, "evict", "true")
    with pytest.raises(NotEdited, match="disks without b"):
        without(text, B)


def test_what_is_written_elsewhere_is_left_to_the_operator() -> None:
    """The value stands where its anchor is, which is another key's."""
    with pytest.raises(NotEdited, match="evict: true for b under disks"):
        with_key("others: &no false\ndisks:\n  - name: b\n    evict: *no\n", B, "evict", "true")


WORDS = st.text("abcxyz 0#:-'", min_size=1, max_size=8)
ITEMS = st.lists(
    st.dictionaries(st.sampled_from(["size", "tags", "note", "evict"]), WORDS | st.lists(WORDS, max_size=2)), max_size=4
)


@given(ITEMS, st.integers(0, 3), st.booleans(), st.sampled_from([None, False, True]))
def test_whatever_the_others_are_they_stay(items: list[dict[str, Any]], place: int, after: bool, flow: bool | None) -> None:
    """Written in blocks, in flows or as PyYAML likes, with remarks between all lines."""
    place = min(place, len(items))
    named = [{"name": f"n{number}", **one} for number, one in enumerate(items)]
    named.insert(place, {"name": "b", "size": "1Gi"})
    data = {"role": "agent", "disks": named, **({"state": "live"} if after else {})}
    text = yaml.safe_dump(data, default_flow_style=flow, sort_keys=False, width=10_000)
    remarked = "".join(f"{line}# {number}\n" for number, line in enumerate(text.splitlines(keepends=True)))
    for form in (text, remarked):
        kept = [one for one in named if one["name"] != "b"]
        assert yaml.safe_load(without(form, B)) == {**data, "disks": kept}
        changed_there = [{**one, "evict": True} if one["name"] == "b" else one for one in named]
        new = with_key(form, B, "evict", "true")
        assert yaml.safe_load(new) == {**data, "disks": changed_there}
        # Where it was added, taking the addition out gives every byte back.
        added = (
            ", evict: true"
            if ", evict: true" in new
            else next(one for one in new.splitlines(keepends=True) if "evict: true" in one)
        )
        assert new.replace(added, "", 1) == form


def comments(text: str) -> str:
    """What stands behind each `#`, in order."""
    return "\n".join(line.partition("#")[2] for line in text.splitlines() if "#" in line)


def changed(text: str, new: str) -> list[str]:
    """The lines that are not as they were."""
    return [line for line in difflib.ndiff(text.splitlines(), new.splitlines()) if line[0] in "-+"]
