"""A cluster comes back from a copy of its datastore: SQLite's by kine, which k3s has in it, and etcd's by etcd's own restore.

An API server writes into both; what restores them is what k3s has in it, and not k3s.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Self

import pytest

from tests.e2e.cluster.api import Api, Json, RefusedError, eventually
from tests.e2e.cluster.control_plane import ControlPlane
from tests.e2e.cluster.processes import Processes
from tests.e2e.isolation import free_port, scratch
from tests.hosts.backups.datastore import Site, last_row, site_in

NAMESPACE = "default"
K3S = "_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate"
"""How k3s opens its file (kine: pkg/drivers/sqlite, NewVariant)."""


class Cluster:
    """An API server, and what it keeps its objects in."""

    def __init__(self, folder: Path, tools: dict[str, Path]) -> None:
        self.tools = tools
        (folder / "logs").mkdir()
        self.processes = Processes(folder / "logs")
        self.plane = ControlPlane(folder, self.processes, tools)

    @property
    def api(self) -> Api:
        return self.plane.api

    def on_sqlite(self, database: Path) -> None:
        """Start it as k3s does, on this file."""
        port = free_port()
        place = f"sqlite://{database}?{K3S}"
        words = [f"--endpoint={place}", f"--listen-address=tcp://127.0.0.1:{port}", "--metrics-bind-address=0"]
        self.processes.start("kine", [self.tools["kine"], *words])
        self.plane.start_api(f"http://127.0.0.1:{port}")

    def on_etcd(self, data: Path) -> str:
        url = self.plane.start_etcd(data)
        self.plane.start_api(url)
        return url

    def end(self) -> None:
        for name in ("kube-apiserver", "kine", "etcd"):
            if name in self.processes.memory():
                self.processes.end(name)


@pytest.fixture
def cluster(need: Callable[..., dict[str, Path]]) -> Iterator[tuple[Cluster, Path]]:
    tools = need("etcd", "kube-apiserver", "kine", "etcdutl")
    with scratch() as folder:
        made = Cluster(folder, tools)
        try:
            yield made, folder
        finally:
            made.processes.stop()


def _object(kind: str, name: str, data: dict[str, str]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData" if kind == "Secret" else "data": data,
    }


class Writer:
    """Makes one ConfigMap after another, each only once the one before it was acknowledged."""

    def __init__(self, api: Api) -> None:
        self.acknowledged = -1
        self._api, self._stop = api, Event()
        self._thread = Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            number = self.acknowledged + 1
            self._api.create(_object("ConfigMap", f"n{number:06}", {"number": str(number), "filler": "x" * 2000}))
            self.acknowledged = number

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)


def _restored(api: Api, at_least: int) -> int:
    """Of what was written one after another nothing is missing in between, and nothing from before the copy began."""
    found = (one["metadata"]["name"] for one in api.list("v1", "ConfigMap", NAMESPACE))
    names = sorted(name for name in found if name.startswith("n"))
    assert names == [f"n{number:06}" for number in range(len(names))]
    assert len(names) > at_least
    kept = api.get("v1", "Secret", "kept", NAMESPACE)
    assert kept
    assert base64.b64decode(kept["data"]["password"]) == b"made in the cluster"
    # Its revisions go on, so watches and updates do.
    api.create(_object("ConfigMap", "afterwards", {"it": "works"}))
    with pytest.raises(RefusedError):
        api.create(_object("ConfigMap", names[-1], {"it": "is there"}))
    return len(names)


@pytest.mark.skipif(not shutil.which("age"), reason="age is not installed")
def test_a_cluster_comes_back_from_a_copy_of_sqlite_that_was_taken_while_it_wrote(cluster: tuple[Cluster, Path]) -> None:
    made, folder = cluster
    site: Site = site_in(folder / "site")
    site.database.unlink()
    made.on_sqlite(site.database)
    made.api.create(_object("Secret", "kept", {"password": "made in the cluster"}))
    with Writer(made.api) as writer:
        for _ in range(3):
            before = writer.acknowledged
            done = site.run()
            assert done.returncode == 0, done.stderr
            after = writer.acknowledged
            assert after > before, "nothing was written while the copy was made"
        begun_with = before
    made.end()
    # What is in the copy and nothing else: the original is gone.
    shutil.rmtree(site.server)
    fresh = folder / "fresh/db/state.db"
    fresh.parent.mkdir(parents=True)
    inside = site.opened(site.copies[-1])
    fresh.write_bytes(inside["state.db"])
    assert last_row(fresh) > 0
    made.on_sqlite(fresh)
    assert _restored(made.api, begun_with) <= writer.acknowledged + 2


def test_a_cluster_comes_back_from_a_snapshot_of_etcd(cluster: tuple[Cluster, Path]) -> None:
    """By etcd's own restore, as of `k3s server --cluster-reset --cluster-reset-restore-path`."""
    made, folder = cluster
    url = made.on_etcd(folder / "etcd")
    made.api.create(_object("Secret", "kept", {"password": "made in the cluster"}))
    with Writer(made.api) as writer:
        eventually("50 are written", 60, lambda: writer.acknowledged >= 50, lambda: f"{writer.acknowledged} are")
        before = writer.acknowledged
        snapshot = _snapshot(url, folder / "etcd-snapshot-k3s1-1764295200")
    made.end()
    shutil.rmtree(folder / "etcd")
    etcdutl = str(made.tools["etcdutl"])
    status = subprocess.run([etcdutl, "snapshot", "status", snapshot, "--write-out=json"], capture_output=True, check=True)
    assert json.loads(status.stdout)["totalKey"] > 50
    subprocess.run([etcdutl, "snapshot", "restore", snapshot, f"--data-dir={folder / 'restored'}"], capture_output=True, check=True)
    spoilt = snapshot.with_name("spoilt")
    spoilt.write_bytes(snapshot.read_bytes()[:-40] + bytes(40))
    refused = subprocess.run(
        [etcdutl, "snapshot", "restore", spoilt, f"--data-dir={folder / 'other'}"], capture_output=True, check=False
    )
    assert refused.returncode != 0
    made.on_etcd(folder / "restored")
    _restored(made.api, before)


def _snapshot(url: str, file: Path) -> Path:
    """By the call by which k3s takes its own (etcd: Maintenance.Snapshot), through etcd's JSON gateway."""
    request = urllib.request.Request(f"{url}/v3/maintenance/snapshot", b"{}")  # noqa: S310 -- loopback
    with urllib.request.urlopen(request, timeout=60) as answer, file.open("wb") as out:  # noqa: S310
        for line in answer:
            out.write(base64.b64decode(json.loads(line)["result"].get("blob", "")))
    return file
