"""What tests of all folders use: a project in a folder of its own, and running the program on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from fluxstead.embedded import Run, run_program
from tests.e2e.cluster.fixtures import cluster, edge_cluster, edge_project, project  # noqa: F401 -- fixtures, for all folders
from tests.e2e.cluster.flux import Cluster
from tests.e2e.cluster.stand_ins import PLAYED
from tests.e2e.hosts.machines import bare, booted, booted_bare, machine  # noqa: F401 -- fixtures, for all folders
from tests.e2e.tools.build import ToolUnavailable, tool

REPOSITORY = Path(__file__).parents[1]

# A loaded machine is slow, not wrong; and what failed once has to fail again.
settings.register_profile("fluxstead", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fluxstead")


class Project:
    """A description in a folder of its own, which a test may spoil."""

    def __init__(self, root: Path, stack: str) -> None:
        self.root = root
        self.stack = stack

    @property
    def stack_file(self) -> Path:
        """The cluster's file."""
        return self.root / f"Pulumi.{self.stack}.yaml"

    def replace(self, file: str, old: str, new: str) -> int:
        """Replace the one place where `old` stands in `file`; gives the line that it stood in."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def run(self) -> Run:
        """Run the program as `./run` does."""
        return run_program(self.root, self.stack)


def copy_description(source: Path, target: Path) -> None:
    """Copy what the operator writes, and nothing that is generated."""
    for folder in ("nodes", "apps"):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, target / folder)
    for file in source.glob("Pulumi*.yaml"):
        shutil.copy(file, target)


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


@pytest.fixture
def reference(tmp_path: Path) -> Project:
    """The reference cluster's description."""
    copy_description(REPOSITORY, tmp_path)
    return Project(tmp_path, "k3s-flux")


@pytest.fixture
def example(tmp_path: Path) -> Project:
    """The second cluster's description."""
    root = tmp_path / "edge"
    root.mkdir()
    copy_description(REPOSITORY / "examples" / "edge", root)
    return Project(root, "edge")


@pytest.fixture
def tree_of() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder, by its path."""

    def read(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    return read
