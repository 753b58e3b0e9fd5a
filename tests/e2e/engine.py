"""The real Pulumi engine on a project of its own: local state, no network, no host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.tools.build import tool

REPOSITORY = Path(__file__).parents[2]
SECONDS = 600
"""For one command; the emulated hosts of the tests are slow."""
STAND_IN = Path(__file__).parent / "provider" / "pulumi-resource-command"


class Engine:
    """A copy of the repository, and the `pulumi` command in one project of it."""

    def __init__(self, scratch: Path, project: str, stack: str) -> None:
        self.checkout = scratch / "checkout"
        self.project = self.checkout / project
        self.stack = stack
        self.state = scratch / "state"
        self.said = ""
        """All that was ever printed, to look for what must never be."""
        self._home = scratch / "home"
        self._bin = scratch / "bin"
        _copy_tracked(self.checkout)
        self.state.mkdir()
        self._link_tools()

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`pulumi ARGUMENTS` in the project; gives what it printed, with its exit status."""
        done = subprocess.run(
            [self._bin / "pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.project,
            env={**self._environment(), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.said += done.stdout + done.stderr
        return done

    def _link_tools(self) -> None:
        self._bin.mkdir()
        host = tool("pulumi-language-python")
        for program in (tool("pulumi"), host, host.with_name("pulumi-language-python-exec"), command_plugin()):
            (self._bin / program.name).symlink_to(program)

    def _environment(self) -> dict[str, str]:
        return {
            # The language host of the tools takes the interpreter from PATH (its version does not know `virtualenv` yet).
            "PATH": f"{self._bin}:{Path(sys.executable).parent}:{os.defpath}",
            "HOME": str(self._home),
            "FLUXSTEAD_PROJECT": str(self.project),  # for the same reason
            "PULUMI_HOME": str(self._home / ".pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


def command_plugin() -> Path:
    """pulumi-command's own plugin, where this machine has it; else the tests' stand-in."""
    installed = sorted(Path.home().glob(f".pulumi/plugins/resource-command-v*/{STAND_IN.name}"))
    on_path = shutil.which(STAND_IN.name)
    return Path(on_path) if on_path else [STAND_IN, *installed][-1]


def which_plugin() -> str:
    """Which one it is, in words for the test run."""
    plugin = command_plugin()
    return "the tests' stand-in" if plugin == STAND_IN else str(plugin)


def _copy_tracked(target: Path) -> None:
    """What a clone would hold of the working tree as it is now, without what is generated."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        source = REPOSITORY / name
        if source.is_file() and "generated/" not in name and not name.startswith("clusters/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)
