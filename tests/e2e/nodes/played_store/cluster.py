"""A cluster with the played Longhorn, and file trees in its claims: what restores are judged by.

    with whole_site(need) as site, stored(site) as store, cluster_with(site, store) as cluster:
        cluster.claim("data")
        before = cluster.write_tree("data", seed="first")
        backup = cluster.back_up("data")
        ...
        assert cluster.tree_of("restored") == before

A second `cluster_with` on the same store is another cluster, which knows of nothing but what the store says.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from fluxstead.hosts.kubeconfig import put_right
from fluxstead.live.verify.pods import IMAGE
from tests.e2e.cluster.api import Api, Json, api_of
from tests.e2e.nodes.by_hand import await_ready, start_k3s
from tests.e2e.nodes.fixtures import Site
from tests.e2e.nodes.images import shell_image_tar
from tests.e2e.nodes.packing import stand_in_binary
from tests.e2e.nodes.played import until
from tests.e2e.nodes.spawned import SpawnedMachine

from .engine import CLASS, PlayedLonghorn
from .store import URL, Store

VERSION = "v1.33.1+k3s1"
BUSYBOX = Path("/usr/bin/busybox")
_TOKEN = "a-token-of-these-tests"  # noqa: S105 -- of a cluster that lives for minutes
_USER = 65532
_ENDS = 120
READ = "cd /data && busybox find . -type f -exec busybox sha256sum {} + && busybox find . -type l -exec busybox readlink -f {} +"
WRITE = """cd /data
busybox rm -rf ./* ./.[!.]*
mkdir -p 'a folder/below' empty
for number in 1 2 3 4 5; do echo "$SEED, file $number" >"a folder/$number.txt"; done
head -c 300000 /dev/urandom >'a folder/below/random'
: >nothing
echo "$SEED" >.hidden
busybox ln -s 'a folder/1.txt' link
busybox chmod 600 .hidden
sync
"""


class StoredCluster:
    """A cluster of its own on so many machines of a site; `api` and `kubeconfig` are its administrator's."""

    def __init__(self, site: Site, store: Store, machines: Sequence[SpawnedMachine], longhorn: str) -> None:
        self.server = machines[0]
        self.machines = machines
        self.site = site
        self.store = store
        binary = stand_in_binary(VERSION, site.home)
        image = shell_image_tar(IMAGE, BUSYBOX)
        for number, machine in enumerate(machines):
            machine.put("/var/lib/rancher/k3s/agent/images/shell.tar", image)
            joins = {"server": f"https://{self.server.address}:6443"} if number else {}
            start_k3s(machine, binary, "agent" if number else "server", {"token": _TOKEN, "node-ip": machine.address, **joins})
        await_ready(self.server, *(one.name for one in machines))
        own = self.server.run("cat /etc/rancher/k3s/k3s.yaml")
        text = put_right(own, self.server.name, f"https://{self.server.address}:6443")
        self.kubeconfig = site.home / f"kubeconfig-{self.server.name}"
        self.kubeconfig.write_text(text)
        self.api: Api = api_of(yaml.safe_load(text))
        self._pods = itertools.count(1)
        self.longhorn = PlayedLonghorn(self.api, site, machines, version=longhorn)

    def claim(self, name: str, size: str = "1Gi", *, namespace: str = "default", of_class: str = CLASS) -> None:
        """Make a claim; its volume comes with it."""
        spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": of_class, "resources": {"requests": {"storage": size}}}
        metadata = {"name": name, "namespace": namespace}
        self.api.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})

    def run(self, claim: str, script: str, seed: str = "", namespace: str = "default") -> str:
        """Run a script in a pod that has the claim at /data, to its end; gives what it printed, once the pod is gone."""
        return self.result(self.start(claim, script, seed, namespace), namespace)

    def result(self, name: str, namespace: str = "default") -> str:
        """What a pod that was started prints, once it has ended and is gone."""
        place = ("v1", "Pod", name, namespace)

        def ended() -> bool:
            phase = (self.api.get(*place) or {"status": {}})["status"].get("phase")
            assert phase != "Failed", self.server.run(f"k3s kubectl logs -n {namespace} {name}")
            return bool(phase == "Succeeded")

        try:
            until(ended, _ENDS)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; {self._why(namespace)}; {self.longhorn.problems}") from problem
        said = self.server.run(f"k3s kubectl logs -n {namespace} {name}")
        self.end(name, namespace)
        return said

    def start(self, claim: str, script: str, seed: str = "", namespace: str = "default") -> str:
        """The same, begun and not waited for; gives the pod's name."""
        name = f"tree-{next(self._pods)}"
        container = {
            "name": "tree",
            "image": IMAGE,
            "imagePullPolicy": "Never",
            "command": ["sh", "-ec", script],
            "env": [{"name": "SEED", "value": seed}],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        spec: Json = {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER},
            "containers": [container],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
        }
        self.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
        return name

    def end(self, pod: str, namespace: str = "default") -> None:
        """Remove a pod, and wait until it is gone."""
        self.api.delete("v1", "Pod", pod, namespace)
        until(lambda: self.api.get("v1", "Pod", pod, namespace) is None, _ENDS)

    def write_tree(self, claim: str, seed: str, namespace: str = "default") -> dict[str, str]:
        """Put a tree of files into a claim in the place of what is there; gives what `tree_of` says of it."""
        return tree(self.run(claim, f"{WRITE}\n{READ}", seed, namespace))

    def tree_of(self, claim: str, namespace: str = "default") -> dict[str, str]:
        """What a pod reads of a claim: each file's SHA-256 by its path, and where links lead."""
        return tree(self.run(claim, READ, namespace=namespace))

    def point(self, every: str = "5m0s") -> None:
        """Let its default target be the store, as somebody describes it."""
        self.longhorn.point_at(URL, self.store.credentials, every=every)

    def back_up(self, claim: str, namespace: str = "default") -> Json:
        """Back a claim up; gives the Backup, which is Completed, or not."""
        return self.longhorn.back_up(self.longhorn.volume_of(claim, namespace))

    def _why(self, namespace: str) -> str:
        events = self.api.list("v1", "Event", namespace)
        return "; ".join(str(one.get("message", "")) for one in events if one.get("type") == "Warning")


def tree(said: str) -> dict[str, str]:
    """What READ printed, as `tree_of` gives it."""
    lines = [line.partition("  ")[::2] for line in said.splitlines()]
    return {path or f"link to {digest}": digest if path else "" for digest, path in lines}


@contextmanager
def stored(site: Site) -> Iterator[Store]:
    """An S3 server in the network of a site."""
    store = Store(site.network.address)
    try:
        yield store
    finally:
        store.down()


@contextmanager
def cluster_with(
    site: Site, store: Store, *, machines: int = 1, longhorn: str = "1.12.1", every: str | None = "2s"
) -> Iterator[StoredCluster]:
    """A new cluster on new machines, whose default target is this store, and is listed `every` so often; None: it has no target."""
    if not BUSYBOX.exists():
        pytest.skip("not installed: busybox-static")
    made = StoredCluster(site, store, site.machines(machines), longhorn)
    try:
        if every:
            made.point(every)
        yield made
    finally:
        made.longhorn.stop()
