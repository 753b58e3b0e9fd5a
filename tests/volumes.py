"""Volumes of a cluster in which nobody backs them up, for plans that are looked at alone."""

from __future__ import annotations

from collections.abc import Mapping

from fluxstead.core.backup import Backup
from fluxstead.tree.asks import Volumes


class _Nobody:
    def labels(self, storage_class: str, backup: Backup | None) -> Mapping[str, str]:
        del storage_class, backup
        return {}


VOLUMES = Volumes("longhorn", _Nobody())
