"""The operator's clone, asked and changed by their own `git`, which asks nobody for anything and ends in time.

What is only read, without the network, goes by `checks/reading/repository.py`; here Git may fetch, commit and push.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fluxstead.core.repository import git_environment, repositories_around

_SECONDS = 60
COMMITTING = 600
"""Seconds that the operator's hooks may take."""
_GRACE = 5
_ASKS_NOBODY = {
    # Empty, so that neither core.askPass nor SSH_ASKPASS opens a window; ssh asks by the latter, and is told no.
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "force",
    "GIT_MERGE_AUTOEDIT": "no",
    "GIT_EDITOR": "true",
    "GCM_INTERACTIVE": "never",
}


class Said(NamedTuple):
    """How git ended, and what it said."""

    well: bool
    answer: str
    problem: str

    @property
    def why(self) -> str:
        """What went wrong, on one line: what git or a hook said last, without its advice."""
        lines = [line.strip() for line in self.problem.splitlines()]
        told = [line for line in lines if line and not line.startswith(("hint:", "To "))]
        return "; ".join(told[-3:]) or "git gives no reason"


class Clone:
    """The repository around the project's folder. Paths are from that folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._environment = {**git_environment(known=bool(repositories_around(root))), **_ASKS_NOBODY}

    def git(self, *arguments: str, paths: Sequence[str] | None = None, seconds: int = _SECONDS) -> Said:
        """Run git, with the paths that are meant, each to the letter. What takes too long is ended, and was no success."""
        words = ["git", "-C", str(self.root), "-c", "gc.auto=0", "-c", "maintenance.auto=false"]
        words += ["--literal-pathspecs", *arguments, *(("--", *paths) if paths is not None else ())]
        try:
            return self._run(words, seconds)
        except OSError as problem:
            missing = isinstance(problem, FileNotFoundError)
            return _refused("there is no git on the PATH" if missing else f"git does not start: {problem.strerror}")

    def _run(self, words: Sequence[str], seconds: int) -> Said:
        # A session of its own has no terminal that ssh or a hook could ask at, and ends as a whole.
        process = subprocess.Popen(  # noqa: S603 -- the operator's git
            words,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return _refused(f"no end after {seconds} s")
        except BaseException:
            _end(process)
            raise
        return Said(process.returncode == 0, _text(out), _text(said))

    def one(self, *arguments: str) -> str:
        """The one line that git answers; empty where it refuses."""
        said = self.git(*arguments)
        return said.answer.strip() if said.well else ""

    def text_at(self, commit: str, path: str) -> str | None:
        """A file in a commit; None where it is not there."""
        said = self.git("cat-file", "blob", f"{commit}:./{path}")
        return said.answer if said.well else None

    def has(self, commit: str) -> bool:
        """Whether a commit is in this clone."""
        return self.git("cat-file", "-e", f"{commit}^{{commit}}").well

    def follows(self, commit: str, later: str) -> bool:
        """Whether a commit is in the history of another, or is it."""
        return commit == later or self.git("merge-base", "--is-ancestor", commit, later).well


def _end(process: subprocess.Popen[bytes]) -> None:
    """Git removes its locks when it is asked to end; what does not hear is killed."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE)
            return


def _refused(why: str) -> Said:
    return Said(well=False, answer="", problem=why)


def _text(said: bytes) -> str:
    return said.decode("utf-8", "surrogateescape")
