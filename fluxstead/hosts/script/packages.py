"""The packages of a prepared host: which are missing, and installing them without touching what others began.

Before apt unpacks anything, a record on the host says what it is about to unpack. Whatever of it a killed run left half-installed
is carried on; anything else that is half-installed is somebody else's, and nothing is installed beside it: apt would finish it.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Dict, List, Tuple

from fluxstead.hosts.script.apt import (
    APT_SECONDS,
    apt,
    fetch_lists,
    foresee,
    half_installed,
    interrupted,
    locked_by,
    sources,
    wait_for_locks,
)
from fluxstead.hosts.script.files import RECORDS, write_safely
from fluxstead.hosts.script.model import DeclaredHost
from fluxstead.hosts.script.tools import PATHS, StepError, answer, text_of

PACKAGES = {
    "iscsiadm": "open-iscsi",
    "mount.nfs": "nfs-common",
    "cryptsetup": "cryptsetup-bin",
    "dmsetup": "dmsetup",
    "mkfs.ext4": "e2fsprogs",
    "blockdev": "util-linux",
    "modprobe": "kmod",
}
"""Tool to the package that brings it: what Longhorn runs on the host (F11, U4), and what this script runs."""
BEGUN = os.path.join(RECORDS, "packages.json")


def installed(tool: str) -> bool:
    """Whether the host has this program."""
    return shutil.which(tool, path=PATHS) is not None


def missing_packages(node: DeclaredHost) -> List[str]:
    """The packages whose programs the host has not."""
    return sorted({package for tool, package in _wanted(node).items() if not installed(tool)})


def begun_packages() -> List[str]:
    """What an earlier run was about to unpack, `name:architecture` each; empty once that is done."""
    try:
        found = json.loads(text_of(BEGUN) or "[]")
    except ValueError:
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def package_problems(node: DeclaredHost) -> List[str]:
    """What stands against installing what is missing, as it is now; whoever is at work with packages is let finish first."""
    missing, begun = missing_packages(node), begun_packages()
    if not missing and not begun:
        return []
    if not installed("apt-get"):
        return [f"only apt is known, of Debian and Ubuntu, and this host has none; install {', '.join(missing)} yourself"]
    return [] if locked_by() else _of_others(begun)


def install_packages(node: DeclaredHost) -> None:
    """Installs what is missing, and carries on what a killed run of this script began."""
    wait_for_locks()
    begun = begun_packages()
    problems = _of_others(begun)
    if problems:
        raise StepError("; ".join(problems))
    broken = _carry_on(begun)
    missing = missing_packages(node)
    if missing or broken:
        _install(missing, broken, begun)
    absent = {tool: package for tool, package in _wanted(node).items() if not installed(tool)}
    if absent:
        names = " ".join(sorted(set(absent.values())))
        raise StepError(f"{', '.join(absent)} is not there though its package is; type: sudo apt-get install --reinstall {names}")
    left = [name for name, _ in half_installed() if name in begun_packages()]
    if left:
        raise StepError(f"{', '.join(left)} stays half-installed; look at: sudo dpkg --audit; sudo tail -n 50 /var/log/dpkg.log")
    if os.path.exists(BEGUN):
        os.unlink(BEGUN)


def _wanted(node: DeclaredHost) -> Dict[str, str]:
    wanted = dict(PACKAGES)
    if any(disk.filesystem == "xfs" for disk in node.disks):
        wanted["mkfs.xfs"] = "xfsprogs"
    if node.state and node.state.datastore == "sqlite":
        wanted["age"] = "age"
    return wanted


def _of_others(begun: List[str]) -> List[str]:
    """What others left half-installed: apt would finish it beside our own, in a state that nobody knows."""
    theirs = [f"{name} ({state})" for name, state in half_installed() if name not in begun]
    finish = "type, on the host: sudo dpkg --audit; and once you know why: sudo dpkg --configure -a; sudo apt-get -f install"
    if theirs:
        return [f"packages that others began to install are not finished: {', '.join(theirs)}; {finish}"]
    if interrupted() and not begun:
        return [f"dpkg was interrupted while others installed packages; {finish}"]
    return []


def _carry_on(begun: List[str]) -> List[str]:
    """Configures what a killed run of ours had unpacked; what is left of it, which has to be unpacked anew."""
    ours = [name for name, _ in half_installed() if name in begun]
    if ours or (begun and interrupted()):
        # Also where nothing is to be configured: dpkg then takes in its journal, without which apt does nothing.
        answer(("dpkg", "--force-confold", "--configure", *(ours or begun)), APT_SECONDS)
    return [name for name, _ in half_installed() if name in begun]


def _install(missing: List[str], broken: List[str], begun: List[str]) -> None:
    """One attempt with the package lists as they are, and if that fails, one with lists that are new."""
    words = [*missing, *broken]
    options = ("--reinstall",) if broken else ()
    failed = _attempt(words, options, begun)
    if failed:
        unfetched = fetch_lists()
        failed = _attempt(words, options, begun)
        if failed:
            raise StepError(_why_not(words, unfetched, failed))


def _attempt(words: List[str], options: Tuple[str, ...], begun: List[str]) -> str:
    """Installs these; why it did not, in apt's words."""
    plan = foresee(words, *options)
    if plan.trouble:
        return plan.trouble
    if plan.removes:
        gone = ", ".join(plan.removes)
        raise StepError(
            f"to install {' '.join(words)}, apt would remove {gone}; nothing was installed. "
            f"If that is right, type: sudo apt-get install {' '.join(words)}"
        )
    os.makedirs(RECORDS, mode=0o700, exist_ok=True)
    write_safely(BEGUN, json.dumps(sorted({*begun, *plan.installs})), 0o600)
    status, out, err = apt("install", "--no-remove", *options, *words)
    return " ".join((err or out).split())[-500:] if status else ""


def _why_not(words: List[str], unfetched: str, failed: str) -> str:
    names = " ".join(words)
    by_hand = f"or install them yourself: sudo apt-get update && sudo apt-get install --no-install-recommends {names}"
    if not unfetched:
        return f"{failed}. apt's sources are {sources()}. Mend that, {by_hand}"
    way = "Give the host a way there (DNS, a route, or a proxy in /etc/apt/apt.conf.d)"
    offline = "without a network, `apt-get download` them on a machine of the same release, and `sudo dpkg -i` the files"
    return f"the package lists could not be fetched from {unfetched}; {names} need them. {way}, {by_hand}; {offline}"
