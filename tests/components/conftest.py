"""Running the program under Pulumi's mocks."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pytest

from tests.components.recorder import Registered, Runner, registered_by_program
from tests.conftest import Project


@pytest.fixture
def run_pulumi(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Run `__main__.py` as the engine would."""

    def run(project: Project, *, preview: bool, printed: Mapping[str, str] | None = None) -> dict[str, Registered]:
        monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(project.root))
        return registered_by_program(project.stack, preview=preview, printed=printed or {})

    return run
