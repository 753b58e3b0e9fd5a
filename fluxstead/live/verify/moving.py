"""`--deep`: an application's machine is cordoned, and it goes on elsewhere with what it had written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, waits
from fluxstead.live.resources import DEPLOYMENTS, MACHINES
from fluxstead.live.verify.network import make
from fluxstead.live.verify.place import CORDONED, NAMESPACE, cordon, is_ready, uncordon
from fluxstead.live.verify.pods import spec_of, why_not
from fluxstead.live.verify.storage import Tried, why_it_stays

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_FROM = "fluxstead/moves-from"
_NO_WAY_BACK = "none is needed: it goes with its namespace"


def running(tried: Tried) -> str:
    """The step after which an application has the claim."""
    return f"class {tried.name}: an application runs with it"


def run_step(api: LiveApi, tried: Tried) -> Step:
    """An application that reads what was written, and stays."""
    return Step(
        running(tried),
        "what follows happens while the volume is in use",
        _NO_WAY_BACK,
        partial(_runs, api, tried),
        partial(_start, api, tried),
        after=(tried.written,),
    )


def move_steps(api: LiveApi, tried: Tried) -> tuple[Step, ...]:
    """It is driven off its machine, and the machine is let go again, whether that went well or not."""
    return (
        Step(
            f"class {tried.name}: its machine is cordoned, and the application runs on another",
            "an upgrade of a machine, or its end",
            f"kubectl uncordon MACHINE, the one with the annotation {CORDONED}",
            partial(_moved, api, tried),
            partial(_move, api, tried),
            patience=420,
            after=(running(tried),),
        ),
        Step(
            f"class {tried.name}: its machine takes pods again",
            "as it was",
            "none is needed",
            partial(_let_go, api),
            partial(_release, api),
            patience=60,
        ),
    )


def _labels(tried: Tried) -> dict[str, str]:
    return {"app": tried.pod("moves")}


def _pod(api: LiveApi, tried: Tried) -> Mapping[str, Any] | None:
    """The application's pod; none that is going."""
    found = api.list(PODS, NAMESPACE, f"app={tried.pod('moves')}")
    return next((one for one in found if not mapping(one, "metadata").get("deletionTimestamp")), None)


def _runs(api: LiveApi, tried: Tried) -> StepState:
    if api.get(DEPLOYMENTS, tried.pod("moves"), NAMESPACE) is None:
        return due("run one")
    pod = _pod(api, tried)
    if pod and is_ready(pod):
        return done(f"on {at(pod, ('spec', 'nodeName'))}")
    return StepState("waits", why_not(api, pod) if pod else "its pod is not there yet", tried.do)


def _start(api: LiveApi, tried: Tried) -> None:
    spec = spec_of("read.sh", {"STAY": "yes"}, claim=tried.claim)
    spec["containers"][0]["readinessProbe"] = {"exec": {"command": ["test", "-f", "/tmp/read"]}, "periodSeconds": 1}  # noqa: S108
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": tried.pod("moves"), "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _labels(tried)},
            "template": {"metadata": {"labels": _labels(tried)}, "spec": spec},
        },
    }
    make(api, DEPLOYMENTS, obj)


def _moved(api: LiveApi, tried: Tried) -> StepState:
    if stays := why_it_stays(api, tried):
        return done(stays)
    began = at(api.get(DEPLOYMENTS, tried.pod("moves"), NAMESPACE), ("metadata", "annotations", _FROM))
    pod = _pod(api, tried)
    here = str(at(pod, ("spec", "nodeName")) or "")
    if not began or here == began:
        return due(f"cordon {began or here}, and delete the pod there") if pod else waits("its pod is not there yet")
    if pod and is_ready(pod):
        return done(f"from {began} to {here}")
    return StepState("waits", why_not(api, pod) if pod else "the next pod is not there yet", tried.do)


def _move(api: LiveApi, tried: Tried) -> None:
    pod = _pod(api, tried)
    if pod is None:
        return
    machine = str(at(pod, ("spec", "nodeName")))
    api.merge(DEPLOYMENTS, tried.pod("moves"), {"metadata": {"annotations": {_FROM: machine}}}, NAMESPACE)
    cordon(api, machine)
    metadata = mapping(pod, "metadata")
    api.delete(PODS, str(metadata["name"]), NAMESPACE, uid=str(metadata.get("uid", "")))


def _cordoned(api: LiveApi) -> list[str]:
    found = [one for one in api.list(MACHINES) if at(one, ("metadata", "annotations", CORDONED)) == NAMESPACE]
    return [str(mapping(one, "metadata")["name"]) for one in found]


def _let_go(api: LiveApi) -> StepState:
    cordoned = _cordoned(api)
    return due(f"uncordon {', '.join(cordoned)}") if cordoned else done()


def _release(api: LiveApi) -> None:
    for machine in _cordoned(api):
        uncordon(api, machine)
