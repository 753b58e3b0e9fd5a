"""What Flux's objects say of themselves, read from the shapes that its controllers write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.live.flux import FluxObject, flux_object
from tests.conftest import examples


def said(generation: int = 2, **conditions: dict[str, Any]) -> FluxObject:
    """A Kustomization of generation 2 with these conditions, each about a generation."""
    found = [{"type": name, "observedGeneration": generation, **one} for name, one in conditions.items()]
    return flux_object(
        "Kustomization", {"metadata": {"name": "web", "namespace": "flux-system", "generation": 2}, "status": {"conditions": found}}
    )


@pytest.mark.parametrize(
    ("conditions", "standing"),
    [
        ({"Ready": {"status": "True", "reason": "ReconciliationSucceeded"}}, "ready"),
        ({"Ready": {"status": "Unknown", "reason": "Progressing"}}, "waiting"),
        ({"Ready": {"status": "False", "reason": "DependencyNotReady"}}, "waiting"),
        ({"Ready": {"status": "False", "reason": "BuildFailed"}}, "failed"),
        ({"Ready": {"status": "False", "reason": "RetriesExceeded"}, "Stalled": {"status": "True"}}, "stalled"),
        ({}, "waiting"),
    ],
)
def test_it_is_ready_waiting_or_failed(conditions: dict[str, Any], standing: str) -> None:
    assert said(**conditions).standing == standing


def test_what_it_says_of_an_earlier_generation_counts_for_nothing() -> None:
    """A change that Flux has not looked at yet is neither Ready nor failed."""
    assert said(1, Ready={"status": "True"}).standing == "waiting"
    assert said(1, Ready={"status": "False", "reason": "BuildFailed"}, Stalled={"status": "True"}).standing == "waiting"


def test_its_releases_are_known_by_its_inventory() -> None:
    ids = ["longhorn-system_longhorn_helm.toolkit.fluxcd.io_HelmRelease", "_longhorn-system__Namespace", "odd"]
    status = {"inventory": {"entries": [{"id": one} for one in ids]}, "lastAppliedRevision": "main@sha1:1"}
    found = flux_object("Kustomization", {"metadata": {"name": "longhorn", "namespace": "flux-system"}, "status": status})
    assert found.inventory == ("longhorn-system/longhorn",)
    assert found.revision == "main@sha1:1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@examples(5)
@given(
    st.fixed_dictionaries(
        {},
        optional={"metadata": JSON, "spec": JSON, "status": JSON | st.fixed_dictionaries({"conditions": JSON, "inventory": JSON})},
    )
)
def test_any_shape_is_read(obj: dict[str, Any]) -> None:
    """A cluster may answer anything."""
    assert flux_object("Kustomization", obj).standing in {"waiting", "ready", "failed", "stalled"}
