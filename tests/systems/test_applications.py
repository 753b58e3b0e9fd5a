"""Applications: what a few lines become."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.catalog.schemas import Schemas
from fluxstead.core.manifest import KEEP
from fluxstead.core.platform import Platform
from fluxstead.core.quantity import Quantity
from fluxstead.core.version import Version
from fluxstead.systems.applications.settings import Application
from fluxstead.tree.asks import Link
from tests.systems.applications import (
    RICH,
    WEB,
    described,
    layer,
    objects,
    planned,
    the,
)


def test_each_environment_is_a_layer_with_its_own_namespace_and_pace(tmp_path: Path) -> None:
    """Dev is looked at every minute, what says nothing every ten."""
    found = planned(described(tmp_path, RICH))
    assert [(layer.name, layer.group, str(layer.timing.interval)) for layer in found.layers] == [
        ("web-dev-access", "apps", "10m"),
        ("web-dev", "apps", "1m"),
        ("web-prod-access", "apps", "10m"),
        ("web-prod", "apps", "10m"),
        ("web-store-access", "apps", "10m"),
        ("web-store", "apps", "10m"),
        ("whoami", "apps", "30m"),
    ]
    assert the(found, "web-dev-access", "Namespace")["metadata"]["name"] == "web-dev"
    assert not found.findings


@pytest.mark.parametrize("kubernetes", ["v1.31.0+k3s1", "v1.33.1+k3s1", "v1.37.0+k3s1"])
def test_every_object_is_one_that_the_api_server_takes(tmp_path: Path, kubernetes: str) -> None:
    """From the oldest Kubernetes to the newest."""
    schemas = Schemas(kubernetes=Version(kubernetes), flux=Version("2.6.1"), longhorn=Version("1.9.0"))
    found = planned(described(tmp_path, RICH))
    all_objects = [manifest.object for layer in found.layers for manifest in layer.manifests]
    assert {obj["kind"] for obj in all_objects} >= {"HorizontalPodAutoscaler", "PodDisruptionBudget", "PersistentVolumeClaim"}
    for obj in all_objects:
        assert schemas.knows(obj["apiVersion"], obj["kind"])
        assert schemas.problems(obj) == []


def test_offline_is_zero_pods_and_nothing_that_would_bring_them_back(tmp_path: Path) -> None:
    """An autoscaler would raise the pods again, and a budget guards nothing."""
    found = planned(described(tmp_path, RICH))
    assert the(found, "web-dev", "Deployment")["spec"]["replicas"] == 0
    assert not objects(found, "web-dev", "HorizontalPodAutoscaler")
    assert not objects(found, "web-dev", "PodDisruptionBudget")


def test_one_word_changes_nothing_but_the_number_of_pods(tmp_path: Path) -> None:
    """Going online again is as small a change as going offline."""
    offline = planned(described(tmp_path, WEB + "      state: offline\n"))
    online = planned(described(tmp_path, WEB))
    differing = [
        (before.object["kind"], before.object["spec"]["replicas"], after.object["spec"]["replicas"])
        for here, there in zip(offline.layers, online.layers, strict=True)
        for before, after in zip(here.manifests, there.manifests, strict=True)
        if before.object != after.object
    ]
    assert differing == [("Deployment", 0, 1)]


def test_beside_an_autoscaler_no_replicas_are_written(tmp_path: Path) -> None:
    """Flux would set them back at every reconcile."""
    found = planned(described(tmp_path, RICH))
    assert "replicas" not in the(found, "web-prod", "Deployment")["spec"]
    scaler = the(found, "web-prod", "HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


def test_a_volume_and_its_namespace_are_never_pruned(tmp_path: Path) -> None:
    """U10: pruning removed volumes with their release. The layer goes with its application, or its pods would stay."""
    found = planned(described(tmp_path, RICH))
    assert the(found, "web-store", "PersistentVolumeClaim")["metadata"]["annotations"] == KEEP
    assert the(found, "web-store-access", "Namespace")["metadata"]["annotations"] == KEEP
    assert not layer(found, "web-store").keeps_data
    assert the(found, "web-store", "PersistentVolumeClaim")["spec"]["storageClassName"] == "longhorn"
    assert the(found, "web-store", "Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_an_offline_volume_does_not_wait_for_a_pod_that_never_comes(tmp_path: Path) -> None:
    """A claim of a class that binds for its first consumer stays Pending."""
    apps = WEB + "      volume: {size: 1Gi, mountPath: /data}\n"
    assert layer(planned(described(tmp_path, apps)), "web-prod").health_check_exprs == ()
    (check,) = layer(planned(described(tmp_path, apps + "      state: offline\n")), "web-prod").health_check_exprs
    assert check["kind"] == "PersistentVolumeClaim"
    assert "Pending" in check["current"]


def test_what_the_environment_says_is_laid_over_the_application(tmp_path: Path) -> None:
    """Variable by variable."""
    found = planned(described(tmp_path, RICH))
    (container,) = the(found, "web-dev", "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "ghcr.io/example/web:1.2.4"
    assert {entry["name"]: entry["value"] for entry in container["env"]} == {"LOG_LEVEL": "debug", "GREETING": "hello"}


def test_a_secret_is_waited_for_and_never_left_out(tmp_path: Path) -> None:
    """A pod without its password is worse than none; and no layer of ours brings the Secret."""
    found = planned(described(tmp_path, RICH))
    (container,) = the(found, "web-prod", "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "web"}}]
    assert {str(offer) for offer in layer(found, "web-prod").offers} == {"Secret web-prod/web", "Secret web-prod/registry"}


def test_the_network_is_closed_but_for_dns_the_controller_and_what_is_declared(tmp_path: Path) -> None:
    """All other traffic is denied."""
    found = planned(described(tmp_path, RICH))
    deny, allow = objects(found, "web-prod", "NetworkPolicy")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert [_rule(rule, "from") for rule in allow["spec"]["ingress"]] == [("ingress", [8080]), ("monitoring", [8080])]
    assert allow["spec"]["ingress"][0]["from"][0]["podSelector"] == {"matchLabels": {"app": "controller"}}, "not its neighbours"
    dns, database, queue = allow["spec"]["egress"]
    assert _rule(dns, "to") == ("kube-system", [53, 53])
    assert (database["to"], database["ports"]) == (
        [{"ipBlock": {"cidr": "192.168.86.10/32"}}],
        [{"port": 5432, "protocol": "TCP"}],
    )
    assert (_rule(queue, "to"), queue["ports"][0]["protocol"]) == (("databases", [53]), "UDP")
    assert "monitoring" in str(objects(found, "web-dev", "NetworkPolicy")[1]["spec"]["ingress"])
    assert "'ingress'}" not in str(objects(found, "web-dev", "NetworkPolicy")[1]), (
        "no route, so the controller has no business here"
    )


def _rule(rule: Any, direction: str) -> tuple[str, list[int]]:
    labels = rule[direction][0]["namespaceSelector"]["matchLabels"]
    return labels["kubernetes.io/metadata.name"], [entry["port"] for entry in rule["ports"]]


def test_without_coredns_dns_may_be_anywhere(tmp_path: Path) -> None:
    """No pods answer then that a policy could name."""
    platform = Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"), disabled=frozenset({"coredns"}))
    found = planned(described(tmp_path, WEB), platform)
    (dns,) = objects(found, "web-prod", "NetworkPolicy")[1]["spec"]["egress"]
    assert "to" not in dns


def test_the_route_leads_to_the_service(tmp_path: Path) -> None:
    """And its address is told."""
    found = planned(described(tmp_path, RICH))
    (rule,) = the(found, "web-prod", "Ingress")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    service = the(found, "web-prod", "Service")
    assert (backend["name"], backend["port"]["number"]) == (service["metadata"]["name"], service["spec"]["ports"][0]["port"])
    assert found.links == (Link("web-prod", "http://web.example.org/shop"),)
    assert not objects(found, "web-dev", "Ingress")


def test_people_may_look_and_pods_may_not_ask(tmp_path: Path) -> None:
    """A group views the namespace; the account has no token."""
    found = planned(described(tmp_path, RICH))
    _, binding = sorted(objects(found, "web-prod-access", "RoleBinding"), key=lambda one: str(one["metadata"]["name"]))
    assert (binding["roleRef"]["name"], binding["subjects"][0]["name"]) == ("view", "developers")
    assert the(found, "web-prod", "ServiceAccount")["automountServiceAccountToken"] is False
    assert "view" not in str(objects(planned(described(tmp_path, WEB)), "web-prod-access", "RoleBinding"))


def test_the_startup_probe_gives_the_time_that_was_asked_for(tmp_path: Path) -> None:
    """A slow start is not restarted."""
    (container,) = the(planned(described(tmp_path, RICH)), "web-prod", "Deployment")["spec"]["template"]["spec"]["containers"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 90
    assert container["livenessProbe"] == {"httpGet": {"path": "/alive", "port": "http"}}


def test_an_application_without_a_port_has_no_service(tmp_path: Path) -> None:
    """A worker that nobody calls."""
    found = planned(described(tmp_path, WEB.replace("  port: 8080\n", "")))
    assert not found.findings
    assert not objects(found, "web-prod", "Service")
    (container,) = the(found, "web-prod", "Deployment")["spec"]["template"]["spec"]["containers"]
    assert "readinessProbe" not in container


def test_own_manifests_are_a_path_and_nothing_of_ours(tmp_path: Path) -> None:
    """Flux reads the directory itself."""
    own = layer(planned(described(tmp_path, RICH)), "whoami")
    assert (own.path, own.manifests, own.depends_on) == ("apps/whoami", (), ("web-prod",))


_SIZES = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.sampled_from(["10m", "250m", "0.5", "1", "2", "1500m"]),
        "memory": st.sampled_from(["64Mi", "1.5Gi", "128M", "1Gi", "134217728"]),
        "ephemeralStorage": st.sampled_from(["10Mi", "1Gi", "20G"]),
    },
)
_ENVIRONMENT: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.just("prod"), "tag": st.just("1.0.0"), "state": st.sampled_from(["online", "offline"])},
    optional={
        "replicas": st.integers(0, 20),
        "autoscaling": st.fixed_dictionaries({"minReplicas": st.integers(1, 5), "maxReplicas": st.integers(5, 20)}),
        "disruptionBudget": st.just({"maxUnavailable": 1}),
        "volume": st.just({"size": "1Gi", "mountPath": "/data"}),
        "resources": st.fixed_dictionaries({}, optional={"requests": _SIZES, "limits": _SIZES}),
    },
)
_APP: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.just("web"), "image": st.just("web"), "environments": st.tuples(_ENVIRONMENT)},
    optional={"port": st.just(80), "runAsUser": st.integers(1, 70000), "readOnlyRootFilesystem": st.booleans()},
)


@given(_APP, _APP)
def test_no_bounds_stop_the_rollout_from_any_version_to_any_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    """The bounds are the new version's from the start: as many old pods as there are to be, and a new one, have to keep to them."""
    old, new = (planned([Application.model_validate(one)]) for one in (before, after))
    hard = the(new, "web-prod-access", "ResourceQuota")["spec"]["hard"]
    of_pod = the(new, "web-prod-access", "LimitRange")["spec"]["limits"][1]["max"]
    was, now = (the(one, "web-prod", "Deployment")["spec"]["template"]["spec"]["containers"][0]["resources"] for one in (old, new))
    environment = after["environments"][0]
    pods = environment["autoscaling"]["maxReplicas"] if "autoscaling" in environment else environment.get("replicas", 1)
    for counted, quantity in hard.items():
        kind, _, name = counted.partition(".")
        running, starting = (Quantity(one[kind].get(name, "0")).amount if name else Decimal(1) for one in (was, now))
        assert pods * running + starting <= Quantity(quantity).amount, counted
    assert int(hard["pods"]) <= 2 * max(pods, 1), "and no more than a whole rollout"
    assert of_pod.keys() == now["limits"].keys(), "a pod without a limit would be refused"
    for name, limit in now["limits"].items():
        assert Quantity(limit).amount < Quantity(of_pod[name]).amount <= 4 * Quantity(limit).amount


