"""The programs that have to be there beforehand, and how each is had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence

PROGRAMS = {
    "git": "apt-get install git",
    "ssh": "apt-get install openssh-client",
    "age-keygen": "apt-get install age",
    "pulumi": "curl -fsSL https://get.pulumi.com | sh",
    "flux": "curl -s https://fluxcd.io/install.sh | FLUX_VERSION=2.9.5 bash -s ~/.local/bin",
    "kubectl": "https://kubernetes.io/docs/tasks/tools (only this test asks the cluster by it)",
}
PLUGINS = {"command": "v1.2.1", "kubernetes": "v4.34.2"}
"""Pulumi's, as `pulumi plugin install resource NAME VERSION` takes them."""


def missing() -> Iterator[str]:
    """A line for each, with what to type."""
    for program, how in PROGRAMS.items():
        if shutil.which(program) is None:
            yield f"{program}: {how}"
    if not (os.environ.get("SSH_AUTH_SOCK") and _said("ssh-add", "-l")):
        yield "a key in an SSH agent, which `pulumi up` takes: eval $(ssh-agent); ssh-add"
    if shutil.which("pulumi"):
        there = _plugins(json.loads(_said("pulumi", "plugin", "ls", "--json") or "[]"))
        for name, version in PLUGINS.items():
            if (name, version.removeprefix("v")) not in there:
                yield f"Pulumi's plugin {name}: pulumi plugin install resource {name} {version}"


def _plugins(found: Sequence[dict[str, object]]) -> set[tuple[object, object]]:
    return {(one.get("name"), one.get("version")) for one in found}


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout
