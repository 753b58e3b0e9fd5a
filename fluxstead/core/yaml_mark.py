"""Where a text stops being YAML for a person: where a quote or a bracket was opened, not where a reader gave up."""

from __future__ import annotations

from typing import NamedTuple

import yaml

_QUOTES = {"'": "single", '"': "double"}
_UNCLOSED = {
    "while parsing a flow mapping": "a `{` is opened here, and not closed where it should be",
    "while parsing a flow sequence": "a `[` is opened here, and not closed where it should be",
    "while scanning a quoted scalar": "a quote is opened here, and never closed",
}
_NO_COLON = "this line has no `:` after its key"


class Break(NamedTuple):
    """The line to look at, and what is wrong with it; `at`: the line at which the reader gave up."""

    line: int
    what: str
    at: int


def break_in(text: str, problem: yaml.MarkedYAMLError) -> Break:
    """Of a text that the reader refused with this problem."""
    mark = problem.problem_mark or problem.context_mark
    at = mark.line + 1 if mark else 1
    what = problem.problem or problem.context or "not YAML"
    opened, context = problem.context_mark, problem.context or ""
    if context.startswith("while scanning a quoted") and opened:
        return Break(opened.line + 1, _UNCLOSED["while scanning a quoted scalar"], at)
    if context.startswith("while scanning a simple key") and opened:
        return Break(opened.line + 1, _NO_COLON, at)
    syntax = isinstance(problem, (yaml.parser.ParserError, yaml.scanner.ScannerError))
    last = _last_scalar(text, at) if mark and syntax else None
    if last is not None and last.end_mark.line + 1 == at:
        begins = last.start_mark.line + 1
        if last.style in _QUOTES:
            said = f"a {_QUOTES[last.style]} quote is opened here, and closed on line {at} only, by the next one"
            return Break(begins, said, at)
        if what.startswith("mapping values") and _begins_its_line(text, last.start_mark):
            return Break(begins, _NO_COLON, at)
    if context in _UNCLOSED and opened:
        return Break(opened.line + 1, _UNCLOSED[context], at)
    return Break(at, what, at)


def _last_scalar(text: str, line: int) -> yaml.ScalarToken | None:
    """The last scalar of several lines that ends at or before a line."""
    found = None
    try:
        for token in yaml.scan(text, Loader=yaml.CSafeLoader):
            if token.start_mark.line >= line:
                break
            if isinstance(token, yaml.ScalarToken) and token.start_mark.line < token.end_mark.line:
                found = token
    except (yaml.YAMLError, RecursionError):
        pass
    return found


def _begins_its_line(text: str, mark: yaml.Mark) -> bool:
    return not text.splitlines()[mark.line][: mark.column].strip(" -")
