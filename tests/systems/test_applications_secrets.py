"""Secrets of applications: as variables, as files, for the registry and for a chart; each is asked for, and there in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.tree.layer import Plan
from fluxstead.tree.resolve import needs_of, resolved
from tests.systems.applications import WEB, described, layer, planned, the

SECRETS = "  secrets: [web]\n  imagePullSecrets: [registry]\n  secretFiles: {/etc/web/tls: web-tls}\n  runAsUser: 1000\n"
CHART = """
    - name: queue
      chart:
        name: rabbitmq
        repository: https://charts.example.test
        version: 1.2.3
        valuesFrom: [queue-values]
      environments:
        - {name: prod}
"""


@pytest.fixture
def found(tmp_path: Path) -> Plan:
    """An application with all kinds of them."""
    apps = WEB.replace("  environments:", f"{SECRETS}  environments:", 1)
    return planned(described(tmp_path, apps))


def test_each_is_asked_for_with_what_it_is_for(found: Plan) -> None:
    """In the layer that Flux applies with its own rights: the application's account may read no Secret."""
    needs = {need.qualified_name: need for need in needs_of({"applications": found})}
    assert set(needs) == {"web-prod/web", "web-prod/registry", "web-prod/web-tls"}
    assert {need.layer for need in needs.values()} == {"web-prod-access"}
    assert needs["web-prod/registry"].type == "kubernetes.io/dockerconfigjson"
    assert [key.name for key in needs["web-prod/registry"].keys] == [".dockerconfigjson"]
    assert needs["web-prod/web-tls"].purpose == "web's files in /etc/web/tls"
    applied = resolved({"applications": found}, list(needs.values()))["applications"]
    assert len(layer(applied, "web-prod-access").secrets) == 3
    assert not layer(applied, "web-prod").secrets


def test_files_are_mounted_for_the_pods_user_alone(found: Plan) -> None:
    """Read-only, and readable by its group, which is nobody else's."""
    pod = the(found, "web-prod", "Deployment")["spec"]["template"]["spec"]
    (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["mountPath"] == "/etc/web/tls"]
    assert mount["readOnly"] is True
    (volume,) = [one for one in pod["volumes"] if one["name"] == mount["name"]]
    assert volume["secret"] == {"secretName": "web-tls", "defaultMode": 0o440}
    assert pod["securityContext"]["fsGroup"] == 1000


def test_a_secret_for_files_and_variables_is_asked_for_once(tmp_path: Path) -> None:
    """It is one object."""
    rest = "  secrets: [web]\n  secretFiles: {/etc/web/tls: web}\n  environments:"
    found = planned(described(tmp_path, WEB.replace("  environments:", rest, 1)))
    assert [need.qualified_name for need in needs_of({"applications": found})] == ["web-prod/web"]


def test_a_chart_takes_values_from_a_secret(tmp_path: Path) -> None:
    """What is in it is ciphertext in Git, and merged by Flux."""
    found = planned(described(tmp_path, CHART))
    assert the(found, "queue-prod", "HelmRelease")["spec"]["valuesFrom"] == [{"kind": "Secret", "name": "queue-values"}]
    (need,) = needs_of({"applications": found})
    assert (need.qualified_name, need.layer, need.keys[0].name) == ("queue-prod/queue-values", "queue-prod-access", "values.yaml")


@pytest.mark.parametrize(
    ("values", "unnamed"),
    [
        ("{auth: {existingSecret: queue-login}, image: {pullSecrets: [registry]}}", []),
        ("{auth: {existingSecret: queue-login}, imagePullSecrets: [{name: registry}]}", []),
        ("{auth: {existingSecret: queue-logn}}", ["queue-login", "registry"]),
    ],
)
def test_what_a_chart_s_values_name_is_asked_for(tmp_path: Path, values: str, unnamed: list[str]) -> None:
    """And what is asked for in vain is told."""
    more = "secrets: [queue-login]\n      imagePullSecrets: [registry]\n      environments:"
    apps = CHART.replace("valuesFrom: [queue-values]", f"values: {values}").replace("environments:", more)
    found = planned(described(tmp_path, apps))
    needs = {need.name: need for need in needs_of({"applications": found})}
    assert needs["registry"].type == "kubernetes.io/dockerconfigjson"
    assert needs["queue-login"].purpose == "queue's chart, whose values name it"
    assert [one.what.rpartition(" ")[2] for one in found.findings] == unnamed
    assert {one.id for one in found.findings} <= {"applications/unnamed-secret"}


def test_a_private_repository_has_its_login(tmp_path: Path) -> None:
    """Which Flux needs before it sees the chart."""
    apps = CHART.replace("version:", "repositorySecret: charts\n        version:").replace("https://charts", "oci://charts")
    found = planned(described(tmp_path, apps))
    assert the(found, "queue-prod", "HelmRepository")["spec"]["secretRef"] == {"name": "charts"}
    [login] = [need for need in needs_of({"applications": found}) if need.name == "charts"]
    assert ([key.name for key in login.keys], login.layer) == (["username", "password"], "queue-prod-access")


def test_two_things_at_one_path_are_refused(tmp_path: Path) -> None:
    """As of volumes and files."""
    rest = "  secretFiles: {/data: web-tls}\n  volume: {size: 1Gi, mountPath: /data}\n  environments:"
    found = planned(described(tmp_path, WEB.replace("  environments:", rest, 1)))
    assert "applications/mounted-twice" in {finding.id for finding in found.findings}
