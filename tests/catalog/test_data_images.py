"""Which images cannot read the data of another version."""

from __future__ import annotations

import pytest

from fluxstead.catalog.data_images import unreadable_data


@pytest.mark.parametrize(
    ("before", "now", "title"),
    [
        ("postgres:16.4", "postgres:17", "PostgreSQL"),
        ("docker.io/library/postgres:17", "docker.io/library/postgres:16-alpine", "PostgreSQL"),
        ("postgres:16", "pgvector/pgvector:pg17", "PostgreSQL"),
        ("timescale/timescaledb:2.17.2-pg16", "timescale/timescaledb:2.18.0-pg17", "PostgreSQL"),
        ("ghcr.io/immich-app/postgres:14-vectorchord0.3.0-pgvectors0.2.0", "ghcr.io/immich-app/postgres:16-a", "PostgreSQL"),
        ("bitnami/postgresql:15.4.0-debian-11-r1", "bitnami/postgresql:16.4.0@sha256:" + "a" * 64, "PostgreSQL"),
        ("influxdb:1.8", "influxdb:2.7", "InfluxDB"),
        ("mongo:5.0", "mongo:7.0", "MongoDB"),
        ("mysql:9.1", "mysql:8.4", "MySQL"),
        ("nextcloud:28", "nextcloud:30-apache", "Nextcloud"),
        ("registry.example.test:5000/a/postgres:16", "registry.example.test:5000/a/postgres:17", "PostgreSQL"),
    ],
)
def test_what_cannot_be_read(before: str, now: str, title: str) -> None:
    found = unreadable_data(before, now)
    assert found is not None
    assert found.title == title


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("postgres:16.4", "postgres:16.6"),
        ("postgres:16", "postgres:16-alpine"),
        ("timescale/timescaledb:2.17.2-pg16", "timescale/timescaledb:3.0.0-pg16"),
        ("postgres:latest", "postgres:17"),
        ("postgres", "postgres:17"),
        ("mongo:6.0", "mongo:7.0"),
        ("mysql:5.7", "mysql:8.0"),
        ("example.test/postgres-backup:16", "example.test/postgres-backup:17"),
        ("mysql:8", "postgres:17"),
        ("", ""),
    ],
)
def test_what_can_be_read_or_is_not_known(before: str, now: str) -> None:
    assert unreadable_data(before, now) is None
