"""All of the played Longhorn in one cluster: what is there once it is installed, and a thread that does its controllers' parts."""

from __future__ import annotations

import json
import secrets
import traceback
import uuid
from collections.abc import Mapping, Sequence
from threading import Event, Thread

from tests.e2e.cluster.api import Api, Json, RefusedError
from tests.e2e.cluster.crds import chart_crds
from tests.e2e.nodes.fixtures import Site
from tests.e2e.nodes.played import until
from tests.e2e.nodes.spawned import SHARED, SpawnedMachine

from . import kubernetes
from .backups import Backups
from .claims import Claims
from .csi import NodePlugin
from .objects import DRIVER, OF_TARGET, OF_VOLUME, SPACE, VERSION, Objects, is_going, labels_of, status_of
from .targets import Targets
from .volumes import Volumes
from .webhook import Webhooks

CLASS, SECRET = "longhorn", "backup-credentials"
EVERY_SECONDS = 0.25
_SHOWN = 5


class PlayedLonghorn:
    """Longhorn in a cluster of a site's machines. `volumes`, `backups`: what a test may make wrong there."""

    def __init__(
        self,
        api: Api,
        site: Site,
        machines: Sequence[SpawnedMachine],
        *,
        version: str = "1.12.1",
    ) -> None:
        self.api = api
        self.version = version
        server = machines[0].name
        here, there = site.home / "shared" / server, f"{SHARED}/{server}"
        here.mkdir(exist_ok=True)
        self.objects = Objects(api)
        self._problems: list[str] = []
        self._install()
        image = f"longhornio/longhorn-engine:v{version}"
        self._webhooks = Webhooks(self.objects, site.network.address, site.base, site.home / f"webhook-{server}", image)
        numbers = [int(part) for part in version.split(".")]
        self._targets = Targets(self.objects, (numbers[0], numbers[1], numbers[2]))
        self.backups = Backups(self.objects, here, self._targets)
        self.volumes = Volumes(self.objects, here, self._targets.archives)
        self._claims = Claims(self.objects, self.volumes)
        self._target()
        self._plugins = [NodePlugin(one, site.home / one.name / "var", there) for one in machines]
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _install(self) -> None:
        for one in chart_crds("longhorn", self.version):
            if one["spec"]["group"] == "longhorn.io":
                self.api.apply(one)
        self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
        driver = {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": DRIVER}}
        self.api.apply({**driver, "spec": {"podInfoOnMount": True, "attachRequired": True}})
        named = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": CLASS}}
        rest = {"allowVolumeExpansion": True, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}
        parameters = {"numberOfReplicas": "1", "staleReplicaTimeout": "30", "fsType": "ext4", "dataEngine": "v1"}
        self.api.apply({**named, "provisioner": DRIVER, **rest, "parameters": parameters})
        manager = {"name": "longhorn-manager-1", "namespace": SPACE, "labels": {"app": "longhorn-manager"}}
        container = {"name": "longhorn-manager", "image": "example.test/none:1"}
        nowhere = {"nodeSelector": {"played": "by-the-tests"}, "containers": [container]}
        self.api.apply({"apiVersion": "v1", "kind": "Pod", "metadata": manager, "spec": nowhere})

    def _target(self) -> None:
        """The default one, which a manager makes when it starts."""
        until(lambda: _served(self.api))
        if self.objects.one("BackupTarget", "default") is None:
            self.objects.make("BackupTarget", "default", {"backupTargetURL": "", "credentialSecret": "", "pollInterval": "5m0s"})

    def point_at(self, url: str, credentials: Mapping[str, str], *, every: str = "5m0s") -> None:
        """Describe the default target, as somebody does who has a store; `every` is how often it is listed."""
        place = {"name": SECRET, "namespace": SPACE}
        self.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": place, "stringData": dict(credentials)})
        target = self.objects.one("BackupTarget", "default")
        assert target
        spec = {"backupTargetURL": url, "credentialSecret": SECRET, "pollInterval": every}
        self.objects.change(target, {"spec": spec})

    @property
    def target(self) -> Json:
        """What is said of the default target."""
        return status_of(self.objects.one("BackupTarget", "default"))

    def volume_of(self, claim: str, namespace: str = "default") -> str:
        """Longhorn's name of what a claim is bound to."""
        found = self.api.get("v1", "PersistentVolumeClaim", claim, namespace) or {"spec": {}}
        name = found["spec"].get("volumeName", "")
        bound = self.api.get("v1", "PersistentVolume", name) if name else None
        return kubernetes.handle_of(bound) if bound else ""

    def back_up(self, volume: str, job: str = "", retain: int = 0) -> Json:
        """The Backup that Longhorn's API makes, as its page and its jobs do it, once it has ended (api/snapshot.go).

        With `retain`, all but so many of the job's are removed afterwards (app/recurringjob/volume.go).
        """
        of = self.objects.one("Volume", volume)
        assert of, f"there is no volume {volume}"
        words = {"RecurringJob": job} if job else {}
        snapshot = f"{job[:8] or 'snap'}-{uuid.uuid4()}"
        self.objects.make("Snapshot", snapshot, {"volume": volume, "createSnapshot": True, "labels": words})
        until(lambda: status_of(self.objects.one("Snapshot", snapshot)).get("readyToUse"))
        said = status_of(self.objects.one("Volume", volume)).get("kubernetesStatus")
        words |= {"KubernetesStatus": json.dumps(said)} if said else {}
        name, labels = f"backup-{secrets.token_hex(8)}", {OF_VOLUME: volume, OF_TARGET: of["spec"]["backupTargetName"]}
        self.objects.make("Backup", name, {"snapshotName": snapshot, "labels": words}, labels=labels)
        until(lambda: status_of(self.objects.one("Backup", name)).get("lastSyncedAt"))
        if retain:
            mine = [one for one in self.objects.all("Backup").values() if _is_jobs(one, volume, job)]
            for one in sorted(mine, key=lambda one: str(one["status"]["backupCreatedAt"]), reverse=True)[retain:]:
                self.objects.delete(one)
        return self.objects.one("Backup", name) or {}

    def run_job(self, name: str) -> list[Json]:
        """What a RecurringJob makes when its time comes: a backup of each volume with its label, or a group's, that is attached."""
        job = self.objects.one("RecurringJob", name)
        assert job, f"there is no job {name}"
        wanted = {f"recurring-job.longhorn.io/{name}"}
        wanted |= {f"recurring-job-group.longhorn.io/{group}" for group in job["spec"].get("groups") or []}
        volumes = self.objects.all("Volume").values()
        chosen = [one for one in volumes if wanted & labels_of(one).keys() and status_of(one).get("state") == "attached"]
        return [self.back_up(one["metadata"]["name"], name, job["spec"].get("retain", 1)) for one in chosen]

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self.look()
            except OSError:
                continue  # the API is away
            except Exception:  # noqa: BLE001 -- a thread that ends says nothing
                self._problems.append(traceback.format_exc())

    def look(self) -> None:
        """Do all parts once."""
        seen = kubernetes.look(self.api)
        self._claims.look(seen)
        self.volumes.look(seen)
        self._targets.look()
        self.backups.look()

    @property
    def problems(self) -> str:
        """What went wrong in its own thread; for a test that waits in vain."""
        return "\n".join(self._problems[-_SHOWN:])

    def stop(self) -> None:
        """Do nothing more. What is in the cluster stays."""
        self._stop.set()
        self._thread.join(30)
        for plugin in self._plugins:
            plugin.stop()
        self._webhooks.stop()


def _is_jobs(backup: Json, volume: str, job: str) -> bool:
    labels = status_of(backup).get("labels") or {}
    mine = labels.get("RecurringJob") == job and labels_of(backup).get(OF_VOLUME) == volume
    return mine and status_of(backup).get("state") == "Completed" and not is_going(backup)


def _served(api: Api) -> bool:
    try:
        api.list(VERSION, "BackupTarget", SPACE)
    except RefusedError:
        return False
    return True
