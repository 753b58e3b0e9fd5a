"""Applications: what their pods mount, open and may do, and where they run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.catalog.schemas import Schemas
from fluxstead.checks.objects.pod_security import forbidden_by
from fluxstead.core.manifest import KEEP
from fluxstead.core.quantity import Quantity
from fluxstead.core.version import Version
from fluxstead.systems.applications.settings import Application
from fluxstead.tree.layer import Plan
from tests.systems.applications import WEB, described, findings, layer, objects, planned, the

KEPT = "  port: 8080\n"


def web(folder: Path, more: str, environment: str = "") -> Plan:
    """`web` with more lines, and more in its environment."""
    return planned(described(folder, WEB.replace(KEPT, KEPT + "".join(f"  {line}\n" for line in more.splitlines())) + environment))


def pod(found: Plan) -> Any:
    """The pod of its Deployment."""
    return the(found, "web-prod", "Deployment")["spec"]["template"]["spec"]


def test_more_volumes_leave_the_first_one_its_claim(tmp_path: Path) -> None:
    """U10: a claim under another name begins empty."""
    first = "volume: {size: 1Gi, mountPath: /data}"
    alone = the(web(tmp_path, first), "web-prod", "PersistentVolumeClaim")
    several = web(tmp_path, f"{first}\nvolumes: [{{name: media, size: 2Gi, mountPath: /media}}]")
    claims = {one["metadata"]["name"]: one for one in objects(several, "web-prod", "PersistentVolumeClaim")}
    assert claims.keys() == {"web", "web-media"}
    assert claims["web"] == alone
    assert all(one["metadata"]["annotations"] == KEEP for one in claims.values())


def test_an_environment_takes_another_volume_in_place_of_the_one_with_its_name(tmp_path: Path) -> None:
    """And keeps the others."""
    volumes = "volumes: [{name: a, size: 1Gi, mountPath: /a}, {name: b, size: 1Gi, mountPath: /b}]"
    found = web(tmp_path, volumes, "      volumes: [{name: b, size: 9Gi, mountPath: /b}]\n")
    sizes = {
        one["metadata"]["name"]: one["spec"]["resources"]["requests"]["storage"]
        for one in objects(found, "web-prod", "PersistentVolumeClaim")
    }
    assert sizes == {"web-a": "1Gi", "web-b": "9Gi"}


@pytest.mark.parametrize(("mode", "strategy"), [("ReadWriteOnce", "Recreate"), ("ReadWriteMany", "RollingUpdate")])
def test_only_a_shared_volume_lets_the_new_pod_start_beside_the_old(tmp_path: Path, mode: str, strategy: str) -> None:
    """F1: on another node, it would wait for the volume, and the old one for it."""
    found = web(tmp_path, f"volume: {{size: 1Gi, mountPath: /data, accessMode: {mode}}}")
    assert the(found, "web-prod", "Deployment")["spec"]["strategy"]["type"] == strategy


def test_several_pods_share_what_is_shared(tmp_path: Path) -> None:
    """And go to several machines."""
    several = "      replicas: 3\n"
    volume = "volumes: [{name: media, size: 1Gi, mountPath: /media, accessMode: ReadWriteMany}]"
    found = web(tmp_path, volume, several)
    assert not found.findings
    (spread,) = pod(found)["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == the(found, "web-prod", "Deployment")["spec"]["selector"]["matchLabels"]
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    assert "topologySpreadConstraints" not in pod(web(tmp_path, volume))
    alone = web(tmp_path, volume.replace("ReadWriteMany", "ReadWriteOnce"), several)
    assert [one.id for one in alone.findings] == ["applications/shared-volume"]


def test_root_can_do_what_sshd_needs(tmp_path: Path) -> None:
    """Without a root of its own for whoever is not logged in yet, sshd ends each connection: gitea, gogs."""
    apps = WEB.replace("  port: 8080\n", "  port: 8080\n  runAsRoot: {reason: sshd}\n")
    [container] = the(planned(described(tmp_path, apps)), "web-prod", "Deployment")["spec"]["template"]["spec"]["containers"]
    added = set(container["securityContext"]["capabilities"]["add"])
    assert {"SYS_CHROOT", "AUDIT_WRITE", "SETUID"} <= added
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/, baseline: what may be added.
    may = "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
    assert added <= set(may.split())


def test_a_changed_file_restarts_the_pods_and_nothing_else_does(tmp_path: Path) -> None:
    """Kubernetes shows a pod no change of a file that is mounted alone, and restarts none for it."""
    file = "files: {/etc/app/config.ini: %s}"
    one, same, other = (web(tmp_path, file % text) for text in ("a", "a", "b"))
    templates = [the(found, "web-prod", "Deployment")["spec"]["template"] for found in (one, same, other)]
    assert templates[0] == templates[1] != templates[2]
    assert templates[0]["spec"] == templates[2]["spec"]


def test_each_file_is_where_it_was_asked_for_with_its_own_text(tmp_path: Path) -> None:
    """Also where two have one name, and where an environment has its own text for one."""
    files = "files:\n  /etc/a/config.yaml: first\n  /etc/b/config.yaml: second\n  /etc/ümlaut.ini: third"
    found = web(tmp_path, files, "      files: {/etc/b/config.yaml: changed}\n")
    data = the(found, "web-prod", "ConfigMap")["data"]
    (container,) = pod(found)["containers"]
    seen = {one["mountPath"]: data[one["subPath"]] for one in container["volumeMounts"] if one["name"] == "files"}
    assert seen == {"/etc/a/config.yaml": "first", "/etc/b/config.yaml": "changed", "/etc/ümlaut.ini": "third"}
    assert len(data) == 3


def test_what_runs_first_has_what_the_application_has(tmp_path: Path) -> None:
    """By default it is the application's own image, as when a database is migrated."""
    found = web(
        tmp_path,
        "env: {A: b}\nsecrets: [web]\nvolume: {size: 1Gi, mountPath: /data}\n"
        "initContainers: [{name: migrate, args: [migrate]}, {name: wait, image: busybox:1.37.0}]",
    )
    (main,) = pod(found)["containers"]
    migrate, wait = pod(found)["initContainers"]
    assert (migrate["image"], wait["image"]) == (main["image"], "busybox:1.37.0")
    for key in ("env", "envFrom", "resources", "securityContext", "volumeMounts"):
        assert migrate[key] == wait[key] == main[key]
    assert "readinessProbe" not in migrate


