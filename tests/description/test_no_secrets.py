"""Secrets in the description: found in every part of its files, and shown nowhere."""

from __future__ import annotations

import pytest

from fluxstead.core.findings import errors
from tests.conftest import Project

STACK = "Pulumi.edge.yaml"
REPOSITORY = "repository: ssh://git@git.example.test/edge.git"
_ENV = "      secrets: [wiki-settings]\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (REPOSITORY, "repository: https://me:t0k3n4" + "u@git.example.test/edge.git"),
        (REPOSITORY, f"{REPOSITORY} # redis://:t0k3n4" + "u@h"),
        (_ENV, f"{_ENV}      env: {{A: 'redis://:t0k3n4" + "u@h'}\n"),
    ],
)
def test_what_is_in_the_stack_file(example: Project, old: str, new: str) -> None:
    """F22: from a URL it went into the generated README; comments are in the repository as well."""
    line = example.replace(STACK, old, new) + new.count("\n", 1)
    [finding] = errors(example.run().findings)
    assert (finding.id, finding.source.file) == ("secrets/in-text", STACK)
    assert finding.source.line in {line - 1, line}
    assert "t0k3n4u" not in finding.text()


def test_what_is_in_a_machines_file(example: Project) -> None:
    """Also a remark."""
    path = next((example.root / "nodes").glob("*.yaml"))
    path.write_text(f"{path.read_text()}# K10{'0a1b2c3d' * 8}::server:{'9f8e7d6c' * 4}\n")
    [finding] = errors(example.run().findings)
    assert (finding.id, finding.source.file) == ("secrets/in-text", f"nodes/{path.name}")


@pytest.mark.parametrize("login", ["me:t0k3n4u", "t0k3n4u"])
def test_the_readme_has_no_login(example: Project, login: str) -> None:
    """Neither a password, nor a token that stands alone."""
    example.replace(STACK, REPOSITORY, f"repository: https://{login}@git.example.test/edge.git")
    assembled = example.run().assembled
    assert assembled is not None
    assert "t0k3n4u" not in assembled.files["README.md"]
    assert "--url https://git.example.test/edge.git" in assembled.files["README.md"]


def test_a_password_of_another_type_is_not_shown(example: Project) -> None:
    """`DB_PASSWORD: 12345678` is a number, which is refused."""
    example.replace(STACK, _ENV, f"{_ENV}      env: {{DB_PASSWORD: 12345678, PORT: 5432}}\n")
    password, port = sorted(example.run().findings)
    assert "12345678" not in password.text()
    assert "5432" in port.text()
