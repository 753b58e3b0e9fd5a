"""What needs real tools says why it is skipped where they cannot be had; in CI they can."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.tools.build import ToolUnavailable, tool


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
