"""`--deep`: an application's machine is cordoned, and it goes on elsewhere with what it had written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping
from fluxstead.live.conditions import is_ready
from fluxstead.live.making import make
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, waits
from fluxstead.live.resources import DEPLOYMENTS
from fluxstead.live.verify.place import GOES_TOO, NAMESPACE, cordon, cordoned, uncordon
from fluxstead.live.verify.pods import spec_of, why_not
from fluxstead.live.verify.storage import Tried, why_it_stays

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_FROM = "fluxstead/moves-from"


def running(tried: Tried) -> str:
    """The step after which an application has the claim."""
    return f"class {tried.name}: an application runs with it"


def run_step(api: LiveApi, tried: Tried) -> Step:
    """An application that reads what was written, and stays."""
    return Step(
        running(tried),
        "what follows happens while the volume is in use",
        GOES_TOO,
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
            "./run verify, which lets it go before it begins",
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
    return waits(why_not(api, pod) if pod else "its pod is not there yet", tried.do)


def _start(api: LiveApi, tried: Tried) -> None:
    spec = spec_of("read.sh", {"STAY": "yes"}, claim=tried.short)
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
    if here and (not began or here == began):
        return due(f"cordon {here}, and delete the pod there")
    if pod and is_ready(pod):
        return done(f"from {began} to {here}")
    return waits(why_not(api, pod) if pod else "the next pod is not there yet", tried.do)


def _move(api: LiveApi, tried: Tried) -> None:
    pod = _pod(api, tried)
    machine = str(at(pod, ("spec", "nodeName")) or "")
    if pod is None or not machine:
        return
    api.merge(DEPLOYMENTS, tried.pod("moves"), {"metadata": {"annotations": {_FROM: machine}}}, NAMESPACE)
    cordon(api, machine)
    metadata = mapping(pod, "metadata")
    api.delete(PODS, str(metadata["name"]), NAMESPACE, uid=str(metadata.get("uid", "")))


def _let_go(api: LiveApi) -> StepState:
    mine = cordoned(api)
    return due(f"uncordon {', '.join(mine)}") if mine else done()


def _release(api: LiveApi) -> None:
    for machine in cordoned(api):
        uncordon(api, machine)
