"""Gaps: rows of the failure log that need work which is not done. They fail, as expected, and are listed at the end of the run."""

from __future__ import annotations

import pytest

_LISTED: dict[str, str] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with the marker `gap` is expected to fail, and to be listed."""
    for item in items:
        marker = item.get_closest_marker("gap")
        if marker is not None:
            _LISTED[item.nodeid] = marker.args[0]
            item.add_marker(pytest.mark.xfail(strict=True, reason=marker.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The list, at the end of every run that met one."""
    if _LISTED:
        terminalreporter.section("gaps in the failure log")
        for node, reason in sorted(_LISTED.items()):
            terminalreporter.write_line(f"{node.rpartition('/')[2]}: {reason}")
