"""A person with a home of their own, and what they type; all that is printed is kept, to look for what must never be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.cluster.web import AUTHOR

_OF_OTHERS = re.compile(r"XDG_|SOPS_|GIT_|KUBECONFIG$|PULUMI_|PYTHON|VIRTUAL_ENV")
"""What the caller's environment says of things that this run has of its own."""


class NotDone(Exception):
    """A step did not do what it should; the message says which, and what was seen."""


class Person:
    """Types commands in the folder of a project. `home` is theirs: keys and kubeconfigs of whoever runs this are not touched."""

    def __init__(self, home: Path, project: Path, state: Path, **more: str) -> None:
        self.home, self.project, self.state = home, project, state
        self.said = ""
        kept = {key: value for key, value in os.environ.items() if not _OF_OTHERS.match(key)}
        self._environment = {
            **kept,
            **AUTHOR,
            "HOME": str(home),
            "PULUMI_HOME": os.environ.get("PULUMI_HOME") or str(Path.home() / ".pulumi"),  # its plugins are there
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **more,
        }

    def types(self, *words: str, given: str = "") -> str:
        """What a command prints, which is shown as it comes. Raises NotDone where it fails."""
        print(f"$ {' '.join(words)}", flush=True)
        with subprocess.Popen(
            words,
            cwd=self.project,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as running:
            assert running.stdin
            assert running.stdout
            running.stdin.write(given)
            running.stdin.close()
            lines = []
            for line in running.stdout:
                sys.stdout.write(f"  {line}")
                sys.stdout.flush()
                lines.append(line)
        said = "".join(lines)
        self.said += said
        if running.returncode:
            raise NotDone(f"`{' '.join(words)}` ended with {running.returncode}")
        return said

    def asks(self, *words: str, given: str | None = None) -> str:
        """The output of a command that is not shown, and not searched: it may hold what is secret."""
        done = subprocess.run(
            words, cwd=self.project, env=self._environment, input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotDone(f"`{' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout


class PhaseClock:
    """How long each phase took."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A phase, announced; its seconds count also where it fails."""
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        try:
            yield
        finally:
            self.took[name] = time.monotonic() - began

    def __str__(self) -> str:
        width = max(map(len, self.took), default=0)
        rows = [f"  {name:{width}}  {seconds:7.1f} s" for name, seconds in self.took.items()]
        return "\n".join([*rows, f"  {'in all':{width}}  {sum(self.took.values()):7.1f} s"])
