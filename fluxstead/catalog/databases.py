"""Objects from which an operator makes a database, and what it does with data when their major version changes.

Sources: cloudnative-pg.io/documentation/current, "PostgreSQL upgrades" (in place since 1.26) and "Image Catalog";
cloudnative-pg/cloudnative-pg internal/webhook/v1/cluster_webhook.go, which refuses the way down, and before 1.26 both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fluxstead.catalog.data_images import major_of
from fluxstead.core.shape import mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseKind:
    """`major`: what a spec says; None where it leaves it to the operator. `up`, `down`: what follows from another one."""

    title: str
    major: Callable[[Mapping[str, Any]], int | None]
    keys: tuple[str, ...]
    up: str
    down: str
    fix: str


def _of_cloudnative_pg(spec: Mapping[str, Any]) -> int | None:
    catalog = mapping(spec, "imageCatalogRef").get("major")
    if isinstance(catalog, int) and not isinstance(catalog, bool):
        return catalog
    image = spec.get("imageName")
    return major_of(image) if isinstance(image, str) else None


DATABASES: Mapping[tuple[str, str], DatabaseKind] = {
    ("postgresql.cnpg.io", "Cluster"): DatabaseKind(
        title="PostgreSQL",
        major=_of_cloudnative_pg,
        keys=("imageName:", "major:"),
        up="CloudNativePG stops the database and rewrites its data with `pg_upgrade`, from which only a backup leads back;"
        " before 1.26 it refuses the change",
        down="CloudNativePG refuses the change, as no version reads the data of a newer one, and its layer never becomes ready",
        fix="or a backup first, and an hour in which the database may be away",
    )
}
"""By group and kind."""
