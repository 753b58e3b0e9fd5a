"""Where a text stops being YAML, as a person would say it."""

from __future__ import annotations

import pytest
import yaml

from fluxstead.checks.reading.documents import documents_in
from fluxstead.core.yaml_mark import break_in
from fluxstead.description.yaml_in import read_yaml


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('x: 1\na: "foo\nb: 1\nc: 2\n', 2, "a quote is opened here, and never closed"),
        ('x: 1\na: "foo\nb: bar\nc: "baz"\nd: 1\n', 2, "a double quote is opened here, and closed on line 4 only"),
        ("x: 1\na: 'x\nb: 'y'\n", 2, "a single quote is opened here"),
        ('x: 1\na: {b: "c, d: 1}\ne: 1\n', 2, "a quote is opened here"),
        ('a: {\n  x: "one,\n  y: "two"}\n', 2, "a double quote is opened here"),
        ('a: "foo\n---\nb: 1\n', 1, "a quote is opened here"),
        ("x: 1\na: {b: 1\nc: 2\nd: 3\n", 2, "a `{` is opened here"),
        ("x: 1\na: [1, 2\n\nb: 3\n", 2, "a `[` is opened here"),
        ("a:\n  b: {x: {y: 1}\n  c: 2\n", 2, "a `{` is opened here"),
        ("- a\n- {b: 1\n- c\n- d\n", 2, "a `{` is opened here"),
        ("a: {b: 1, c: 2\n\n\n", 1, "a `{` is opened here"),
        ('on: {x: "a\n  b", y: 1\nz: 2\n', 1, "a `{` is opened here"),
        ("x: 1\ny\nb: 2\n", 2, "no `:`"),
        ("- name\n  value: 1\n", 1, "no `:`"),
        # Where nothing was left open, the reader's own line is the one.
        ("x: 1\na: 'it's'\nb: 1\n", 2, "did not find expected key"),
        ("x: 1\na: ]\nb: 1\n", 2, "did not find"),
        ("x: 1\na: {b: 1}}\nc: 1\n", 2, "did not find"),
        ("a: b\n  c: d\n", 2, "mapping values"),
        ('a: "one\n  two"\nb: [\n  1\nc: 2\n', 3, "a `[` is opened here"),
        ('a: "one\n  two"\nb: }\n', 3, "did not find"),
        ('x: {a: "one\n  two", b: *c}\n', 2, "undefined alias"),
    ],
)
def test_the_line_is_the_one_in_which_something_was_left_open(text: str, line: int, what: str) -> None:
    """By all readers alike: of the description, of manifests, and of values in them."""
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        yaml.load(text, yaml.CSafeLoader)
    found = break_in(text, caught.value)
    assert (found.line, what in found.what) == (line, True), found
    [finding] = read_yaml(text, "a.yaml").findings
    assert (finding.source.line, found.what in finding.what) == (line, True)
    document = documents_in(text, "a.yaml")[-1]
    assert (document.source.line, document.problem) == (line, found.what)
