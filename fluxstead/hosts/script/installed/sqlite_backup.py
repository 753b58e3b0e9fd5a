"""Copies k3s's SQLite datastore while k3s runs, encrypted for the operator: what a timer of systemd's starts on the server.

A program of its own, which the host's script installs: it needs Python 3.9's standard library and `age`. In plain text the copy is
only ever in a folder of root's in memory, or, where that has no room, on the disk on which k3s has the original; whoever can read
what it leaves behind needs a private key that no machine of the cluster has.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
import time
import urllib.parse
from contextlib import closing, contextmanager, suppress
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from fluxstead.hosts.script.installed.s3_put import Bucket, NotSentError, login_of, put

MIB = 1024 * 1024
WAIT_SECONDS = 60
"""For a lock of SQLite's."""
NODE_PASSWORD = "/etc/rancher/node/password"  # noqa: S105 -- a path
COPY = r"k3s-%s-\d{8}T\d{6}Z\.tar\.gz\.age"


class TroubleError(Exception):
    """No copy was made; the message says why, and what to do."""


class Wanted(NamedTuple):
    """What is copied, and where to."""

    server: str
    directory: str
    keep: int
    name: str
    recipients: str
    memory: str
    disk: str


def main(arguments: List[str]) -> int:
    """Makes one copy; or, with --clean, removes what one that was killed left in plain text."""
    parser = argparse.ArgumentParser(description="A copy of k3s's SQLite datastore, encrypted")
    for name in ("server", "directory", "name", "recipients", "memory", "disk"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--keep", type=int, required=True)
    parser.add_argument("--clean", action="store_true")
    for name in ("endpoint", "bucket", "region", "folder", "login"):
        parser.add_argument(f"--s3-{name}", default="")
    options = parser.parse_args(arguments)
    wanted = Wanted(*(getattr(options, name) for name in Wanted._fields))
    os.umask(0o077)
    try:
        with _alone(f"{wanted.memory}.lock"):
            _clean(wanted)
            if not options.clean:
                path, said = _copied(wanted)
                # systemd gets it at once, and so in its order.
                print(f"{path}: {said}", flush=True)
                if options.s3_bucket:
                    login = login_of(options.s3_login)
                    place = put(Bucket(options.s3_endpoint, options.s3_region, options.s3_bucket, options.s3_folder, *login), path)
                    print(f"sent: {place}")
    except TroubleError as trouble:
        print(f"no copy: {trouble}", file=sys.stderr)
        return 1
    except NotSentError as trouble:
        print(f"the copy stays on this machine alone: {trouble}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"no copy: {error.filename or 'the copy'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _alone(path: str) -> Iterator[None]:
    with open(path, "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TroubleError(f"another copy is being made (who: sudo fuser -v {path})") from None
        yield


def _clean(wanted: Wanted) -> None:
    """Whatever a run that was killed left: plain text first of all."""
    for folder in (wanted.memory, wanted.disk):
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            os.unlink(os.path.join(folder, name))
    with suppress(OSError):
        os.rmdir(wanted.disk)
    for name in os.listdir(wanted.directory) if os.path.isdir(wanted.directory) else ():
        if re.fullmatch(r"\." + COPY % re.escape(wanted.name) + r"\.part", name):
            os.unlink(os.path.join(wanted.directory, name))


def _copied(wanted: Wanted) -> Tuple[str, str]:
    os.makedirs(wanted.directory, mode=0o700, exist_ok=True)
    scratch = _room(wanted)
    database = os.path.join(scratch, "state.db")
    try:
        said = _taken(os.path.join(wanted.server, "db", "state.db"), database)
        made = _encrypted(wanted, database)
    finally:
        _clean(wanted)
    _prune(wanted)
    return made, said


def _room(wanted: Wanted) -> str:
    """A folder for the plain text: in memory, as long as that leaves the system some; else beside k3s's own."""
    need = 0
    for ending in ("", "-wal"):
        with suppress(FileNotFoundError):
            need += os.stat(os.path.join(wanted.server, "db", f"state.db{ending}")).st_size
    for folder, spare in ((wanted.memory, 64 * MIB + need // 4), (wanted.disk, 64 * MIB)):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
        usage = os.statvfs(folder)
        if usage.f_bavail * usage.f_frsize >= need + spare:
            return folder
    raise TroubleError(f"neither {wanted.memory} nor {wanted.disk} has room for {need // MIB + 64} MiB; type: df -h")


def _taken(source: str, target: str) -> str:
    """By SQLite's own backup, in a single step: one moment of the database, during which k3s goes on writing.

    In several steps, each write of k3s's would begin it anew (sqlite.org: c3ref/backup_finish). A reader keeps no writer waiting,
    as the database has a write-ahead log (sqlite.org: wal).
    """
    try:
        with closing(_opened(source)) as before, closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA synchronous = OFF")
            before.backup(copy)
            found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(5)")]
            pages = copy.execute("PRAGMA page_count").fetchone()[0] * copy.execute("PRAGMA page_size").fetchone()[0]
    except sqlite3.Error as error:
        raise TroubleError(f"{source}: {error}; former copies are as they were") from None
    if found != ["ok"]:
        raise TroubleError(
            f"{source} is damaged ({'; '.join(found)[:300]}): former copies are kept; restore the newest one"
            " (docs/tasks/restore-the-datastore.md)"
        )
    return f"{pages // 1024} KiB of SQLite, found whole"


def _opened(path: str) -> sqlite3.Connection:
    """A database to read alone: nothing of k3s's is written, and none is made where there is none."""
    return sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=ro", uri=True, timeout=WAIT_SECONDS)


def _encrypted(wanted: Wanted, database: str) -> str:
    """The path of the copy, which is there whole or not at all."""
    token = os.path.join(wanted.server, "token")
    if not os.path.isfile(token):
        raise TroubleError(f"{token} is not there, without which no copy opens: k3s writes it when it starts")
    path = _new_name(wanted)
    part = os.path.join(wanted.directory, f".{os.path.basename(path)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _through_age(wanted.recipients, handle, {"state.db": database, "token": token, "node-password": NODE_PASSWORD})
        os.fsync(handle)
        os.rename(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise
    finally:
        os.close(handle)
    folder = os.open(wanted.directory, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return path


def _new_name(wanted: Wanted) -> str:
    while True:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = os.path.join(wanted.directory, f"k3s-{wanted.name}-{stamp}.tar.gz.age")
        if not os.path.exists(path):
            return path
        time.sleep(0.2)


def _through_age(recipients: str, handle: int, files: Dict[str, str]) -> None:
    try:
        age = subprocess.Popen(
            ["age", "--encrypt", "-R", recipients], stdin=subprocess.PIPE, stdout=handle, stderr=subprocess.PIPE, env=_environment()
        )
    except FileNotFoundError:
        raise TroubleError("age is not installed; type: sudo apt-get install age") from None
    pipe: Any = age.stdin
    try:
        with tarfile.open(fileobj=pipe, mode="w|gz") as tar:
            for name, path in files.items():
                if os.path.isfile(path):
                    tar.add(path, arcname=name)
        pipe.close()
    except BrokenPipeError:
        # It has ended, and says why.
        with suppress(BrokenPipeError):
            pipe.close()
    except BaseException:
        # What it was given is not whole, and it would wait for more.
        age.kill()
        age.wait()
        raise
    # Its input is closed by now, which communicate() would close again.
    age.stdin = None
    said = age.communicate()[1].decode("utf-8", "replace")
    if age.returncode:
        raise TroubleError(f"age: {' '.join(said.split())[:300] or 'it failed, and said nothing'}")


def _environment() -> Dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def _prune(wanted: Wanted) -> None:
    """Only copies of this very server, and never the newest."""
    own = sorted(name for name in os.listdir(wanted.directory) if re.fullmatch(COPY % re.escape(wanted.name), name))
    for name in own[: -wanted.keep]:
        os.unlink(os.path.join(wanted.directory, name))
