"""What is known of the backups of claims, and what whoever keeps them can do for `./run backup`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from fluxstead.core.manifest import ObjectRef
    from fluxstead.live.api import LiveApi
    from fluxstead.live.procedure import Procedure
    from fluxstead.tree.asks import VolumeClaim


class KeptVolume(NamedTuple):
    """A claim, its volume, and its last good backup. `size`: the backed up volume's, in bytes; `made`: when; None without one.

    `on_purpose`: whether it was said that it shall be in no backup. `gone`: whether the claim is in the target alone.
    """

    namespace: str
    claim: str
    volume: str
    backup: str = ""
    made: datetime | None = None
    size: int = 0
    target: str = ""
    on_purpose: bool = False
    gone: bool = False

    @property
    def lacks(self) -> bool:
        """Whether nothing could be restored that somebody would miss."""
        return self.made is None and not self.on_purpose


class DescribedClaims(NamedTuple):
    """What a description says of claims, and the objects of its tree, in whose namespaces charts may claim more."""

    claims: Mapping[tuple[str, str], VolumeClaim]
    objects: frozenset[ObjectRef]


class Restoring(Protocol):
    """A system's module for `./run backup`. `at_`: which backup, by its name; the newest without it."""

    def listed(self, api: LiveApi) -> Sequence[KeptVolume]:
        """One row for each claim, and one for each that is only in a target any more. Raises Unanswered."""

    def beside(self, api: LiveApi, namespace: str, claim: str, name: str, at_: str = "") -> Procedure:
        """The backup in a new claim of this name."""

    def in_place(self, api: LiveApi, namespace: str, claim: str, at_: str = "") -> Procedure:
        """The backup in the claim itself."""

    def everything(self, api: LiveApi, described: DescribedClaims) -> Procedure:
        """All that is described, before anything starts."""
