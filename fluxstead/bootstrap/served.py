"""Whether Git serves the tree that lies here: Flux fetches commits, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fluxstead.core.git_names import without_login
from fluxstead.core.repository import git_environment, repositories_around

_SECONDS = 60
FOLDERS = ("generated", "clusters", "secrets")


class Served(NamedTuple):
    """What Git says. `here`, `there`: the commit of this folder and that of the branch; empty without one."""

    here: str
    there: str
    uncommitted: tuple[str, ...]
    problem: str = ""


def ask_git(root: Path, url: str, branch: str) -> Served:
    """Ask this folder's Git, and the repository that Flux will fetch, with the operator's own login."""
    here, refused = _git(root, "rev-parse", "HEAD")
    if refused:
        return Served("", "", (), f"this folder has no commit: {refused}")
    present = [name for name in FOLDERS if (root / name).is_dir()]
    status, refused = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *present)
    if refused:
        return Served(here.strip(), "", (), refused)
    there, refused = _git(root, "ls-remote", url, f"refs/heads/{branch}")
    return Served(here.strip(), there.partition("\t")[0], tuple(line[3:] for line in status.splitlines()), refused)


def not_served(served: Served, url: str, branch: str, cluster: str) -> str | None:
    """Why Flux would not find this tree, and the commands that make it be there; None where it would."""
    commands = "\n".join(
        ["", "    git add generated clusters secrets", f'    git commit -m "The tree of {cluster}"', "    git push"]
    )
    if served.problem:
        return f"Git does not answer, and Flux could not fetch the tree: {served.problem}"
    if served.uncommitted:
        shown = ", ".join(served.uncommitted[:3]) + (" …" if len(served.uncommitted) > 3 else "")  # noqa: PLR2004 -- as many as one reads
        return f"not committed, so that Flux would not see it: {shown}. First{commands}"
    where = f"{without_login(url)}, branch {branch},"
    if not served.there:
        return f"{where} has no commit: Flux would find no tree. First{commands}"
    if served.here != served.there:
        return (
            f"{where} serves commit {served.there[:12]}, and this folder is at {served.here[:12]}: Flux would apply another tree."
            f" First (or `git pull`, if the other one is newer){commands}"
        )
    return None


def _git(root: Path, *words: str) -> tuple[str, str]:
    """The answer, and why there is none."""
    environment = git_environment(known=any(repositories_around(root)))
    environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *words],  # noqa: S607 -- the operator's own
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return "", "git is not on the PATH"
    except (OSError, subprocess.TimeoutExpired) as problem:
        return "", f"git {words[0]}: {problem}"
    return done.stdout, _said(done) if done.returncode else ""


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines: Sequence[str] = [line for line in done.stderr.splitlines() if line.strip()]
    return without_login(" ".join(lines[-2:]) or f"git ended with {done.returncode}")
