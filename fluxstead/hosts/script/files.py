"""Files of the host's, replaced whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress

RECORDS = "/var/lib/fluxstead"
"""The folder of what a later run has to know of an interrupted one."""


def write_safely(path: str, text: str, mode: int) -> None:
    """A file replaced whole or not at all, and on the disk when this returns.

    What it is stays: the target of a symbolic link is replaced and not the link; owner, ACL and SELinux label are those of before.
    """
    path = os.path.realpath(path)
    temporary = f"{path}.fluxstead"
    with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        os.fchmod(file.fileno(), mode)
        if os.path.exists(path):
            _keep(path, file.fileno())
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def write_secret(path: str, text: str) -> None:
    """A file of root's alone, replaced whole: never through one that somebody else may have open, or that has another's rights."""
    temporary = f"{path}.fluxstead"
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _keep(path: str, handle: int) -> None:
    before = os.stat(path)
    os.fchown(handle, before.st_uid, before.st_gid)
    for name in os.listxattr(path):
        # A filesystem that does not take one has not given it either.
        with suppress(OSError):
            os.setxattr(handle, name, os.getxattr(path, name))
