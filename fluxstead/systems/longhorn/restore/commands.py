"""What `./run backup` does, for Longhorn's volumes (`live.kept.Restoring`)."""

from __future__ import annotations

from fluxstead.systems.longhorn.restore.beside import beside
from fluxstead.systems.longhorn.restore.in_place import in_place
from fluxstead.systems.longhorn.restore.listing import listed
from fluxstead.systems.longhorn.restore.whole import everything

__all__ = ["beside", "everything", "in_place", "listed"]
