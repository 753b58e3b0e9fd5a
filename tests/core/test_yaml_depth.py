"""Files that are nested until the reader's stack is used up: the program would end without a word."""

from __future__ import annotations

import pytest

from fluxstead.checks.reading.store import documents_in
from fluxstead.core.yaml_depth import is_nested_without_end


@pytest.mark.parametrize("text", ["[" * 40000 + "]" * 40000, "{a: " * 40000, "- " * 40000, "? " * 40000, "-   " * 40000])
def test_what_is_nested_without_end_is_not_read(text: str) -> None:
    """Nor in a repository that somebody else wrote."""
    assert is_nested_without_end(text)
    assert documents_in(text, "a.yaml")[0].problem == "nested without end"


@pytest.mark.parametrize("text", ["- a\n" * 40000, f"a: '{'[' * 40000}'", "[[a], {b: c}]\n" * 10, "a: [1", "- - - a"])
def test_what_is_only_long_is_read(text: str) -> None:
    """Brackets in a text are no nesting."""
    assert not is_nested_without_end(text)
