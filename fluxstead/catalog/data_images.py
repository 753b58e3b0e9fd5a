"""Images that cannot read the data of some of their older versions, or of newer ones.

Sources: postgresql.org/docs/current/upgrading.html; the upgrade pages of MongoDB, Elasticsearch, OpenSearch (one major at a time);
docs.influxdata.com (an export from each major); docs.nextcloud.com, admin manual, "How to upgrade" (no major is skipped).
"""

from __future__ import annotations

import re
from typing import NamedTuple


class DataImage(NamedTuple):
    """`steps`: how many major versions it goes up at once; None for any number. `database`: whether it writes while it runs."""

    title: str
    repositories: frozenset[str]
    steps: int | None
    way: str
    database: bool = True


_ONE = "one major version after the other, each started once"
_IMAGES = (
    DataImage(
        "PostgreSQL",
        frozenset({"postgres", "postgresql", "postgis", "pgvector", "timescaledb", "timescaledb-ha"}),
        0,
        "a dump with the old version (`pg_dumpall`), another claim, and the dump read into the new one",
    ),
    DataImage("InfluxDB", frozenset({"influxdb", "influxdb2"}), 0, "an export with the old version, another claim, and an import"),
    DataImage("MongoDB", frozenset({"mongo", "mongodb"}), 1, _ONE),
    DataImage("Elasticsearch", frozenset({"elasticsearch"}), 1, _ONE),
    DataImage("OpenSearch", frozenset({"opensearch"}), 1, _ONE),
    DataImage("Nextcloud", frozenset({"nextcloud"}), 1, _ONE, database=False),
    DataImage("MySQL", frozenset({"mysql"}), None, ""),
    DataImage("MariaDB", frozenset({"mariadb"}), None, ""),
)
_BY_REPOSITORY = {repository: image for image in _IMAGES for repository in image.repositories}
_MAJOR = re.compile(r"(?:.*(?:^|-)pg|v?)(\d+)(?!\d)", re.ASCII)


def unreadable_data(before: str, now: str) -> DataImage | None:
    """The product, if the image `now` cannot read what `before` wrote; None also where a tag does not say its version."""
    (was_named, was_tag), (named, tag) = (_parts(image) for image in (before, now))
    image = _BY_REPOSITORY.get(named)
    was, major = (_MAJOR.match(found) for found in (was_tag, tag))
    if image is None or _BY_REPOSITORY.get(was_named) is not image or was is None or major is None:
        return None
    up = int(major[1]) - int(was[1])
    return image if up < 0 or (image.steps is not None and up > image.steps) else None


def database_of(image: str) -> str:
    """The database that an image is; empty for any other."""
    found = _BY_REPOSITORY.get(_parts(image)[0])
    return found.title if found and found.database else ""


def major_of(image: str) -> int | None:
    """The major version that an image's tag says; None where it says none."""
    found = _MAJOR.match(_parts(image)[1])
    return int(found[1]) if found else None


def _parts(image: str) -> tuple[str, str]:
    """The last part of the repository, and the tag."""
    named, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return named, tag
