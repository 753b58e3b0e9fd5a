"""What tests on real parts share: machines, clusters and tools, and what is said of them at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.e2e.cluster.fixtures import cluster, edge_cluster, edge_project, project  # noqa: F401 -- fixtures, for all folders
from tests.e2e.cluster.flux import Cluster
from tests.e2e.cluster.stand_ins import PLAYED
from tests.e2e.hosts.machines import bare, booted, booted_bare, machine  # noqa: F401 -- fixtures, for all folders
from tests.e2e.nodes.fixtures import site  # noqa: F401 -- likewise
from tests.e2e.tools.build import ToolUnavailable, tool


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test with a cluster: which of its parts were real; and when it failed, what a person would look at first."""
    report = yield
    arguments = getattr(item, "funcargs", {}) if report.when != "teardown" else {}
    for found in (value for value in arguments.values() if isinstance(value, Cluster)):
        report.user_properties += [("charts", found.charts), ("stand-ins", PLAYED)]
        if report.failed and call.excinfo and found.charts not in str(call.excinfo.value):
            report.sections.append(("the cluster", found.report()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded of themselves: which parts were real, and how long they took."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    for line in sorted({f"{name}: {value}" for report in reports for name, value in report.user_properties}):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def need() -> Callable[..., dict[str, Path]]:
    """Build the named tools from their pinned sources, or skip."""

    def build(*names: str) -> dict[str, Path]:
        try:
            return {name: tool(name) for name in names}
        except ToolUnavailable as reason:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(reason))

    return build
