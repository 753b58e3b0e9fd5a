"""A datastore as k3s has it with SQLite, somebody who writes into it without a pause, and what has to hold of every copy of it.

The tables are kine's (k3s-io/kine: pkg/drivers/sqlite); each of its transactions changes two keys whose values add up to TOTAL.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import fluxstead.hosts.build as built

TOTAL = 1_000_000
TOKEN = "K10aaaa::server:nobody-may-read-this\n"  # noqa: S105 -- the tests' own
SECRET = b"a value of a Secret, in plain text"
NAME = "k3s1"
SCHEMA = """
CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER, deleted INTEGER, create_revision INTEGER,
  prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB);
CREATE INDEX kine_name_index ON kine (name);
CREATE INDEX kine_name_id_index ON kine (name, id);
CREATE INDEX kine_id_deleted_index ON kine (id, deleted);
CREATE INDEX kine_prev_revision_index ON kine (prev_revision);
CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision);
"""
WRITER = Path(__file__).with_name("writer.py")


class Site(NamedTuple):
    """A server with a datastore, and where its copies go."""

    home: Path
    program: Path
    key: Path

    @property
    def server(self) -> Path:
        return self.home / "server"

    @property
    def database(self) -> Path:
        return self.server / "db/state.db"

    @property
    def copies(self) -> list[Path]:
        """The oldest first."""
        return sorted((self.home / "copies").glob("k3s-*.age"))

    def command(self, *more: str) -> list[str]:
        places = {"server": self.server, "directory": self.home / "copies", "recipients": self.home / "recipients.txt"}
        places |= {"memory": self.home / "memory", "disk": self.home / "disk"}
        words = [word for name, place in places.items() for word in (f"--{name}", str(place))]
        return [sys.executable, "-I", str(self.program), *words, "--name", NAME, "--keep", "3", *more]

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*more), capture_output=True, text=True, check=False, timeout=120)

    def opened(self, copy: Path) -> dict[str, bytes]:
        """What is in a copy, by age itself and the operator's key."""
        plain = subprocess.run(["age", "--decrypt", "-i", self.key, copy], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=BytesIO(plain), mode="r:gz") as tar:
            found = {one.name: tar.extractfile(one) for one in tar.getmembers()}
            return {name: file.read() for name, file in found.items() if file}

    def plain_text(self) -> list[Path]:
        """Files outside the server's own folder with something that nobody may read."""
        marks = (SECRET, b"SQLite format 3", b"nobody-may-read-this")
        files = [path for path in self.home.rglob("*") if path.is_file() and self.server not in path.parents]
        return [path for path in files if path != self.program and any(mark in path.read_bytes() for mark in marks)]


def site_in(home: Path) -> Site:
    """A datastore at rest, with one transaction in it."""
    (home / "server/db").mkdir(parents=True)
    (home / "server/token").write_text(TOKEN)
    program = home / "program.py"
    program.write_text(built.installed_source())
    key = home / "key.txt"
    subprocess.run(["age-keygen", "-o", key], capture_output=True, check=True)
    recipient = subprocess.run(["age-keygen", "-y", key], capture_output=True, text=True, check=True).stdout
    (home / "recipients.txt").write_text(f"# fluxstead: whose key opens it\n{recipient}")
    site = Site(home, program, key)
    with closing(sqlite3.connect(site.database)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(SCHEMA)
        rows = [("/a", 0, "1", SECRET), ("/b", 0, str(TOTAL - 1), SECRET)]
        database.executemany("INSERT INTO kine (name, prev_revision, value, old_value) VALUES (?, ?, ?, ?)", rows)
        database.execute("DELETE FROM kine")
        database.commit()
    return site


class Load(NamedTuple):
    """Whoever writes."""

    process: subprocess.Popen[str]

    def said(self) -> tuple[int, float]:
        """How many transactions there were by now, and how long the longest took."""
        assert self.process.stdout
        count, longest = self.process.stdout.readline().split()
        return int(count), float(longest)

    def ended(self) -> tuple[int, float]:
        """It is stopped: how many there were in the end, and how long the longest took."""
        self.process.kill()
        assert self.process.stdout
        # The last line may be torn.
        count, longest = self.process.stdout.read().splitlines()[-2].split()
        return int(count), float(longest)


@contextmanager
def under_load(site: Site) -> Iterator[Load]:
    """Somebody writes as fast as it goes."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(site.database), str(TOTAL), SECRET.decode()], stdout=subprocess.PIPE, text=True
    ) as process:
        load = Load(process)
        load.said()
        try:
            yield load
        finally:
            process.kill()


def last_revision(database: bytes, scratch: Path) -> int:
    """The newest id in a copy, in which everything that has to hold does."""
    scratch.write_bytes(database)
    with closing(sqlite3.connect(scratch)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ids = [row[0] for row in copy.execute("SELECT id FROM kine ORDER BY id")]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        newest = {
            name: copy.execute("SELECT value FROM kine WHERE name = ? ORDER BY id DESC", (name,)).fetchone()
            for name in ("/a", "/b")
        }
        assert sum(int(row[0]) for row in newest.values()) == TOTAL
        chained = (
            "SELECT count(*) FROM kine AS one JOIN kine AS before ON before.id = one.prev_revision WHERE before.name <> one.name"
        )
        assert copy.execute(chained).fetchone() == (0,)
    return int(ids[-1])


def last_row(database: Path) -> int:
    """The newest revision in a database of kine's that SQLite finds whole."""
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(opened.execute("SELECT max(id) FROM kine").fetchone()[0])