@given(_APP)
def test_a_pod_that_does_not_say_gets_what_the_application_gets(described_app: dict[str, Any]) -> None:
    """Somebody's debugging pod is bounded as well."""
    found = planned([Application.model_validate(described_app)])
    resources = the(found, "web-prod", "Deployment")["spec"]["template"]["spec"]["containers"][0]["resources"]
    of_container = the(found, "web-prod-access", "LimitRange")["spec"]["limits"][0]
    assert of_container["default"] == resources["limits"]
    assert of_container["defaultRequest"] == resources["limits"] | resources["requests"]


@given(_APP)
def test_every_pod_is_one_that_its_namespace_admits(described_app: dict[str, Any]) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, restricted."""
    found = planned([Application.model_validate(described_app)])
    labels = the(found, "web-prod-access", "Namespace")["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert labels["pod-security.kubernetes.io/enforce-version"] == "v1.33", "the standard of a later release may refuse the pods"
    pod = the(found, "web-prod", "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    limit = container["resources"]["limits"]["ephemeral-storage"]
    assert [one["emptyDir"] for one in pod.get("volumes", []) if "emptyDir" in one] in ([], [{"sizeLimit": limit}])
    assert {mount["name"] for mount in container.get("volumeMounts", [])} == {volume["name"] for volume in pod.get("volumes", [])}
    if "volume" in described_app["environments"][0]:
        assert pod["securityContext"]["fsGroup"] > 0, "a volume is root's until the group is set"
