"""apt and dpkg as a guest uses them: waiting for whoever works with them, finishing and removing nothing of others."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import time
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from fluxstead.hosts.script.tools import StepError, answer, tell, text_of

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
"""Of each step of an installation one; they are taken by fcntl(2), and let go with the process."""
LOCKED_SECONDS = 600
"""As long as the first upgrade after a boot may take; whoever holds a lock is never ended."""
APT_SECONDS = 900
JOURNAL = "/var/lib/dpkg/updates"
"""What an interrupted dpkg had not yet written into its status."""
WHOLE = ("installed", "config-files", "not-installed")
GUEST = (
    *("-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60", "-o", "Dpkg::Use-Pty=0"),
    *("-o", "Dpkg::Options::=--force-confold", "-o", "APT::Get::AutomaticRemove=false"),
    *("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"),
)
"""Options against what the host's own configuration may say."""


@dataclass(frozen=True)
class Foreseen:
    """What apt says that it would do."""

    installs: Tuple[str, ...]
    """`name:architecture` of all that it would unpack."""
    removes: Tuple[str, ...]
    trouble: str
    """Why it would do nothing."""


def half_installed() -> List[Tuple[str, str]]:
    """(`name:architecture`, its state) of each package that is neither whole nor gone, the journal of dpkg counted."""
    form = "${Package}:${Architecture}\t${db:Status-Status}\t${db:Status-Eflag}\n"
    status, out, _ = answer(["dpkg-query", "--show", "--showformat", form])
    rows = [line.split("\t") for line in out.splitlines()] if not status else []
    return [(row[0], row[1]) for row in rows if len(row) == 3 and (row[1] not in WHOLE or row[2] == "reinstreq")]


def interrupted() -> bool:
    """Whether dpkg was ended in the middle; apt then does nothing until somebody lets dpkg go on."""
    return any(name.isdigit() for name in os.listdir(JOURNAL)) if os.path.isdir(JOURNAL) else False


def locked_by() -> str:
    """Who works with packages now: the process and its command; empty when nobody does."""
    for path in LOCKS:
        pid = _holder(path)
        if pid is not None:
            command = text_of(f"/proc/{pid}/cmdline").replace("\0", " ").strip() if pid > 0 else ""
            return f"process {pid}, {command or 'which is gone by now'}" if pid > 0 else "a process that cannot be seen from here"
    return ""


def _holder(path: str) -> Optional[int]:
    """The process with a lock on the file; None when it is free. Asks only: to take it for a moment could fail somebody's run."""
    asked = struct.pack("hhqqi12x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        kind, _, _, _, pid = struct.unpack("hhqqi12x", fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else int(pid)


def wait_for_locks() -> None:
    """Waits until nobody works with packages; raises StepError with who does, when that takes too long."""
    deadline = time.monotonic() + LOCKED_SECONDS
    told = ""
    while True:
        holder = locked_by()
        if not holder:
            return
        if holder != told:
            tell(f"packages: waiting for {holder}")
            told = holder
        if time.monotonic() > deadline:
            why = f"dpkg is locked by {holder}; waited {LOCKED_SECONDS} s. Let it end, and run this again"
            raise StepError(f"{why}; what it does: `sudo tail /var/log/dpkg.log`; ended by hand, it leaves packages half-installed")
        time.sleep(1)


def apt(*words: str) -> Tuple[int, str, str]:
    """apt-get as a guest, once nobody else is at it: (exit status, output, error output)."""
    deadline = time.monotonic() + LOCKED_SECONDS
    while True:
        wait_for_locks()
        status, out, err = answer(("apt-get", *GUEST, *words), APT_SECONDS)
        # Somebody was quicker; apt itself waits for one of the locks only.
        if not (status and "Could not get lock" in err) or time.monotonic() > deadline:
            return status, out, err
        time.sleep(1)


def foresee(packages: Sequence[str], *options: str) -> Foreseen:
    """What installing these would do, by apt's own simulation; nothing is changed or locked."""
    status, out, err = answer(("apt-get", *GUEST, "--simulate", "install", *options, *packages), APT_SECONDS)
    installs = re.findall(r"^Inst ([^\s:]+)\S* (?:\[[^\]]*\] )?\(\S+ .*?\[(\w+)\]\)", out, re.MULTILINE)
    removes = re.findall(r"^(?:Remv|Purg) (\S+)", out, re.MULTILINE)
    return Foreseen(
        tuple(f"{name}:{architecture}" for name, architecture in installs), tuple(removes), _errors(err) if status else ""
    )


def fetch_lists() -> str:
    """Has apt fetch its package lists anew; what could not be fetched and why, in words, and empty when all was."""
    # Without a network apt-get ends with 0 and a warning.
    status, out, err = apt("update")
    failed = dict(re.findall(r"^[WE]: (?:Failed to fetch|The repository) '?(\S+?)'?\s+(.*)$", err + out, re.MULTILINE))
    if not failed:
        return _errors(err) if status else ""
    first = next(iter(failed))
    more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"{first} ({failed[first].strip()}{more})"


def sources() -> str:
    """Where apt gets packages from, as it reads its configuration."""
    _, out, _ = answer(["apt-get", "indextargets", "--format", "$(REPO_URI)"])
    return ", ".join(dict.fromkeys(out.split())) or "none: nothing under /etc/apt names a source"


def _errors(err: str) -> str:
    """apt's own words for what is wrong."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    said = [line[2:].strip() for line in lines if line.startswith("E:")]
    return "; ".join(dict.fromkeys(said or lines[-3:]))
