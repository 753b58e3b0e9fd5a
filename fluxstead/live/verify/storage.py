"""A claim of a storage class: bound, written, read by another pod, grown, and read on another machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import at, entries_of, mapping
from fluxstead.live.conditions import conditions_of
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due
from fluxstead.live.resources import MACHINES, Resource
from fluxstead.live.verify.network import make
from fluxstead.live.verify.place import CORDONED, NAMESPACE, READY, VOLUMES
from fluxstead.live.verify.pods import machine_of, on, pod, run_once, spec_of

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

CLASSES = Resource("apis/storage.k8s.io/v1", "storageclasses", namespaced=False)
CLAIMS = Resource("api/v1", "persistentvolumeclaims")
SIZE, GROWN = "1Gi", "2Gi"
"""What most drivers make as small as is asked for, and xfs takes."""
_STATIC = "kubernetes.io/no-provisioner"
_NO_WAY_BACK = "none is needed: it goes with its namespace"


class Tried(NamedTuple):
    """One class that is tried. `short`: what its objects are called by, since names of classes are long."""

    name: str
    short: str
    provisioner: str
    grows: bool
    copies: str

    @property
    def claim(self) -> str:
        """The claim's name."""
        return self.short

    def pod(self, what: str) -> str:
        """A pod's name."""
        return f"{self.short}-{what}"

    @property
    def written(self) -> str:
        """The step that all others of this class come after."""
        return f"class {self.name}: a claim is bound, and written to"

    @property
    def do(self) -> str:
        """What to type where it does not work."""
        return f"./run doctor; docs/tasks/verify.md; while it runs: kubectl -n {NAMESPACE} describe pvc {self.claim}"


def classes(api: LiveApi) -> list[Tried]:
    """All classes that make volumes."""
    found = [one for one in api.list(CLASSES) if one.get("provisioner") != _STATIC]
    named = sorted(found, key=lambda one: str(mapping(one, "metadata")["name"]))
    return [
        Tried(
            str(mapping(one, "metadata")["name"]),
            f"class-{number}",
            str(one.get("provisioner")),
            one.get("allowVolumeExpansion") is True,
            str(mapping(one, "parameters").get("numberOfReplicas", "")),
        )
        for number, one in enumerate(named, 1)
    ]


def steps(api: LiveApi, tried: Tried) -> tuple[Step, ...]:
    """Those of one class."""
    written = pod(tried.pod("write"), spec_of("write.sh", {}, claim=tried.claim))
    of = f"class {tried.name}"

    def step(name: str, why: str, standing: Callable[[], StepState], act: Callable[[], None], after: str) -> Step:
        return Step(name, why, _NO_WAY_BACK, standing, act, patience=300, after=(after,))

    again = f"{of}: another pod on the same machine reads what was written"
    steps = [
        step(
            tried.written,
            "an application's first start",
            partial(run_once, api, written, "make a claim, and a pod that writes 16 MiB", tried.do),
            partial(_write, api, tried, written),
            READY,
        ),
        step(again, "a restart", partial(_read, api, tried, "again"), partial(_make_reader, api, tried, "again"), tried.written),
    ]
    if tried.grows:
        steps.append(
            step(
                f"{of}: the claim is asked to grow from {SIZE} to {GROWN}",
                "the day when a disk of an application is full",
                partial(_growing, api, tried),
                partial(_grow, api, tried),
                tried.written,
            )
        )
    steps.append(
        step(
            f"{of}: a pod on another machine reads what was written",
            "the day when a machine is down",
            partial(_read, api, tried, "elsewhere"),
            partial(_make_reader, api, tried, "elsewhere"),
            tried.written,
        )
    )
    if tried.grows:
        steps.append(
            Step(
                f"{of}: its filesystem has grown",
                "a claim grows in two steps, and the second is its machine's",
                _NO_WAY_BACK,
                partial(_grown, api, tried),
                patience=120,
                after=(steps[2].name, steps[3].name),
            )
        )
    return tuple(steps)


def _write(api: LiveApi, tried: Tried, written: Mapping[str, Any]) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": tried.claim, "namespace": NAMESPACE},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": tried.name, "resources": {"requests": {"storage": SIZE}}},
    }
    make(api, CLAIMS, claim)
    make(api, PODS, written)


def _read(api: LiveApi, tried: Tried, where: str) -> StepState:
    if where == "elsewhere" and (stays := why_it_stays(api, tried)):
        return done(stays)
    return run_once(api, reader(api, tried, where), "run a pod that compares its checksum", tried.do)


def why_it_stays(api: LiveApi, tried: Tried) -> str:
    """Why no pod elsewhere can read it; empty where one can."""
    volume = api.get(VOLUMES, str(at(api.get(CLAIMS, tried.claim, NAMESPACE), ("spec", "volumeName"))))
    if at(volume, ("spec", "nodeAffinity")):
        return "not tried: volumes of this class stay on their machine"
    usable = [one for one in api.list(MACHINES) if _takes_pods(one)]
    return "not tried: no other machine takes pods" if len(usable) < _TWO else ""


def _takes_pods(machine: Mapping[str, Any]) -> bool:
    """Whether it does, or did until it was cordoned here."""
    if at(machine, ("metadata", "annotations", CORDONED)) == NAMESPACE:
        return True
    spec = mapping(machine, "spec")
    repels = any(one.get("effect") in {"NoSchedule", "NoExecute"} for one in entries_of(spec, "taints"))
    return not repels and spec.get("unschedulable") is not True


_TWO = 2


def reader(api: LiveApi, tried: Tried, where: str) -> dict[str, Any]:
    """A pod that compares what is there with its checksum, beside the one that wrote it or elsewhere."""
    affinity = on([machine_of(api, tried.pod("write"))], other=where == "elsewhere")
    return pod(tried.pod(where), spec_of("read.sh", {"STAY": ""}, claim=tried.claim, affinity=affinity))


def _make_reader(api: LiveApi, tried: Tried, where: str) -> None:
    make(api, PODS, reader(api, tried, where))


def _growing(api: LiveApi, tried: Tried) -> StepState:
    claim = api.get(CLAIMS, tried.claim, NAMESPACE) or {}
    if at(claim, ("spec", "resources", "requests", "storage")) != GROWN:
        return due(f"ask for {GROWN}")
    pending = conditions_of(mapping(claim, "status")).get("FileSystemResizePending")
    if _capacity(claim) >= Quantity(GROWN).amount or (pending and pending.status == "True"):
        return done("" if not pending else "the rest when it is mounted next")
    said = [one.says for one in conditions_of(mapping(claim, "status")).values() if one.says]
    return StepState("waits", "; ".join(said) or "nobody has made the volume larger yet", tried.do)


def _grow(api: LiveApi, tried: Tried) -> None:
    api.merge(CLAIMS, tried.claim, {"spec": {"resources": {"requests": {"storage": GROWN}}}}, NAMESPACE)


def _capacity(claim: Mapping[str, Any]) -> Decimal:
    """In bytes."""
    said = Quantity.read(at(claim, ("status", "capacity", "storage")))
    return said.amount if said else Quantity("0").amount


def _grown(api: LiveApi, tried: Tried) -> StepState:
    claim = api.get(CLAIMS, tried.claim, NAMESPACE) or {}
    if _capacity(claim) >= Quantity(GROWN).amount:
        return done(f"{at(claim, ('status', 'capacity', 'storage'))}")
    return StepState("waits", f"it still has {at(claim, ('status', 'capacity', 'storage'))}", tried.do)
