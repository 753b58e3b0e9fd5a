"""The pods that try things: what they run, and how it stands with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, entries_of, mapping
from fluxstead.live.pods import PODS, trouble_of
from fluxstead.live.procedure import StepState, done, due, fails, waits
from fluxstead.live.resources import Resource
from fluxstead.live.verify.place import NAMESPACE

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

IMAGE = "docker.io/rancher/mirrored-library-busybox:1.37.0"
"""In the archives of images that k3s' releases have for machines without a network (k3s-io/k3s: scripts/airgap/image-list.txt)."""
EVENTS = Resource("api/v1", "events")
_USER = 65532
_ENDS = 3600
"""Seconds after which a pod ends that nobody has cleaned up."""


def script(name: str) -> str:
    """One of the programs beside this file."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def spec_of(program: str, env: Mapping[str, str], *, claim: str = "", affinity: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a pod runs, as somebody who may do nothing else. `claim`: what is at `/data`."""
    container: dict[str, Any] = {
        "name": "verify",
        "image": IMAGE,
        "command": ["sh", "-c", script(program)],
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 -- the pod's own
    }
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}]
    if claim:
        container["volumeMounts"].append({"name": "data", "mountPath": "/data"})
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        **({"affinity": affinity} if affinity else {}),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }


def pod(name: str, spec: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One that runs to its end, once."""
    metadata = {"name": name, "namespace": NAMESPACE, **({"labels": dict(labels)} if labels else {})}
    once = {**spec, "restartPolicy": "Never", "activeDeadlineSeconds": _ENDS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": once}


def on(machines: Sequence[str], *, other: bool = False) -> dict[str, Any]:
    """The affinity of a pod that is on one of these machines, or on any other."""
    field = {"key": "metadata.name", "operator": "NotIn" if other else "In", "values": list(machines)}
    terms = [{"matchFields": [field]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def machine_of(api: LiveApi, name: str) -> str:
    """Where a pod is, or was; empty where it is nowhere."""
    return str(mapping(api.get(PODS, name, NAMESPACE) or {}, "spec").get("nodeName") or "")


def run_once(api: LiveApi, obj: Mapping[str, Any], does: str, wrong: str) -> StepState:
    """How it stands with a pod that runs to its end. `does`: what it is made for; `wrong`: what to type where it fails."""
    name = str(mapping(obj, "metadata")["name"])
    found = api.get(PODS, name, NAMESPACE)
    if found is None:
        return due(does)
    phase = mapping(found, "status").get("phase")
    if phase == "Succeeded":
        return done()
    if phase == "Failed":
        return fails(last_words(found) or f"pod {name} failed without a word", wrong)
    return waits(why_not(api, found), wrong)


def last_words(obj: Mapping[str, Any]) -> str:
    """What the pod's program said when it ended."""
    states = [mapping(mapping(one, "state"), "terminated") for one in entries_of(mapping(obj, "status"), "containerStatuses")]
    said = [str(one.get("message") or one.get("reason") or "").strip() for one in states if one]
    return "; ".join(filter(None, said)) or str(at(obj, ("status", "message")) or "")


def why_not(api: LiveApi, obj: Mapping[str, Any]) -> str:
    """Why a pod has not ended yet, in the words of whoever is responsible: its volume's, its image's, the scheduler's."""
    name = str(mapping(obj, "metadata")["name"])
    said = [line.removeprefix(f"Pod {NAMESPACE}/") for line in trouble_of(obj)]
    claims = [at(one, ("persistentVolumeClaim", "claimName")) for one in entries_of(mapping(obj, "spec"), "volumes")]
    about = {name, *(str(one) for one in claims if one)}
    newest = max(
        (one for one in api.list(EVENTS, NAMESPACE) if _is_warning(one, about)),
        key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime") or ""),
        default={},
    )
    words = f"{newest.get('reason')}: {' '.join(str(newest.get('message', '')).split())[:300]}" if newest else ""
    phase = str(at(obj, ("status", "phase")) or "Pending").lower()
    return "; ".join(filter(None, (*said, words))) or f"pod {name} is {phase}"


def _is_warning(event: Mapping[str, Any], about: set[str]) -> bool:
    """What the scheduler says is in the pod's own conditions as well."""
    warns = event.get("type") == "Warning" and event.get("reason") != "FailedScheduling"
    return warns and at(event, ("involvedObject", "name")) in about
