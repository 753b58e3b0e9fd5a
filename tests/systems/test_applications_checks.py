"""Applications: what is refused, and what is not."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.description.load import load
from tests.systems.applications import (
    HEAD,
    WEB,
    described,
    findings,
    line,
    planned,
    refused,
)


@pytest.mark.parametrize(
    ("change", "line_of", "expected"),
    [
        (("image: ghcr.io/example/web", "path: apps/web"), "environments:", "two-forms"),
        (("  image: ghcr.io/example/web\n", ""), "name: web", "no-image"),
        (("example/web", "example/web:1.2.3"), "image:", "tag-in-image"),
        (("example/web", "example/web@sha256:" + "0" * 64), "image:", "tag-in-image"),
        (("tag: 1.2.3", "tag: latest"), "tag:", "mutable-tag"),
        (("tag: 1.2.3", "replicas: 1"), "name: prod", "mutable-tag"),
        (("tag: 1.2.3", "tag: edge"), "tag:", "moving-tag"),
        (("tag: 1.2.3", "tag: 1.2.3+build"), "tag:", "bad-tag"),
        (("name: prod", "name: " + "p" * 60), "name: ppp", "long-name"),
        (("name: web", "name: kube"), "name: prod", "reserved-namespace"),
        (("name: web", "name: 3web"), "name: 3web", "service-name"),
    ],
)
def test_what_an_application_is(tmp_path: Path, change: tuple[str, str], line_of: str, expected: str) -> None:
    """Each mistake gives one finding, at its line."""
    apps = WEB.replace(*change)
    assert refused(tmp_path, apps) == [(f"applications/{expected}", line(apps, line_of))]


def test_an_application_runs_somewhere(tmp_path: Path) -> None:
    """Without environments it would be left out without a word."""
    apps = WEB[: WEB.index("  environments:")]
    assert refused(tmp_path, apps) == [("applications/no-environment", line(apps, "name: web"))]


def test_a_registry_s_port_is_no_tag(tmp_path: Path) -> None:
    """A colon may stand before the last slash."""
    assert refused(tmp_path, WEB.replace("ghcr.io/", "registry.example.org:5000/")) == []


@pytest.mark.parametrize(
    ("added", "line_of", "expected"),
    [
        ("replicas: 2\nautoscaling: {maxReplicas: 3}", "replicas: 2", "two-sizes"),
        ("replicas: 2\nvolume: {size: 1Gi, mountPath: /data}", "replicas: 2", "shared-volume"),
        ("autoscaling: {maxReplicas: 3}\nvolume: {size: 1Gi, mountPath: /data}", "autoscaling", "shared-volume"),
        ("autoscaling: {minReplicas: 4, maxReplicas: 3}", "autoscaling", "autoscaling-range"),
        ("autoscaling: {maxReplicas: 3}\nresources: {}", "autoscaling", "autoscaling-without-request"),
        ("replicas: 2\ndisruptionBudget: {minAvailable: 2}", "disruptionBudget", "budget-blocks-drains"),
        ("replicas: 2\ndisruptionBudget: {minAvailable: 51%}", "disruptionBudget", "budget-blocks-drains"),
        ("replicas: 9\ndisruptionBudget: {maxUnavailable: 0%}", "disruptionBudget", "budget-blocks-drains"),
        ("autoscaling: {maxReplicas: 9}\ndisruptionBudget: {minAvailable: 1}", "disruptionBudget", "budget-blocks-drains"),
        ("disruptionBudget: {maxUnavailable: 1}", "disruptionBudget", "budget-of-one"),
        ("replicas: 2\ndisruptionBudget: {}", "disruptionBudget", "budget"),
        ("replicas: 3\ndisruptionBudget: {minAvailable: 1, maxUnavailable: 1}", "disruptionBudget", "budget"),
        ("resources: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}", "resources", "request-above-limit"),
        ("resources: {requests: {ephemeralStorage: 2Gi}}", "resources", "request-above-limit"),
        ("allow: {egress: [{ports: [443]}]}", "allow", "peer"),
        ("allow: {ingress: [{cidr: 10.0.0.0/8, namespace: other}]}", "allow", "peer"),
        ("env:\n  LOG_LEVEL: debug\n  DB_PASSWORD: hunter2", "DB_PASSWORD", "plain-secret"),
    ],
)
def test_what_an_environment_asks_for(tmp_path: Path, added: str, line_of: str, expected: str) -> None:
    """Each mistake gives one finding, at its line."""
    apps = WEB + textwrap.indent(added, " " * 6) + "\n"
    assert refused(tmp_path, apps) == [(f"applications/{expected}", line(apps, line_of))]


@pytest.mark.parametrize(
    "added",
    [
        "replicas: 2\ndisruptionBudget: {minAvailable: 50%}",
        "replicas: 3\ndisruptionBudget: {minAvailable: 2}",
        "replicas: 2\ndisruptionBudget: {maxUnavailable: 10%}",
        "autoscaling: {maxReplicas: 3}\nresources: {limits: {cpu: 100m}}",
        "resources: {requests: {cpu: 1000m}, limits: {cpu: 1}}",
    ],
)
def test_what_an_environment_may_well_ask_for(tmp_path: Path, added: str) -> None:
    """The right side of each bound."""
    assert refused(tmp_path, WEB + textwrap.indent(added, " " * 6) + "\n") == []


def test_autoscaling_needs_metrics(tmp_path: Path) -> None:
    """k3s may run without metrics-server."""
    platform = Platform(
        cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"), disabled=frozenset({"metrics-server"})
    )
    apps = WEB + "      autoscaling: {maxReplicas: 3}\n"
    assert refused(tmp_path, apps, platform) == [
        ("applications/autoscaling-without-metrics", line(apps, "autoscaling")),
    ]


def test_a_route_needs_a_port(tmp_path: Path) -> None:
    """Something has to answer behind it."""
    apps = WEB + "      route: {host: web.example.org}\n"
    apps = apps.replace("  port: 8080\n", "")
    assert refused(tmp_path, apps) == [("applications/route-without-port", line(apps, "route"))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (WEB, WEB),
        (WEB, "\n- name: web-prod\n  path: apps/web\n"),
        (WEB, "\n- name: web-prod-access\n  path: apps/web\n"),
        (WEB.replace("prod", "b-c"), WEB.replace("name: web", "name: web-b").replace("prod", "c")),
    ],
)
def test_two_of_one_name_are_refused_where_the_second_stands(tmp_path: Path, first: str, second: str) -> None:
    """`web-b` in `c` and `web` in `b-c` are one namespace."""
    (only,) = findings(tmp_path, first + second)
    assert only.id == "applications/name-taken"
    assert only.source.line > line(first + second, "tag:")
    found = planned(described(tmp_path, first + second))
    assert len({layer.name for layer in found.layers}) == len(found.layers), "the first one stays; no second finding about it"


def test_an_environment_twice_is_refused(tmp_path: Path) -> None:
    """Typical of an entry that was copied and not renamed."""
    (only,) = findings(tmp_path, WEB + "    - {name: prod, tag: 1.0.0}\n")
    assert (only.id, only.source.line) == ("applications/name-taken", line(WEB, "tag:") + 1)


@pytest.mark.parametrize("path", ["generated/home/apps", "clusters/home"])
def test_a_path_of_ours_is_refused(tmp_path: Path, path: str) -> None:
    """Flux would be pruned by its own application."""
    apps = f"\n- name: mine\n  path: {path}\n"
    assert refused(tmp_path, apps) == [("applications/path-taken", line(apps, "path:"))]


def test_a_path_twice_is_refused(tmp_path: Path) -> None:
    """F8: one object reconciled by two Kustomizations."""
    apps = "\n- name: a\n  path: apps/a\n- name: b\n  path: ./apps/a/\n"
    assert refused(tmp_path, apps) == [("applications/path-taken", line(apps, "./apps/a/"))]


def test_a_mistake_is_said_once_and_not_for_both_forms(tmp_path: Path) -> None:
    """A union of two forms would report what each of them misses."""
    apps = WEB + "      replica: 2\n"
    (tmp_path / "Pulumi.home.yaml").write_text(HEAD + textwrap.indent(apps.lstrip("\n"), "    "))
    (only,) = load(tmp_path, "home").findings
    assert (only.id, only.source.line, only.fix) == ("description/unknown-key", line(apps, "replica:"), "replicas")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DB_PASSWORD", "hunter2", "plain-secret"),
        ("API_TOKEN", "7d5c0f3e9b8a4162", "plain-secret"),
        ("API_TOKEN", "abc", "named-secret"),
        ("DB_PASSWORD", "required-later", "named-secret"),
        ("SECRET_KEY_BASE", "abc", "named-secret"),
        ("ROUTING_KEY", "orders.created", ""),
        ("FOREIGN_KEY", "user_id", ""),
        ("S3_KEY", "uploads/logo.png", ""),
        ("EXISTING_SECRET", "web-db", ""),
        ("TLS_SECRET", "web-tls", ""),
        ("CSRF_TOKEN", "X-CSRF-Token", ""),
        ("LOG_LEVEL", "debug", ""),
        ("TOKEN_TTL", "10m", ""),
        ("MONKEY", "see", ""),
        ("KEYCLOAK_URL", "https://id.example.org", ""),
        ("DB_PASSWORD_FILE", "/run/secrets/db", ""),
        ("PASSWORD", "/run/secrets/db", ""),
        ("ALLOW_EMPTY_PASSWORD", "yes", ""),
        ("VAPID_PUBLIC_KEY", "BPd…", ""),
        ("AWS_ACCESS_KEY_ID", "me", ""),
        ("DATABASE_URL", "postgres://db.example.org:5432/web", ""),
        ("DATABASE_URL", "postgres://web:$(DB_PASSWORD)@db/web", ""),
        ("CAMERA", "rtsp://view:{RTSP_PASSWORD}@porch.home:554/live", ""),
    ],
)
def test_a_secret_is_known_by_its_value_and_suspected_by_its_name(tmp_path: Path, name: str, value: str, expected: str) -> None:
    """F22. An error cannot be accepted, so a name alone is none; and no value is ever shown."""
    found = findings(tmp_path, WEB + f"      env: {{{name}: '{value}'}}\n")
    told = [one for one in found if one.id in {"applications/plain-secret", "applications/named-secret"}]
    assert [one.id for one in told] == ([f"applications/{expected}"] if expected else [])
    assert not any(value in one.text() for one in told)
