"""Writes into a database of kine's (DATABASE TOTAL FILLER) as fast as it goes, and tells how long a write took at most."""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from typing import NoReturn

_INSERT = (
    "INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value, old_value)"
    " VALUES (?, 0, 0, 0, ?, 0, ?, ?)"
)


def main(path: str, total: int, filler: str) -> NoReturn:
    """Each transaction writes two keys, whose values add up to the total; older rows go, as kine's compaction removes them."""
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA wal_autocheckpoint=200")
    last, longest, count = {"/a": 0, "/b": 0}, 0.0, 0
    while True:
        began = time.monotonic()
        database.execute("BEGIN IMMEDIATE")
        first = random.randrange(total)  # noqa: S311 -- any number
        for name, value in (("/a", first), ("/b", total - first)):
            row = database.execute(_INSERT, (name, last[name], str(value), filler * 20))
            last[name] = row.lastrowid or 0
        if count % 500 == 499:
            database.execute("DELETE FROM kine WHERE id < ?", (last["/b"] - 4000,))
        database.execute("COMMIT")
        longest, count = max(longest, time.monotonic() - began), count + 1
        if count % 50 == 0:
            sys.stdout.write(f"{count} {longest:.3f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
