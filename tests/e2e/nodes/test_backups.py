"""A server that copies its SQLite by a timer: set up, run, killed, spoilt, restored elsewhere, and taken away again.

The database is a real one of kine's tables, at k3s's path and written into meanwhile; nobody runs k3s here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from fluxstead.hosts.build import COMMAND, stdin_for
from fluxstead.hosts.script.installed.s3_put import Bucket, signed
from fluxstead.hosts.state import of_sqlite
from tests.e2e.hosts.support import node
from tests.hosts.backups.datastore import SECRET, TOKEN, TOTAL, WRITER, last_revision, site_in
from tests.hosts.backups.datastore import Site as Home

from .fixtures import Site
from .spawned import SpawnedMachine

pytestmark = pytest.mark.machine

FOLDER = "/var/lib/fluxstead/k3s-backups"
UNIT = "fluxstead-sqlite-backup"
DATABASE = "/var/lib/rancher/k3s/server/db"
LOGIN = {"AWS_ACCESS_KEY_ID": "HOMEKEYID", "AWS_SECRET_ACCESS_KEY": "nobody-may-see-this-login"}
DUMP = f"import sqlite3; print(*sqlite3.connect('{DATABASE}/state.db').iterdump(), sep='\\n')"
Answer = dict[str, Any]


class Server:
    """A machine that keeps a datastore, and what its operator asks of it."""

    def __init__(self, machine: SpawnedMachine, home: Home) -> None:
        self.machine, self.home = machine, home
        recipient = (home.home / "recipients.txt").read_text().splitlines()[1]
        self.state: dict[str, Any] | None = of_sqlite("* * * * *", 3, FOLDER, [recipient], None)

    def asked(self, mode: Any, **more: Any) -> Answer:
        """The script's answer."""
        told = node(node=self.machine.name, address=self.machine.address) | ({"state": self.state} if self.state else {})
        done = self.machine.try_to(COMMAND, stdin_for(mode, told, nonce=str(time.monotonic()), **more))
        assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
        found: Answer = json.loads(done.stdout.splitlines()[-1])["result"]
        return found

    def copies(self) -> list[str]:
        return self.machine.run(f"ls {FOLDER} 2>/dev/null || true").split()

    def fetched(self, name: str) -> Path:
        """A copy, on the operator's machine."""
        file = self.home.home / name
        file.write_bytes(base64.b64decode(self.machine.run(f"base64 {FOLDER}/{name}")))
        return file

    def begin_to_write(self) -> None:
        """There is a datastore from now on, and somebody writes into it."""
        self.machine.put(f"{DATABASE}/state.db", self.home.database.read_bytes(), 0o600)
        self.machine.put(f"{Path(DATABASE).parent}/token", TOKEN.encode(), 0o600)
        self.machine.put("/root/writer.py", WRITER.read_bytes())
        command = f"python3 /root/writer.py {DATABASE}/state.db {TOTAL} '{SECRET.decode()}'"
        self.machine.run(f"systemd-run -q --unit writer --property=StandardOutput=null {command}")


@pytest.fixture
def server(site: Site, tmp_path: Path) -> Server:
    age = shutil.which("age")
    if not age:
        pytest.skip("age is not installed")
    [machine] = site.machines(1)
    # No archive is reached from inside.
    machine.put("/usr/bin/age", Path(age).read_bytes(), 0o755)
    return Server(machine, site_in(tmp_path))


def eventually(holds: Callable[[], object], seconds: float = 100) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(1)


def test_a_timer_copies_the_datastore_and_what_goes_wrong_is_seen(server: Server, site: Site, tmp_path: Path) -> None:
    machine = server.machine
    assert _item(server.asked("apply")) == "done"
    plan = server.asked("plan")
    assert _item(plan) == "fine"
    assert plan["copies"] == {"newest": "", "count": 0, "wrong": []}
    machine.run(f"systemctl start {UNIT}")
    assert server.copies() == [], "before there is a datastore, there is nothing to copy, and nothing wrong"

    server.begin_to_write()
    eventually(server.copies)
    by_timer = server.fetched(server.copies()[0])
    inside = server.home.opened(by_timer)
    assert inside["token"] == TOKEN.encode()
    assert last_revision(inside["state.db"], tmp_path / "opened.db") > 0
    plan = server.asked("plan")
    assert plan["copies"]["count"] == 1
    assert plan["copies"]["wrong"] == []
    assert machine.run(f"stat -c %a:%U {FOLDER} {FOLDER}/*").split() == ["700:root", "600:root"]

    _killed(server)
    _spoilt(server)
    _late(server)
    _restored(server, site, tmp_path)
    _taken_away(server)


def _item(answer: Answer) -> str:
    [found] = [item["state"] for item in answer["system"] if item["item"] == "copies of the datastore"] or [""]
    return str(found)


def _killed(server: Server) -> None:
    """At some moment of its run: systemd leaves nothing of it in plain text."""
    machine, kept = server.machine, set(server.copies())
    for pause in ("0", "0.1", "0.2", "0.3"):
        machine.run(f"systemctl start --no-block {UNIT}; sleep {pause}; systemctl kill -s KILL {UNIT} || true")
        eventually(lambda: machine.run(f"systemctl show -P ActiveState {UNIT}").strip() in {"inactive", "failed"})
        left = machine.run(f"ls -A /run/{UNIT} /var/lib/fluxstead/{UNIT} {FOLDER} 2>/dev/null || true")
        assert "state.db" not in left
        assert ".part" not in left
    assert kept <= set(server.copies()) or len(server.copies()) == 3
    machine.run(f"systemctl reset-failed {UNIT} || true")


