"""Files that are nested until the reader's stack is used up: the program would end without a word."""

from __future__ import annotations

import pytest

from fluxstead.checks.reading.documents import documents_in
from fluxstead.core.yaml_depth import is_nested_without_end
from fluxstead.description.yaml_in import read_yaml


@pytest.mark.parametrize("text", ["[" * 40000 + "]" * 40000, "{a: " * 40000, "- " * 40000, "? " * 40000, "-   " * 40000])
def test_what_is_nested_without_end_is_not_read(text: str) -> None:
    """Nor in a repository that somebody else wrote."""
    assert is_nested_without_end(text)
    assert documents_in(text, "a.yaml")[0].problem == "nested without end"


BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))])


@pytest.mark.parametrize(
    "text",
    [BOMB, f"a: 1\n---\n{BOMB}", "&a [*a]", "a: &a {b: *a}", "a: &a\n  <<: *a\n", "\n".join(" " * n + "a:" for n in range(300))],
)
def test_what_stands_for_more_than_anybody_has_room_for_is_not_read(text: str) -> None:
    """A few hundred bytes of aliases of aliases, aliases of themselves, and what is only indented."""
    assert is_nested_without_end(text)
    assert documents_in(text, "a.yaml")[0].problem == "nested without end"
    assert [finding.id for finding in read_yaml(text, "a.yaml").findings] == ["description/yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "- a\n" * 40000,
        f"a: '{'[' * 40000}'",
        "[[a], {b: c}]\n" * 10,
        "a: [1",
        "- - - a",
        "a: &a [1, 2]\nb: [*a, *a, *c]",
        "a: &a 1\nb: &b [*a]\n" + "- *b\n" * 99,
    ],
)
def test_what_is_only_long_is_read(text: str) -> None:
    """Brackets in a text are no nesting."""
    assert not is_nested_without_end(text)
