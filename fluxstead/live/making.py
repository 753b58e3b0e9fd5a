"""What may be made twice, since a run that was cut does its step again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fluxstead.live.resources import Conflict, Resource

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi


def make(api: LiveApi, resource: Resource, obj: Mapping[str, Any]) -> None:
    """An object that may be there already. Raises Unanswered."""
    try:
        api.create(resource, obj)
    except Conflict:
        return
