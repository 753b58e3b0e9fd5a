"""What the schemas refuse and accept, and in which words."""

from __future__ import annotations

import copy
import datetime as dt
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.catalog.objects import (
    BUILD,
    CHART_CONFIG,
    DEPLOYMENT,
    GOOD,
    KUSTOMIZATION,
    MIDDLEWARE,
    MONITOR,
    NEWEST,
    REFERENCE,
    RELEASE,
    STORAGE_NODE,
    changed,
    said,
    thing,
)


@pytest.mark.parametrize("obj", GOOD, ids=lambda obj: f"{obj['kind']}.{obj['apiVersion']}")
def test_objects_that_a_cluster_takes_are_taken(obj: dict[str, Any]) -> None:
    """Both by the reference cluster and by the newest one: int-or-string both ways, quantities, open maps."""
    assert REFERENCE.knows(obj["apiVersion"], obj["kind"])
    assert said(obj) == []
    assert said(obj, NEWEST) == []


@pytest.mark.parametrize(
    ("obj", "path", "value", "message"),
    [
        (KUSTOMIZATION, "spec/timout", "5m", "spec.timout: unknown key `timout`, nearest is `timeout`"),
        (KUSTOMIZATION, "spec/sourceRef/Name", "x", "spec.sourceRef.Name: unknown key `Name`, nearest is `name`"),
        (KUSTOMIZATION, "metadata/label", {}, "metadata.label: unknown key `label`, nearest is `labels`"),
        (RELEASE, "spec/chart/spec/verison", "1", "spec.chart.spec.verison: unknown key `verison`, nearest is `version`"),
        (
            STORAGE_NODE,
            "spec/disks/sdf1/disk_type",
            "block",
            "spec.disks.sdf1.disk_type: unknown key `disk_type`, nearest is `diskType`",
        ),
        (
            DEPLOYMENT,
            "spec/template/spec/containers/0/resource",
            {},
            "spec.template.spec.containers[0].resource: unknown key `resource`, nearest is `resources`",
        ),
        (
            MONITOR,
            "spec/endpoints/0/intervall",
            "1m",
            "spec.endpoints[0].intervall: unknown key `intervall`, nearest is `interval`",
        ),
        (MIDDLEWARE, "spec/stripprefix", {}, "spec.stripprefix: unknown key `stripprefix`, nearest is `stripPrefix`"),
        (CHART_CONFIG, "spec/set", {}, "spec.set: unknown key `set`, known are `valuesSecrets`"),
        (BUILD, "resource", [], "resource: unknown key `resource`, nearest is `resources`"),
        (KUSTOMIZATION, "zzz", 1, "zzz: unknown key `zzz`, known are `status`"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(obj: dict[str, Any], path: str, value: object, message: str) -> None:
    """At any depth, and in every set."""
    assert said(changed(obj, path, value)) == [message]


@pytest.mark.parametrize(
    ("obj", "path", "value", "message"),
    [
        (
            STORAGE_NODE,
            "spec/disks/sdf1/storageReserved",
            "25Gi",
            "spec.disks.sdf1.storageReserved: expected integer, found string '25Gi'",
        ),
        (KUSTOMIZATION, "spec/prune", "yes", "spec.prune: expected boolean, found string 'yes'"),
        (KUSTOMIZATION, "spec/dependsOn", {"name": "x"}, "spec.dependsOn: expected list, found map"),
        (KUSTOMIZATION, "spec/interval", "10 m", "spec.interval: expected a duration such as 10m or 1h30m, found string '10 m'"),
        (KUSTOMIZATION, "spec/interval", None, "spec.interval: expected string, found null"),
        (
            KUSTOMIZATION,
            "spec/sourceRef/kind",
            "GitRepo",
            "spec.sourceRef.kind: expected `OCIRepository` or `GitRepository` or `Bucket`, found string 'GitRepo'",
        ),
        (DEPLOYMENT, "spec/replicas", True, "spec.replicas: expected integer, found boolean true"),
        (DEPLOYMENT, "spec/replicas", 1.5, "spec.replicas: expected integer, found number 1.5"),
        (
            DEPLOYMENT,
            "spec/template/spec/containers/0/resources/limits/memory",
            "1 GB",
            (
                "spec.template.spec.containers[0].resources.limits.memory: "
                "expected a quantity such as 500m or 25Gi, found string '1 GB'"
            ),
        ),
        (
            DEPLOYMENT,
            "spec/template/spec/containers/0/livenessProbe/httpGet/port",
            [80],
            "spec.template.spec.containers[0].livenessProbe.httpGet.port: expected integer or string, found list",
        ),
        (DEPLOYMENT, "metadata/labels", {"a.b/c": 1}, 'metadata.labels["a.b/c"]: expected string, found integer 1'),
        (RELEASE, "spec/chartRef", {"kind": "OCIRepository", "name": "x"}, "spec: either chart or chartRef must be set"),
        (
            DEPLOYMENT,
            "spec/minReadySeconds",
            dt.date(2026, 1, 1),
            "spec.minReadySeconds: expected text, found date 2026-01-01: quote it",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(obj: dict[str, Any], path: str, value: object, message: str) -> None:
    """The message names the place, what belongs there and what stands there."""
    assert said(changed(obj, path, value)) == [message]


def test_what_is_missing_is_named() -> None:
    """Without a name server-side apply refuses an object; a Flux object needs its interval."""
    obj = copy.deepcopy(KUSTOMIZATION)
    del obj["metadata"]["name"], obj["spec"]["interval"]
    assert said(obj) == ["metadata.name: key `name` is missing", "spec.interval: key `interval` is missing"]
    assert said({"metadata": {"name": "x"}}) == ["apiVersion: key `apiVersion` is missing", "kind: key `kind` is missing"]


def test_all_problems_are_told_at_once() -> None:
    """Three mistakes give three messages."""
    obj = changed(changed(changed(KUSTOMIZATION, "spec/prune", 1), "spec/pth", "x"), "metadata/name", 5)
    assert len(said(obj)) == 3


def test_text_may_carry_its_print_style() -> None:
    """Text of a class of its own, as YAML writers use for block scalars, is text."""

    class Block(str):
        __slots__ = ()

    assert said(changed(CHART_CONFIG, "spec/valuesContent", Block("a: 1\nb: 2"))) == []
    assert len(said(changed(changed(CHART_CONFIG, "spec/valuesContent", Block("a")), "spec/more", Block("x")))) == 1


def test_a_kind_that_the_catalog_does_not_hold_is_not_judged() -> None:
    """Custom resources of others are theirs."""
    assert not REFERENCE.knows("example.org/v1", "Widget")
    assert said(thing("example.org/v1", "Widget", anything=1)) == []


def test_thousands_of_objects_take_no_time() -> None:
    """A tree of 1,000 nodes and 1,000 applications has some 15,000 objects; far less than a second is usual."""
    started = time.perf_counter()
    for obj in (KUSTOMIZATION, DEPLOYMENT, STORAGE_NODE):
        for _ in range(5000):
            assert not REFERENCE.problems(obj)
    assert time.perf_counter() - started < 3


def test_the_validator_is_loaded_only_when_it_is_used() -> None:
    """Its import costs more than most commands."""
    code = "import sys, fluxstead.catalog.schemas; print('jsonschema_rs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_misspelt_key_that_is_needed_is_told_once() -> None:
    """It is unknown, and what was meant is missing."""
    spec = {("intervall" if key == "interval" else key): value for key, value in KUSTOMIZATION["spec"].items()}
    assert said({**KUSTOMIZATION, "spec": spec}) == ["spec.intervall: unknown key `intervall`, nearest is `interval`"]
    del spec["intervall"]
    assert said({**KUSTOMIZATION, "spec": spec}) == ["spec.interval: key `interval` is missing"]
