"""Units: numbers that Kubernetes and Flux take as bytes, cores or too short a time, because their unit was forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.duration import Duration
from fluxstead.core.findings import Finding
from fluxstead.core.quantity import MOST_CORES, Quantity

TOO_FEW_BYTES = refuses("units/bytes", "F1", "PersistentVolumeClaim web/data asks for 5 bytes of storage")
TOO_MANY_CORES = warns("units/cores", "U7", "Deployment web/site asks for 100 whole cores")
TOO_SHORT_DURATION = refuses("units/duration", "F17", "HelmRelease web/site has interval: '1ms' is less than a second")

_FLUX = frozenset({"kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"})
_TIMES = ("interval", "retryInterval", "timeout")
_USUAL = {"memory": "Mi", "storage": "Gi", "ephemeral-storage": "Gi"}


def sizes(context: CheckContext) -> Iterator[Finding]:
    """Sizes and amounts of CPU, wherever an object or a chart's values have `resources`."""
    for item in context.tree.objects:
        if not item.is_final or not _has_sizes(item):
            continue
        for key, value in _amounts(item.spec):
            yield from _judged(context, item, key, str(value))


def _has_sizes(item: AppliedObject) -> bool:
    """What the description says about its applications was checked when it was read."""
    if item.ref.kind in {"HelmRelease", "PersistentVolumeClaim"}:
        return True
    custom = "." in item.ref.group and not item.ref.group.endswith((".k8s.io", ".fluxcd.io"))
    return not item.document.generated and (custom or item.ref.kind in WORKLOADS)


def _amounts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, found in value.items():
            if key in {"requests", "limits"} and isinstance(found, Mapping):
                yield from ((name, one) for name, one in found.items() if isinstance(one, (str, int)))
            else:
                yield from _amounts(found)
    elif isinstance(value, list):
        for found in value:
            yield from _amounts(found)


def _judged(context: CheckContext, item: AppliedObject, key: str, text: str) -> Iterator[Finding]:
    size = Quantity.read(text)
    if size is None:
        return
    place = line_with(context.tree.store, item.document, f"{key}: {text}")
    if key in _USUAL and size.lacks_unit:
        yield TOO_FEW_BYTES(
            place,
            what=f"{item} asks for {size.in_bytes} of {key}",
            why="Kubernetes takes a number without its unit as bytes, and `m` as thousandths of one",
            fix=f"{key}: {size.with_unit(_USUAL[key])}",
        )
    elif key == "cpu" and size.amount > MOST_CORES:
        yield TOO_MANY_CORES(
            place,
            what=f"{item} asks for {size.amount.normalize():f} whole cores",
            why="no machine in such a cluster has them free, and the pods stay pending",
            fix=f"cpu: {text}m, for thousandths of a core" if text.isdecimal() else "cores or thousandths of one, such as 250m",
        )


def durations(context: CheckContext) -> Iterator[Finding]:
    """How often Flux reconciles and how long it waits."""
    for item in context.tree.objects:
        if item.ref.group not in _FLUX or item.document.generated or not item.is_final:
            continue
        for key in _TIMES:
            value = item.spec.get(key)
            if value is None or "${" in str(value):
                continue
            try:
                Duration.described(value)
            except PydanticCustomError as refused:
                said = refused.context or {}
                yield TOO_SHORT_DURATION(
                    line_with(context.tree.store, item.document, f"{key}:"),
                    what=f"{item} has {key}: {said['what']}",
                    why=said["why"],
                    fix=f"{key}: {said['write']}",
                )


RULES = (
    Rule(sizes, (TOO_FEW_BYTES, TOO_MANY_CORES)),
    Rule(durations, (TOO_SHORT_DURATION,)),
)
