"""Names that Git and Flux read: branches and the URLs of repositories."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from fluxstead.core.refusal import refuse

_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$|^/|^-|^\.|^@$|^HEAD$|^refs/")
"""What no branch may have (git: refs.c, check_refname_format; `refs/…` is a branch's full name, which Flux does not take)."""
_SCP = r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>[^\s:]+)"
_URL = r"(?:https?|ssh)://(?:[^\s/@]+@)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?/[^\s?#]+"


def without_login(url: str) -> str:
    """The URL without a password, and for HTTP without a user, whose name may be a token."""
    return re.sub(r"^(https?://)[^/@]*@|^(ssh://[^/:@]*):[^/@]*(?=@)", r"\1\2", url)


def host_of(url: str) -> tuple[str, str]:
    """The host of a repository's URL, and the port where one is named."""
    found = re.match(r"\w+://(?:[^/@]*@)?(?P<host>[^/:\[]+|\[[^\]]*\])(?::(?P<port>\d+))?/", url)
    return (found["host"].strip("[]"), found["port"] or "") if found else ("", "")


def _branch(value: str) -> str:
    if not _NO_BRANCH.search(value):
        return value
    raise refuse(
        f"{value!r} is not the name of a branch",
        why="Git refuses it, and Flux finds nothing to sync",
        fix=value.removeprefix("refs/heads/") if value.startswith("refs/heads/") else "the branch's short name, such as main",
    )


def _repository_url(value: str) -> str:
    if re.fullmatch(_URL, value):
        return value
    scp = re.fullmatch(_SCP, value)
    raise refuse(
        "Flux does not read the scp-like form of a Git URL" if scp else "this is not the URL of a Git repository",
        why="`flux bootstrap git` knows https://, http:// and ssh:// only",
        fix=f"ssh://{scp['user'] or 'git@'}{scp['host']}/{scp['path'].lstrip('/')}"
        if scp
        else "a URL such as ssh://git@github.com/owner/name.git",
    )


BranchName = Annotated[str, Field(min_length=1), AfterValidator(_branch)]
"""A branch of a Git repository, by its short name."""

RepositoryUrl = Annotated[str, AfterValidator(_repository_url)]
"""The URL of a Git repository, as Flux reads it."""
