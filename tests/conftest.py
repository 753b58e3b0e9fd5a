"""What tests of all folders use: a project in a folder of its own, and running the program on it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from fluxstead.embedded import Run, run_program

REPOSITORY = Path(__file__).parents[1]

REFERENCE = "k3s-flux"

# A loaded machine is slow, not wrong; and what failed once has to fail again.
for profile, number in (("short", 10), ("thorough", 100)):
    settings.register_profile(
        profile, max_examples=number, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("short")


def examples(share: float, **more: Any) -> settings:
    """Of the profile's number of examples a share, for a property that costs more than others, or a multiple, for a cheap one."""
    return settings(max_examples=max(1, round(settings().max_examples * share)), **more)


_alone = False
"""Whether a test runs that has no network of its own, as those in tests/e2e may have."""


def _dialled(event: str, arguments: tuple[Any, ...]) -> None:
    """The description in this repository has real addresses: no test may connect further than the loopback (sys.addaudithook)."""
    if _alone and event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        assert host.startswith(("127.", "::1")) or host == "localhost", f"a test dialled {host}"


sys.addaudithook(_dialled)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """While a test runs, and not while something is installed or built for it."""
    global _alone  # noqa: PLW0603 -- an audit hook can only be added
    _alone = "e2e" not in item.path.parts
    try:
        return (yield)
    finally:
        _alone = False


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked as being about the reference cluster where somebody has put their own in its place."""
    if item.get_closest_marker("reference"):
        skip_without_reference()


def skip_without_reference() -> None:
    """What the fixture `reference` does as well, by whatever way a test comes to it."""
    if not (REPOSITORY / f"Pulumi.{REFERENCE}.yaml").is_file():
        pytest.skip("about the reference cluster, in whose place is one's own")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what is expected to fail: the gaps in the failure log."""
    gaps = terminalreporter.stats.get("xfailed", [])
    if gaps:
        terminalreporter.section("gaps in the failure log")
        for line in sorted(f"{one.nodeid.rpartition('/')[2]}: {one.wasxfail}" for one in gaps):
            terminalreporter.write_line(line)


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
    for folder in ("nodes", "apps", "secrets"):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, target / folder)
    for file in source.glob("Pulumi*.yaml"):
        shutil.copy(file, target)


@pytest.fixture
def reference(tmp_path: Path) -> Project:
    """The reference cluster's description."""
    skip_without_reference()
    copy_description(REPOSITORY, tmp_path)
    return Project(tmp_path, REFERENCE)


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