def _spoilt(server: Server) -> None:
    """Somebody edits what is ours: the run fails, former copies stay, it is told, and mended."""
    machine, kept = server.machine, server.copies()
    machine.run("systemctl stop fluxstead-sqlite-backup.timer; echo age1nobody >/etc/fluxstead/recipients.txt")
    assert machine.try_to(f"systemctl start {UNIT}").returncode != 0
    assert server.copies() == kept
    plan = server.asked("plan")
    assert _item(plan) == "due"
    [told] = plan["copies"]["wrong"]
    assert "the last copy of the datastore failed: no copy: age: " in told["says"]
    assert "Traceback" not in machine.run(f"journalctl -u {UNIT} -o cat")
    assert _item(server.asked("apply")) == "done"
    machine.run(f"systemctl start {UNIT}")
    assert server.asked("plan")["copies"]["wrong"] == []


def _late(server: Server) -> None:
    machine = server.machine
    machine.run(f"systemctl stop {UNIT}.timer; touch -d '-3 days' {FOLDER}/*")
    wrong = [told["says"] for told in server.asked("plan")["copies"]["wrong"]]
    assert wrong == [f"the newest copy of the datastore is 3 days old (in {FOLDER})"]
    machine.run(f"systemctl start {UNIT}.timer; systemctl start {UNIT}")
    assert server.asked("plan")["copies"]["wrong"] == []


def _restored(server: Server, site: Site, tmp_path: Path) -> None:
    """On a fresh machine, by the commands of the page."""
    machine = server.machine
    machine.run(f"systemctl stop writer {UNIT}.timer")
    # One that runs already would be of a moment before.
    eventually(lambda: machine.run(f"systemctl show -P ActiveState {UNIT}").strip() == "inactive")
    machine.run(f"systemctl start {UNIT}")
    newest = max(server.copies())
    inside = server.home.opened(server.fetched(newest))
    page = Path("docs/tasks/restore-the-datastore.md").read_text()
    commands = [line.replace("sudo ", "") for line in page.splitlines() if re.match(r"sudo install ", line)]
    assert len(commands) == 3
    [fresh] = site.machines(1)
    for name in ("state.db", "token"):
        fresh.put(f"/root/{name}", inside[name], 0o600)
    fresh.run(" && ".join(["cd /root", *commands]))
    assert fresh.run("python3 -", DUMP) == machine.run("python3 -", DUMP)
    assert fresh.run(f"cat {Path(DATABASE).parent}/token") == TOKEN
    assert last_revision(inside["state.db"], tmp_path / "restored.db") > 0


def _taken_away(server: Server) -> None:
    """No longer described: nothing of ours stays but copies."""
    kept, server.state = server.copies(), None
    assert _item(server.asked("plan")) == "due"
    assert _item(server.asked("apply")) == "done"
    assert _item(server.asked("plan")) == "fine"
    assert server.copies() == kept
    names = f"/etc/systemd/system/{UNIT}.* /usr/local/lib/fluxstead /etc/fluxstead"
    assert server.machine.run(f"ls -d {names} 2>/dev/null || true") == ""
    assert "not-found" in server.machine.run(f"systemctl show -P LoadState {UNIT}.timer")


def test_a_copy_goes_into_a_bucket_by_a_login_that_nobody_sees(server: Server, site: Site) -> None:
    machine = server.machine
    with _store(site.network.address) as (port, taken):
        bucket = {"endpoint": f"http://{site.network.address}:{port}", "bucket": "home", "region": "eu-1", "folder": "state"}
        assert server.state
        server.state |= {"store": bucket}
        server.asked("apply")
        server.begin_to_write()
        assert machine.try_to(f"systemctl start {UNIT}").returncode != 0
        [told] = server.asked("plan")["copies"]["wrong"]
        assert "stays on this machine alone: /etc/fluxstead/s3-login.json is not there" in told["says"]

        assert server.asked("login", login=LOGIN)["changed"] is True
        assert server.asked("login", login=LOGIN)["changed"] is False
        machine.run(f"systemctl start {UNIT}")
        newest = max(server.copies())
        assert taken[f"/home/state/{newest}"] == server.fetched(newest).read_bytes()
        assert server.asked("plan")["copies"]["wrong"] == []
    assert machine.run("stat -c %a:%U /etc/fluxstead/s3-login.json").strip() == "600:root"
    seen = f"journalctl -o cat; cat /etc/systemd/system/{UNIT}.*; cat /proc/*/cmdline | tr '\\0' ' '"
    assert LOGIN["AWS_SECRET_ACCESS_KEY"] not in machine.run(f"({seen}) 2>/dev/null || true")


@contextmanager
def _store(host: str) -> Iterator[tuple[int, dict[str, bytes]]]:
    """What takes objects that are signed by that login, and nothing else; the signature itself is held against curl's elsewhere."""
    taken: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            bucket = Bucket(f"http://{self.headers['host']}", "eu-1", "home", "state", *LOGIN.values())
            digest = hashlib.sha256(body).hexdigest()
            wanted = signed(bucket, "PUT", self.path, digest, self.headers["x-amz-date"])["authorization"]
            right = self.headers["authorization"] == wanted
            if right:
                taken[self.path] = body
            self.send_response(200 if right else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((host, 0), Handler) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield serving.server_port, taken
        serving.shutdown()