def test_every_port_is_the_services_and_peers_reach_them(tmp_path: Path) -> None:
    """UDP too."""
    found = web(tmp_path, "ports: [{name: dns, port: 53, protocol: UDP}]\nallow: {ingress: [{namespace: lan}]}")
    ports = [(one["name"], one["port"], one.get("protocol", "TCP")) for one in the(found, "web-prod", "Service")["spec"]["ports"]]
    assert ports == [("http", 8080, "TCP"), ("dns", 53, "UDP")]
    (rule,) = objects(found, "web-prod", "NetworkPolicy")[1]["spec"]["ingress"]
    assert [(one["port"], one["protocol"]) for one in rule["ports"]] == [(8080, "TCP"), (53, "UDP")]


def test_probes_ask_at_the_port_that_they_name(tmp_path: Path) -> None:
    """A database has no `port`, and is asked all the same."""
    apps = WEB.replace(KEPT, "  ports: [{name: db, port: 5432}]\n  probes: {port: db}\n")
    found = planned(described(tmp_path, apps))
    assert not found.findings
    assert pod(found)["containers"][0]["readinessProbe"] == {"tcpSocket": {"port": "db"}}


def test_metrics_are_collected_where_they_are_and_nobody_else_is_let_in(tmp_path: Path) -> None:
    """By the port's name in the Service, and by its number in the policy."""
    found = web(tmp_path, "ports: [{name: admin, port: 9000}]\nmetrics: {port: admin, path: /stats}")
    (scrape,) = found.scrapes
    assert (scrape.namespace, scrape.port, scrape.path) == ("web-prod", "admin", "/stats")
    assert scrape.guarded_port is None
    (rule,) = objects(found, "web-prod", "NetworkPolicy")[1]["spec"]["ingress"]
    assert rule["ports"] == [{"port": 9000, "protocol": "TCP"}]
    assert rule["from"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus"}
    assert not web(tmp_path, "ports: [{name: admin, port: 9000}]").scrapes


def test_a_chart_keeps_its_policies_as_long_as_its_release(tmp_path: Path) -> None:
    """The release is not deleted, and would go on running with everything let in and out; an image's pods go with its policies."""
    chart = """
- name: tides
  chart: {name: tides, repository: 'https://charts.example.test', version: 1.0.0}
  environments: [{name: prod}]
"""
    found = planned(described(tmp_path, chart + WEB))
    assert _kept(found, "tides-prod") == {"HelmRelease tides", "NetworkPolicy default-deny", "NetworkPolicy tides"}
    assert not _kept(found, "web-prod")


def _kept(found: Plan, name: str) -> set[str]:
    return {
        f"{one.ref.kind} {one.ref.name}"
        for one in layer(found, name).manifests
        if one.object["metadata"].get("annotations", {}).items() >= KEEP.items()
    }


def test_a_chart_keeps_its_release_and_its_namespace(tmp_path: Path) -> None:
    """Helm deletes a chart's claims with its release. An OCI registry is a repository of that type."""
    apps = """
- name: tides
  chart: {name: tides, repository: 'oci://ghcr.io/example/charts', version: 1.0.0, podSecurity: restricted, service: tides-http}
  port: 80
  environments: [{name: prod, route: {host: tides.example.org}}]
"""
    found = planned(described(tmp_path, apps))
    assert not found.findings
    assert the(found, "tides-prod", "HelmRepository")["spec"]["type"] == "oci"
    for layer_name, kind in (("tides-prod", "HelmRelease"), ("tides-prod-access", "Namespace")):
        assert the(found, layer_name, kind)["metadata"]["annotations"] == KEEP
    assert the(found, "tides-prod-access", "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (rule,) = the(found, "tides-prod", "Ingress")["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "tides-http", "port": {"number": 80}}
    assert not layer(found, "tides-prod").keeps_data


@pytest.mark.parametrize(
    "more",
    [
        "volume: {size: 1Gi, mountPath: /media, readOnly: true}\nfiles: {/mediatheque/app.ini: x}",
        "volumes: [{name: a, size: 1Gi, mountPath: /a}, {name: b, size: 1Gi, mountPath: /a/b}]",
        "volume: {size: 1Gi, mountPath: /data}\nfiles: {/data/app.ini: x, /tmp/app.ini: y2}",
        "volumes: [{name: data, size: 1Gi, mountPath: /data}]",
        "ports: [{name: dns, port: 53}, {name: dns-udp, port: 53, protocol: UDP}]",
        "initContainers: [{name: wait, image: 'registry.example.org:5000/wait@sha256:%s'}]" % ("0" * 64),
        "tolerations: [{operator: Exists}]",
        "tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 30}]",
        "command: [sleep]\nargs: ['3600']",
    ],
)
def test_what_an_application_may_well_say(tmp_path: Path, more: str) -> None:
    """The right side of each bound."""
    apps = WEB.replace(KEPT, KEPT + "".join(f"  {line}\n" for line in more.splitlines()))
    assert not findings(tmp_path, apps)


_NAMES = st.sampled_from(["a", "b-c", "media"])
_VOLUME = {"size": st.just("1Gi"), "accessMode": st.sampled_from(["ReadWriteOnce", "ReadWriteMany"]), "readOnly": st.booleans()}
_ANY = st.fixed_dictionaries(
    {"name": st.just("web"), "image": st.just("web"), "environments": st.just([{"name": "prod", "tag": "1.0.0"}])},
    optional={
        "port": st.just(80),
        "ports": st.just([{"name": "metrics", "port": 9090}]),
        "metrics": st.just({"port": "metrics"}),
        "command": st.just(["run"]),
        "args": st.just(["--fast"]),
        "runAsRoot": st.just({"reason": "s6"}),
        "runAsUser": st.integers(1, 70000),
        "supplementalGroups": st.just([20]),
        "readOnlyRootFilesystem": st.booleans(),
        "files": st.dictionaries(st.sampled_from(["/etc/a.ini", "/srv/a.ini", "/etc/b c.ini"]), st.text(max_size=5)),
        "devices": st.just([{"hostPath": "/dev/ttyACM0"}, {"hostPath": "/dev/serial/by-id/x", "mountPath": "/dev/x"}]),
        "nodeSelector": st.just({"disk": "ssd"}),
        "tolerations": st.just([{"operator": "Exists"}]),
        "volume": st.fixed_dictionaries({**_VOLUME, "mountPath": st.just("/data")}),
        "volumes": st.lists(
            st.builds(lambda name, rest: {**rest, "name": name, "mountPath": f"/{name}"}, _NAMES, st.fixed_dictionaries(_VOLUME)),
            unique_by=lambda one: str(one["name"]),
            max_size=3,
        ),
        "initContainers": st.just([{"name": "first", "command": ["true"]}]),
    },
)
SCHEMAS = Schemas(kubernetes=Version("v1.33.1+k3s1"), flux=Version("2.6.1"), longhorn=Version("1.9.0"))


@given(_ANY)
def test_whatever_is_said_the_pods_are_admitted_and_nothing_hangs_in_the_air(said: dict[str, Any]) -> None:
    """By the schema, by the namespace's standard, by its quota; and each mount has its volume, each volume its object."""
    found = planned([Application.model_validate(said)])
    for one in layer(found, "web-prod").manifests:
        assert SCHEMAS.problems(one.object) == []
    deployment = the(found, "web-prod", "Deployment")
    template, spec = deployment["spec"]["template"], pod(found)
    level = the(found, "web-prod-access", "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert not list(forbidden_by(level, template))
    lower = {"privileged": "baseline", "baseline": "restricted"}.get(level)
    assert not lower or list(forbidden_by(lower, template)), "no more is admitted than is needed"
    names = [volume["name"] for volume in spec.get("volumes", [])]
    assert len(names) == len(set(names))
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    most = the(found, "web-prod-access", "LimitRange")["spec"]["limits"][1]["max"]
    for container in containers:
        mounts = container.get("volumeMounts", [])
        assert {mount["name"] for mount in mounts} == set(names)
        assert len({mount["mountPath"] for mount in mounts}) == len(mounts)
        assert Quantity(most["memory"]).amount > Quantity(container["resources"]["limits"]["memory"]).amount
    claims = {one["metadata"]["name"] for one in objects(found, "web-prod", "PersistentVolumeClaim")}
    assert claims == {
        one["persistentVolumeClaim"]["claimName"] for one in spec.get("volumes", []) if "persistentVolumeClaim" in one
    }
    assert len(objects(found, "web-prod", "ConfigMap")) == ("files" in names)
