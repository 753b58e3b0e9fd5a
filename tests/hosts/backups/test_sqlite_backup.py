"""The program that copies SQLite while k3s runs: every copy is one moment of the database, and nobody else reads it."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from fluxstead.hosts.script.installed import sqlite_backup

from .datastore import SECRET, TOKEN, Site, last_revision, site_in, under_load

pytestmark = pytest.mark.skipif(not shutil.which("age"), reason="age is not installed")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path)


def test_copies_under_load_are_each_one_moment_of_the_database_and_keep_nobody_waiting(site: Site, tmp_path: Path) -> None:
    """The copies are opened by age, and the invariant of every transaction holds in each; the writer goes on meanwhile."""
    with under_load(site) as load:
        before, _ = load.said()
        revisions = []
        for _ in range(6):
            committed = _newest(site.database)
            done = site.run()
            assert done.returncode == 0, done.stderr
            inside = site.opened(site.copies[-1])
            assert inside["token"] == TOKEN.encode()
            revisions.append(last_revision(inside["state.db"], tmp_path / "opened.db"))
            assert revisions[-1] >= committed, "what was written before the copy began is not in it"
        after, longest = load.ended()
    assert revisions == sorted(set(revisions))
    assert after > before
    assert longest < 5, "k3s would have waited so long for a write"
    assert len(site.copies) == 3


def _newest(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT max(id) FROM kine").fetchone()[0])


def test_a_copy_is_of_roots_alone_and_what_is_in_it_is_not_seen(site: Site) -> None:
    assert site.run().returncode == 0
    [copy] = site.copies
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    assert copy.read_bytes().startswith(b"age-encryption.org/v1")
    assert site.plain_text() == []


def test_nothing_of_k3s_is_written_and_what_comes_back_is_all_there_was(site: Site, tmp_path: Path) -> None:
    """Also where k3s is stopped, and has no write-ahead log."""
    with under_load(site) as load:
        for _ in range(5):
            load.said()
    with closing(sqlite3.connect(site.database)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before, dumped = site.database.read_bytes(), _dump(site.database)
    assert len(dumped) > 100
    assert site.run().returncode == 0
    assert site.database.read_bytes() == before
    restored = tmp_path / "fresh/server/db/state.db"
    restored.parent.mkdir(parents=True)
    restored.write_bytes(site.opened(site.copies[-1])["state.db"])
    assert _dump(restored) == dumped


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def test_killed_at_any_moment_it_leaves_former_copies_and_no_plain_text(site: Site) -> None:
    """What systemd runs afterwards removes what a killed run had in plain text; so does the next run."""
    generator = random.Random(1)  # noqa: S311 -- moments
    with under_load(site) as load:
        for _ in range(40):
            load.said()
        began = time.monotonic()
        assert site.run().returncode == 0
        whole = time.monotonic() - began
        found_some = False
        for number in range(16):
            kept = {copy: copy.read_bytes() for copy in site.copies}
            with subprocess.Popen(site.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(generator.uniform(0.3, 1.1) * whole)
                process.kill()
            found_some = found_some or bool(site.plain_text())
            assert all(site.opened(copy)["token"] == TOKEN.encode() for copy in site.copies)
            assert {copy: copy.read_bytes() for copy in site.copies if copy in kept}.items() <= kept.items()
            assert len(site.copies) >= len(kept) if len(kept) < 3 else len(site.copies) >= 3
            done = site.run("--clean") if number % 2 else site.run()
            assert done.returncode == 0, done.stderr
            assert site.plain_text() == []
            assert not list((site.home / "copies").glob(".*.part"))
    assert found_some, "no run was killed while there was plain text, so nothing was shown"


def test_only_the_newest_are_kept_and_only_its_own_are_removed(site: Site) -> None:
    others = site.home / "copies"
    others.mkdir()
    for name in ("notes.txt", "k3s-other-20200101T000000Z.tar.gz.age", "k3s-k3s1-copy.tar.gz.age"):
        (others / name).write_text("not ours")
    made = []
    for _ in range(5):
        assert site.run().returncode == 0
        made.append(max(site.copies, key=lambda one: one.stat().st_mtime_ns).name)
    kept = sorted(path.name for path in others.iterdir())
    assert kept == sorted([*made[-3:], "notes.txt", "k3s-other-20200101T000000Z.tar.gz.age", "k3s-k3s1-copy.tar.gz.age"])


def _refused(site: Site, says: str) -> None:
    """One more run fails with these words, no traceback, and what was there stays."""
    kept = {copy: copy.read_bytes() for copy in site.copies}
    done = site.run()
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert {copy: copy.read_bytes() for copy in site.copies} == kept
    assert not list((site.home / "copies").glob(".*.part"))
    assert site.plain_text() == []


def test_a_wrong_recipient_is_said_in_ages_words(site: Site) -> None:
    assert site.run().returncode == 0
    (site.home / "recipients.txt").write_text("age1wrong\n")
    _refused(site, "age: ")


def test_nobodys_recipients_make_no_copy_that_nobody_opens(site: Site) -> None:
    (site.home / "recipients.txt").write_text("# nobody\n")
    _refused(site, "age: ")


def test_a_damaged_database_takes_no_copys_place(site: Site) -> None:
    with under_load(site) as load:
        for _ in range(10):
            load.said()
    with closing(sqlite3.connect(site.database)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert site.run().returncode == 0
    with site.database.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(os.urandom(4096 * 3))
    _refused(site, "damaged")


def test_without_a_database_or_a_token_it_says_what_is_missing(site: Site) -> None:
    (site.server / "token").unlink()
    _refused(site, "token is not there")
    (site.server / "token").write_text(TOKEN)
    site.database.unlink()
    _refused(site, "state.db: unable to open database file")
    assert not site.database.exists()


def test_without_age_it_says_how_to_get_it(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sqlite_backup, "_environment", lambda: {"PATH": str(site.home)})
    assert sqlite_backup.main(site.command()[3:]) == 1
    assert "sudo apt-get install age" in capsys.readouterr().err
    assert site.plain_text() == []
    assert site.copies == []


def test_age_that_dies_in_the_middle_leaves_no_copy(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With more to encrypt than a pipe holds."""
    with under_load(site) as load:
        for _ in range(40):
            load.said()
    dying = site.home / "bin/age"
    dying.parent.mkdir()
    dying.write_text("#!/bin/sh\nhead -c 100000 >/dev/null\necho it died >&2\nexit 3\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sqlite_backup, "_environment", lambda: {"PATH": f"{dying.parent}:{os.defpath}"})
    assert sqlite_backup.main(site.command()[3:]) == 1
    assert "age: it died" in capsys.readouterr().err
    assert site.copies == []
    assert site.plain_text() == []


def test_two_at_once_are_one(site: Site) -> None:
    holder = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print('held', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", holder, str(site.home / "memory.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        _refused(site, "another copy is being made")
        process.kill()


def _with_full(site: Site, mounts: str) -> subprocess.CompletedProcess[str]:
    """A run where these folders are small filesystems; skips where there are no namespaces."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")
    words = " ".join(f"'{word}'" for word in site.command())
    listing = f"ls -A '{site.home}/copies' '{site.home}/memory' '{site.home}/disk' 2>/dev/null || true"
    script = f"cd '{site.home}'; mkdir -p copies memory disk; {mounts}; {words} && echo fine || echo failed; {listing}"
    return subprocess.run(["unshare", "-rm", "sh", "-uc", script], capture_output=True, text=True, check=True)


def test_a_full_disk_is_said_and_nothing_of_the_copy_stays(site: Site) -> None:
    with under_load(site) as load:
        for _ in range(60):
            load.said()
    done = _with_full(site, "mount -t tmpfs -o size=16k none copies")
    assert "failed" in done.stdout
    assert "No space left" in done.stderr or "no space left" in done.stderr
    assert ".part" not in done.stdout
    assert "state.db" not in done.stdout


def test_with_little_memory_the_plain_text_is_on_the_datastores_own_disk_for_a_moment(site: Site) -> None:
    done = _with_full(site, "mount -t tmpfs -o size=16k none memory")
    assert "fine" in done.stdout
    assert "state.db" not in done.stdout.partition("fine")[2]


def test_without_room_for_plain_text_nothing_is_begun(site: Site) -> None:
    done = _with_full(site, "mount -t tmpfs -o size=1m none memory; mount -t tmpfs -o size=1m none disk")
    assert "failed" in done.stdout
    assert "has room for" in done.stderr
    assert SECRET.decode() not in done.stdout
