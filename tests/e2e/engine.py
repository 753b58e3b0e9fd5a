"""The real Pulumi engine on a project of its own: local state, no network, no host."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.tools.build import tool

REPOSITORY = Path(__file__).parents[2]
SECONDS = 600
"""For one command; the emulated hosts of the tests are slow."""
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
"""Nobody has it."""
STAND_IN = Path(__file__).parent / "provider" / "pulumi-resource-command"
HOST = STAND_IN.with_name("answering_host.py")
KUBERNETES = STAND_IN.with_name("pulumi-resource-kubernetes")
DYNAMIC = "pulumi-resource-pulumi-python"
"""The plugin that comes with Pulumi itself, for what the program's own Python does when a resource is made."""


class Engine:
    """A copy of the repository, and the `pulumi` command in one project of it."""

    def __init__(self, scratch: Path, project: str, stack: str) -> None:
        self.checkout = scratch / "checkout"
        self.project = self.checkout / project
        self.stack = stack
        self.state = scratch / "state"
        self.said = ""
        """All that was ever printed, to look for what must never be."""
        self.home = scratch / "home"
        self._bin = scratch / "bin"
        self._calls = scratch / "calls"
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

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """The same, to be cut off by whoever started it; what it prints is lost."""
        return subprocess.Popen(
            [self._bin / "pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.project,
            env={**self._environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def dial(self, node: str, port: int) -> None:
        """Describe the node's sshd at a port of loopback."""
        with (self.project / "nodes" / f"{node}.yaml").open("a") as file:
            file.write(f"ssh: {{address: 127.0.0.1, port: {port}, hostKey: {HOST_KEY}}}\n")

    def answer(self) -> None:
        """Let a stand-in answer for every machine, through the stand-in for pulumi-command's plugin, which calls `ssh`."""
        self._link(STAND_IN.name, str(STAND_IN))
        self._link("ssh", sys.executable, str(HOST), str(self._calls))

    def count(self) -> None:
        """Count how often `ssh` is started, which then does what it does."""
        self._link("ssh", "sh", "-c", f'echo called >>"$0"; exec {shutil.which("ssh")} "$@"', str(self._calls))

    @property
    def dialled(self) -> int:
        """How often that stand-in was asked, or `ssh` was started."""
        return len(self._calls.read_text().splitlines()) if self._calls.exists() else 0

    def _link_tools(self) -> None:
        """On PATH, each to end with who started it: the language host would outlive a killed engine by minutes."""
        self._bin.mkdir()
        host = tool("pulumi-language-python")
        exec_script = host.with_name("pulumi-language-python-exec")
        (self._bin / exec_script.name).symlink_to(exec_script)
        programs = {
            "pulumi": tool("pulumi"),
            host.name: host,
            # The language host of the tools takes it from PATH (its version does not know `virtualenv` yet).
            "python3": sys.executable,
            STAND_IN.name: command_plugin(),
            DYNAMIC: host.with_name(DYNAMIC),
            KUBERNETES.name: kubernetes_plugin(),
            "ssh": shutil.which("ssh"),
        }
        for name, program in programs.items():
            self._link(name, str(program))

    def _link(self, name: str, *program: str) -> None:
        start = self._bin / name
        start.write_text(f'#!/bin/sh\nexec setpriv --pdeathsig KILL {shlex.join(program)} "$@"\n')
        start.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self._bin}:{os.defpath}",
            "HOME": str(self.home),
            "FLUXSTEAD_PROJECT": str(self.project),  # the language host of the tools does not say it yet
            "PULUMI_HOME": str(self.home / ".pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


def command_plugin() -> Path:
    """pulumi-command's own plugin, where this machine has it; else the tests' stand-in."""
    return _plugin(STAND_IN)


def kubernetes_plugin() -> Path:
    """pulumi-kubernetes' own plugin, likewise."""
    return _plugin(KUBERNETES)


def _plugin(stand_in: Path) -> Path:
    name = stand_in.name.removeprefix("pulumi-resource-")
    installed = sorted(Path.home().glob(f".pulumi/plugins/resource-{name}-v*/{stand_in.name}"))
    on_path = shutil.which(stand_in.name)
    return Path(on_path) if on_path else [stand_in, *installed][-1]


def which_plugin(plugin: Path | None = None) -> str:
    """Which one it is, in words for the test run; pulumi-command's, if nothing else is said."""
    found = plugin or command_plugin()
    return "the tests' stand-in" if found in {STAND_IN, KUBERNETES} else str(found)


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
