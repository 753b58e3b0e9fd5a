"""The conditions of an object's status (kubernetes/apimachinery, pkg/apis/meta/v1: Condition)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import entries_of, mapping


class Condition(NamedTuple):
    """`status`: True, False or Unknown; empty where nobody has said it yet. `says`: its message, on one line."""

    status: str = ""
    reason: str = ""
    says: str = ""


UNSAID = Condition()


def conditions_of(status: Mapping[str, Any]) -> dict[str, Condition]:
    """By type."""
    return {
        str(one.get("type")): Condition(
            str(one.get("status")), str(one.get("reason", "")), " ".join(str(one.get("message", "")).split())
        )
        for one in entries_of(status, "conditions")
    }


def is_ready(obj: Mapping[str, Any]) -> bool:
    """Whether an object, such as a machine or a pod, says that it is Ready."""
    return conditions_of(mapping(obj, "status")).get("Ready", UNSAID).status == "True"
