"""A claim of a storage class: bound, written, read by another pod, grown, and read on another machine."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import at, entries_of, mapping
from fluxstead.live.conditions import conditions_of
from fluxstead.live.making import make
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, waits
from fluxstead.live.resources import CLAIMS, CLASSES, MACHINES, VOLUMES
from fluxstead.live.verify.place import CORDONED, GOES_TOO, NAMESPACE, OURS, READY
from fluxstead.live.verify.pods import machine_of, on, pod, run_once, spec_of

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

SIZE, GROWN = "1Gi", "2Gi"
"""What most drivers make as small as is asked for, and xfs takes."""
_STATIC = "kubernetes.io/no-provisioner"


class Tried(NamedTuple):
    """One class that is tried. `short`: its claim, and what its pods are called by, since names of classes are long."""

    name: str
    short: str
    provisioner: str
    grows: bool

    @property
    def of(self) -> str:
        """With which the names of its steps begin."""
        return f"class {self.name}"

    def pod(self, what: str) -> str:
        """A pod's name."""
        return f"{self.short}-{what}"

    @property
    def written(self) -> str:
        """The step that all others of this class come after."""
        return f"{self.of}: a claim is bound, and written to"

    @property
    def do(self) -> str:
        """What to type where it does not work."""
        return f"./run doctor; docs/tasks/verify.md; while it runs: kubectl -n {NAMESPACE} describe pvc {self.short}"


def classes(api: LiveApi) -> list[Tried]:
    """All classes that make volumes, but for one that a run has left."""
    made = [one for one in api.list(CLASSES) if not OURS.items() <= mapping(mapping(one, "metadata"), "labels").items()]
    found = [one for one in made if one.get("provisioner") != _STATIC]
    named = sorted(found, key=lambda one: str(mapping(one, "metadata")["name"]))
    return [
        Tried(
            str(mapping(one, "metadata")["name"]),
            f"class-{number}",
            str(one.get("provisioner")),
            one.get("allowVolumeExpansion") is True,
        )
        for number, one in enumerate(named, 1)
    ]


def steps(api: LiveApi, tried: Tried) -> tuple[Step, ...]:
    """Those of one class."""
    written = pod(tried.pod("write"), spec_of("write.sh", {}, claim=tried.short))
    grown, elsewhere = f"{tried.of}: the claim is asked to grow from {SIZE} to {GROWN}", tried.of + _ELSEWHERE
    first = Step(
        tried.written,
        "an application's first start",
        GOES_TOO,
        partial(run_once, api, written, "make a claim, and a pod that writes 16 MiB", tried.do),
        partial(_write, api, tried, written),
        after=(READY,),
    )
    again = Step(
        f"{tried.of}: another pod on the same machine reads what was written",
        "a restart",
        GOES_TOO,
        partial(_read, api, tried, "again"),
        partial(_make_reader, api, tried, "again"),
        after=(tried.written,),
    )
    asked = Step(
        grown,
        "the day when a disk of an application is full",
        GOES_TOO,
        partial(_growing, api, tried),
        partial(_grow, api, tried),
        after=(tried.written,),
    )
    read = Step(
        elsewhere,
        "the day when a machine is down",
        GOES_TOO,
        partial(_read, api, tried, "elsewhere"),
        partial(_make_reader, api, tried, "elsewhere"),
        after=(tried.written,),
    )
    last = Step(
        f"{tried.of}: its filesystem has grown",
        "a claim grows in two steps, and the second is its machine's",
        GOES_TOO,
        partial(_grown, api, tried),
        patience=120,
        after=(grown, elsewhere),
    )
    return (first, again, asked, read, last) if tried.grows else (first, again, read)


_ELSEWHERE = ": a pod on another machine reads what was written"


def _write(api: LiveApi, tried: Tried, written: Mapping[str, Any]) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": tried.short, "namespace": NAMESPACE},
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
    volume = api.get(VOLUMES, str(at(api.get(CLAIMS, tried.short, NAMESPACE), ("spec", "volumeName"))))
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
    return pod(tried.pod(where), spec_of("read.sh", {}, claim=tried.short, affinity=affinity))


def _make_reader(api: LiveApi, tried: Tried, where: str) -> None:
    make(api, PODS, reader(api, tried, where))


def _growing(api: LiveApi, tried: Tried) -> StepState:
    claim = api.get(CLAIMS, tried.short, NAMESPACE) or {}
    if at(claim, ("spec", "resources", "requests", "storage")) != GROWN:
        return due(f"ask for {GROWN}")
    pending = conditions_of(mapping(claim, "status")).get("FileSystemResizePending")
    if _capacity(claim) >= Quantity(GROWN).amount or (pending and pending.status == "True"):
        return done("" if not pending else "the rest when it is mounted next")
    said = [one.says for one in conditions_of(mapping(claim, "status")).values() if one.says]
    return waits("; ".join(said) or "nobody has made the volume larger yet", tried.do)


def _grow(api: LiveApi, tried: Tried) -> None:
    api.merge(CLAIMS, tried.short, {"spec": {"resources": {"requests": {"storage": GROWN}}}}, NAMESPACE)


def _capacity(claim: Mapping[str, Any]) -> Decimal:
    """In bytes."""
    said = Quantity.read(at(claim, ("status", "capacity", "storage")))
    return said.amount if said else Quantity("0").amount


def _grown(api: LiveApi, tried: Tried) -> StepState:
    claim = api.get(CLAIMS, tried.short, NAMESPACE) or {}
    if _capacity(claim) >= Quantity(GROWN).amount:
        return done(f"{at(claim, ('status', 'capacity', 'storage'))}")
    return waits(f"it still has {at(claim, ('status', 'capacity', 'storage'))}", tried.do)
