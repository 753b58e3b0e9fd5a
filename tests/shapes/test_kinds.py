"""One of each kind of what was once a traceback, or took all time or memory: planted, each gives findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.checks.defects import DEFECTS
from tests.checks.planted import look
from tests.shapes.test_shapes import show, within_bounds
from tests.shapes.trees import ALL

_CONFIG = "color: 3"
_FLUX = "sourceRef: {kind: GitRepository, name: flux-system}"
_LONG = 100_000
KINDS: Mapping[str, tuple[str, str, str]] = {
    "a kind of source": ("tree/schema", _FLUX, _FLUX.replace("GitRepository", "[a]")),
    "a port's name": ("references/missing-port", "[{port: 80}]", "[{port: 80, name: {a: b}}]"),
    "a container port's name": ("references/missing-target-port", "{name: http, c", "{name: [http], c"),
    "verbs": (
        "references/missing-config-map",
        "data: {color: blue}",
        "---\n{apiVersion: v1, kind: Role, metadata: {name: a}, rules: [V]}",
    ),
    "a Secret's value": ("secrets/plain", "{password: hunter2}", "{password: [hunter2]}"),
    "a provisioner": ("storage/tags", "provisioner: driver.longhorn.io", "provisioner: [driver.longhorn.io]"),
    "replicas that are no number": ("storage/tags", "numberOfReplicas: '1'", "numberOfReplicas: one"),
    "a spec that is a list": ("releases/timeout", "spec: {chart: {spec", "spec: [1]\nother: {chart: {spec"),
    "a version with a path": ("coldstart/retried", "version: 1.20.3", "version: 1.2.0/1"),
    "a version of many digits": ("coldstart/retried", "version: 1.20.3", f"version: {'9' * 5000}.0.0"),
    "a port of many digits": ("references/missing-port", "number: 81", f"number: '{'9' * 5000}'"),
    "room beyond all numbers": ("storage/capacity", "storage: 81Gi", f"storage: {'9' * 40}Ei"),
    "values of an expression": (
        "references/policy-selects-nothing",
        "{matchLabels: {app: sit}}",
        "{matchExpressions: [{key: a, operator: In, values: 3}]}",
    ),
    "where a List ends": ("tree/schema", "data: {color: 3}", "data: &a [*a]"),
    "a key that is a number": ("tree/schema", _CONFIG, "3: blue"),
    "a key that is nothing": ("tree/schema", _CONFIG, "null: blue"),
    "a key that is a list": ("tree/schema", _CONFIG, "? [a]\n: b"),
    "no number": ("tree/schema", _CONFIG, "color: .nan"),
    "an integer that is none": ("tree/schema", _CONFIG, "color: !!int ''"),
    "a truth value that is none": ("tree/schema", _CONFIG, "color: !!bool zebra"),
    "a time that is none": ("tree/schema", _CONFIG, "color: !!timestamp zebra"),
    "bytes": ("tree/schema", _CONFIG, 'color: !!binary "=="'),
    "a set": ("tree/schema", _CONFIG, "color: !!set {a, b}"),
    "an integer of many digits": ("tree/schema", _CONFIG, f"color: 0x{'f' * 5000}"),
    "depth": ("tree/schema", _CONFIG, f"color: {'[' * 900}{']' * 900}"),
    "a variable without end": ("substitution/undefined", "${HOME}/x", "${A:=" + "x" * _LONG),
    "an address without end": ("secrets/in-text", "ghp" + "_0123456789abcdefghij", "a" * _LONG + "://"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gives_findings(kind: str) -> None:
    """In the smallest tree that comes to it."""
    id_, old, new = KINDS[kind]
    planted = DEFECTS[id_]
    assert any(old in text for text in planted.files.values()), planted.files
    new = new.replace("[V]", "[{verbs: 3, resources: [[a]]}]")
    with within_bounds():
        show(look(planted, {path: text.replace(old, new) for path, text in planted.files.items()}))


def test_a_namespace_without_a_name_moves_with_its_directory() -> None:
    """kustomize names it."""
    files = {**ALL.files, "base/objects.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: web\n"}
    with within_bounds():
        show(look(replace(ALL, before=None), files))
