"""What has to be true at the end: seen with kubectl and on the person's own disk, not by what fluxstead says of itself."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.real.person import NotDone, Person

SECONDS = 1200
"""How long Flux may take for a commit, and Longhorn for a volume; images are pulled from the internet."""
PAUSE = 5
IMAGE = "docker.io/library/busybox:1.37"
SHORT = 8
"""Shorter values, such as `admin`, stand in many a text."""
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: fluxstead-real, namespace: default}
spec: {accessModes: [ReadWriteOnce], storageClassName: longhorn, resources: {requests: {storage: 1Gi}}}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: default}}
spec:
  restartPolicy: Never
  containers:
    - name: it
      image: {image}
      command: [sh, -c, '{command}']
      volumeMounts: [{{name: data, mountPath: /data}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: fluxstead-real}}}}]
"""


class RunningCluster:
    """The cluster, by kubectl and the kubeconfig that `pulumi up` wrote."""

    def __init__(self, person: Person, stack: str) -> None:
        self.kubeconfig = person.home / ".kube" / f"fluxstead-{stack}.yaml"
        self._operator = person

    def kubectl(self, *words: str, given: str | None = None) -> str:
        """What it prints."""
        return self._operator.asks("kubectl", "--kubeconfig", str(self.kubeconfig), *words, given=given)

    def items(self, *words: str) -> list[dict[str, object]]:
        """The objects that `kubectl get` lists."""
        found: list[dict[str, object]] = json.loads(self.kubectl("get", *words, "-o", "json"))["items"]
        return found

    def until_ready(self, nodes: Iterable[str], revision: str) -> int:
        """Wait until these nodes and every layer are Ready, the layers at this commit; gives how many layers there are."""
        self.kubectl("wait", "--for=condition=Ready", f"--timeout={SECONDS}s", *(f"node/{name}" for name in nodes))
        deadline = time.monotonic() + SECONDS
        while True:
            layers = self.items("kustomizations.kustomize.toolkit.fluxcd.io", "--all-namespaces")
            left = list(unready(layers, revision))
            if layers and not left:
                return len(layers)
            if time.monotonic() > deadline:
                raise NotDone("\n".join(["not every layer is Ready at " + revision, *left]))
            time.sleep(PAUSE)

    def keeps_a_volume(self) -> None:
        """One pod writes to a volume of Longhorn's and is gone; another one reads it."""
        word = secrets.token_hex(8)
        self.kubectl("apply", "--filename", "-", given=CLAIM)
        try:
            for name, command in (("writes", f"echo {word} > /data/word; sync"), ("reads", "cat /data/word")):
                self.kubectl("apply", "--filename", "-", given=POD.format(name=name, image=IMAGE, command=command))
                self.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"--timeout={SECONDS}s", f"pod/{name}")
                read = self.kubectl("logs", name).strip()
                self.kubectl("delete", "pod", name)
        finally:
            self.kubectl("delete", "pvc", "fluxstead-real", "--wait=false")
        if read != word:
            raise NotDone(f"a volume of Longhorn's held {word!r}, and gave {read!r}")


def unready(layers: Iterable[dict[str, object]], revision: str) -> Iterator[str]:
    """A line for each Kustomization that is not Ready at this commit."""
    for layer in layers:
        status = layer.get("status")
        told = status if isinstance(status, dict) else {}
        ready = next(
            (one for one in told.get("conditions", ()) if one["type"] == "Ready"), {"status": "", "message": "no state yet"}
        )
        applied = told.get("lastAppliedRevision")
        if ready["status"] != "True" or applied != revision:
            metadata = layer["metadata"]
            assert isinstance(metadata, dict)
            yield f"  {metadata['name']}: {ready['message']} (at {applied})"


def secret_values(person: Person) -> dict[str, str]:
    """Every value that only people and the cluster may know, by where it is from."""
    sops = str(person.project / ".venv/bin/sops")
    found: dict[str, str] = {}
    for file in sorted((person.project / "secrets").rglob("*.sops.yaml")):
        data = json.loads(person.asks(sops, "decrypt", "--output-type", "json", str(file)))
        for key, value in {**data.get("stringData", {}), **data.get("data", {})}.items():
            found[f"{file.name}: {key}"] = value
    for line in (person.home / ".config/sops/age/keys.txt").read_text().splitlines():
        if line.startswith("AGE-SECRET-KEY-"):
            found["keys.txt"] = line
    return {name: value.strip() for name, value in found.items() if len(value.strip()) >= SHORT}


def spilled(values: dict[str, str], texts: dict[str, bytes]) -> list[str]:
    """Where one of the values, or one of its lines, stands as it is or in base64."""
    return [
        f"{name} stands in {place}"
        for name, value in values.items()
        for place, text in texts.items()
        if any(form in text for line in _telling(value) for form in _forms(line.encode()))
    ]


def _telling(value: str) -> list[str]:
    """The lines of a value that nobody could know: not the comments of a key file, and not the frame of a PEM."""
    return [line for line in value.splitlines() if len(line) >= SHORT and not line.startswith(("#", "-----"))]


def _forms(plain: bytes) -> Iterator[bytes]:
    yield plain
    # Where in a text it begins decides how it is cut into groups of three bytes; the outer groups belong to its neighbours, too.
    for before in range(3):
        yield base64.b64encode(b"\0" * before + plain)[4 if before else 0 : -4]


def texts_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
