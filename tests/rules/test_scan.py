"""The exceptions from a scan of both trees are reasoned, and each is still needed: without the scanner, which is large."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

FILE = REPOSITORY / ".checkov.yaml"
SETTINGS: Mapping[str, Any] = yaml.safe_load(FILE.read_text())
Container = Mapping[str, Any]


def _uid(pod: Mapping[str, Any], container: Container) -> int:
    said = [part.get("securityContext", {}).get("runAsUser") for part in (container, pod)]
    return next((uid for uid in said if uid is not None), 0)


APPLIES: Mapping[str, Callable[[Mapping[str, Any], Container], bool]] = {
    "CKV_K8S_8": lambda _, one: "livenessProbe" not in one,
    "CKV_K8S_11": lambda _, one: "cpu" not in one["resources"].get("limits", {}),
    "CKV_K8S_15": lambda _, one: one.get("imagePullPolicy") != "Always",
    "CKV_K8S_35": lambda _, one: any("secretRef" in source for source in one.get("envFrom", [])),
    "CKV_K8S_40": lambda pod, one: _uid(pod, one) < 10000,
    "CKV_K8S_43": lambda _, one: "@sha256:" not in one["image"],
}
"""What each check looks for in a pod and its container (bridgecrewio/checkov: checkov/kubernetes/checks/resource/k8s)."""


def pods() -> Iterator[Mapping[str, Any]]:
    """The pods of the folders that are scanned."""
    for folder in SETTINGS["directory"]:
        for file in sorted((REPOSITORY / folder).rglob("*.yaml")):
            content = yaml.safe_load(file.read_text())
            if content["kind"] == "Deployment":
                yield content["spec"]["template"]["spec"]


@pytest.mark.reference
def test_every_exception_has_its_reason_and_matches_something() -> None:
    """One that matches nothing would hide the next that does."""
    found = [(pod, container) for pod in pods() for container in pod["containers"]]
    assert len(found) > 4
    assert set(SETTINGS["skip-check"]) == APPLIES.keys()
    for id_ in SETTINGS["skip-check"]:
        assert re.search(rf"^  # [A-Z].+\. .+\.\n  - {id_}$", FILE.read_text(), re.MULTILINE), f"{id_} has no reason"
        assert any(APPLIES[id_](*one) for one in found), f"{id_} is no longer needed"


@pytest.mark.reference
def test_both_trees_are_scanned() -> None:
    """A folder that was renamed would be scanned as nothing."""
    assert sorted(SETTINGS["directory"]) == ["examples/edge/generated", "generated"]
    assert all((REPOSITORY / folder).is_dir() for folder in SETTINGS["directory"])
