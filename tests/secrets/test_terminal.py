"""Values that are asked for on a terminal: typed, and not shown."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.conftest import REPOSITORY, Project
from tests.secrets.conftest import WIKI, vault_of


def test_a_value_is_asked_for_without_being_shown(example: Project) -> None:
    """On a terminal: what is typed is not echoed."""
    said = typed(example, ("set", "wiki-settings", "PIN"), {"PIN: ": "hunter-two-33"})
    assert "hunter" not in said
    assert vault_of(example).values(WIKI)["PIN"] == "hunter-two-33"


def test_a_login_to_a_registry_is_asked_for(example: Project) -> None:
    """And becomes what the kubelet reads; in both environments at once, typed once."""
    example.replace("Pulumi.edge.yaml", "    - name: sensors\n", "    - name: sensors\n      imagePullSecrets: [registry]\n")
    said = typed(
        example, ("set", "registry"), {"ghcr.io: ": "registry.example.test", "user: ": "robot", "token: ": "hunter-two-33"}
    )
    assert "hunter" not in said
    for environment in ("live", "trial"):
        file = f"secrets/edge/sensors-{environment}-access/registry.sops.yaml"
        assert "type: kubernetes.io/dockerconfigjson\n" in (example.root / file).read_text()
        login = json.loads(vault_of(example).values(file)[".dockerconfigjson"])["auths"]["registry.example.test"]
        assert (login["username"], login["password"]) == ("robot", "hunter-two-33")


def test_an_arrow_key_in_a_value_is_told(example: Project) -> None:
    """Nothing shows while it is typed; whoever goes back to mend a letter adds three."""
    before = vault_of(example).values(WIKI)
    said = typed(example, ("set", "wiki-settings", "PIN"), {"PIN: ": "hunter-two-33\x1b[D4"}, status=1)
    assert "a character in it that is not seen, U+001B" in said
    assert "hunter" not in said
    assert vault_of(example).values(WIKI) == before


def typed(project: Project, words: Sequence[str], answers: Mapping[str, str], status: int = 0) -> str:
    """All that a command shows on a terminal at which somebody answers its questions."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "fluxstead.cli", "secrets", "--project", str(project.root), *words]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as running:
        os.close(slave)
        said, left = b"", dict(answers)
        while True:
            question = next((one for one in left if said.endswith(one.encode())), None)
            if question is not None:
                os.write(master, f"{left.pop(question)}\n".encode())
            try:
                more = os.read(master, 1024)
            except OSError:  # what Linux answers once the other end is closed
                break
            said += more
            if not more:
                break
    os.close(master)
    assert running.returncode == status, said
    return said.decode()
