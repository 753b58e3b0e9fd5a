"""Ways in past the ingress controller: what a machine's port leads to, who is let in, and what cannot be."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from fluxstead.catalog.schemas import Schemas
from fluxstead.core.version import Version
from fluxstead.embedded import run_program
from fluxstead.nodes.model import Node
from tests.systems.applications import PLATFORM, described, findings, objects, planned, the
from tests.systems.homelab import STACK, write

BROKER = """
- name: broker
  image: eclipse-mosquitto
  port: 9001
  ports: [{name: mqtt, port: 1883}, {name: dns, port: 53, protocol: UDP}]
  allow: {ingress: [{cidr: 192.168.0.0/16}]}
  environments:
    - name: prod
      tag: 2.0.22
"""
OPEN = BROKER + "      nodePorts: {mqtt: 31883}\n      loadBalancer: [dns]\n"
HOME = PLATFORM._replace(pod_networks=(ip_network("10.42.0.0/16"),))


def machine(name: str, last: int, role: str = "server") -> Node:
    """A machine, by its name and the last number of its address."""
    said = {"name": name, "cluster": "home", "address": f"192.168.1.{last}", "role": role, "state": "live"}
    return Node.model_validate(said)


def test_what_is_opened_is_open_and_nothing_else(tmp_path: Path) -> None:
    """A Service of type NodePort would open every port of the application's own: the one for the ingress controller too."""
    found = planned(described(tmp_path, OPEN))
    own, by_number, at_its_own = objects(found, "broker-prod", "Service")
    assert own["spec"].get("type") is None
    assert [port["name"] for port in own["spec"]["ports"]] == ["http", "mqtt", "dns"]
    assert by_number["spec"]["ports"] == [{"name": "mqtt", "port": 1883, "targetPort": "mqtt", "nodePort": 31883}]
    assert at_its_own["spec"]["ports"] == [{"name": "dns", "port": 53, "targetPort": "dns", "protocol": "UDP"}]
    assert [one["spec"]["type"] for one in (by_number, at_its_own)] == ["NodePort", "LoadBalancer"]
    schemas = Schemas(kubernetes=Version("v1.33.1+k3s1"), flux=Version("2.6.1"), longhorn=Version("1.9.0"))
    assert [schemas.problems(one) for one in (by_number, at_its_own)] == [[], []]
    labels = the(found, "broker-prod", "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert all(one["spec"]["selector"].items() <= labels.items() for one in (by_number, at_its_own))


def test_the_policy_sees_who_asks(tmp_path: Path) -> None:
    """Passed on by another machine, packets come from its address, and the network that is let in would be kept out."""
    found = planned(described(tmp_path, OPEN))
    assert {one["spec"].get("externalTrafficPolicy") for one in objects(found, "broker-prod", "Service")[1:]} == {"Local"}
    [rule] = next(one for one in objects(found, "broker-prod", "NetworkPolicy") if one["metadata"]["name"] == "broker")["spec"][
        "ingress"
    ]
    assert rule["from"] == [{"ipBlock": {"cidr": "192.168.0.0/16"}}]


def test_metrics_are_collected_once(tmp_path: Path) -> None:
    """A ServiceMonitor finds every Service with its labels."""
    found = planned(described(tmp_path, OPEN.replace("  port: 9001\n", "  port: 9001\n  metrics: {}\n")))
    selected = found.scrapes[0].labels.items()
    services = objects(found, "broker-prod", "Service")
    assert [one["metadata"]["name"] for one in services if selected <= one["metadata"].get("labels", {}).items()] == ["broker"]


@pytest.mark.parametrize(
    ("apps", "said"),
    [
        (OPEN, []),
        (BROKER, ["no-way-in"]),
        (BROKER.replace("192.168.0.0/16", "10.42.0.0/16"), []),
        (BROKER.replace("192.168.0.0/16", "0.0.0.0/0"), []),
        (BROKER.replace("cidr: 192.168.0.0/16", "namespace: web-prod"), []),
        (OPEN + "    - {name: trial, tag: 2.1.0}\n", []),
        (OPEN + "    - {name: trial, tag: 2.1.0, allow: {ingress: [{cidr: 172.16.0.0/12}]}}\n", ["no-way-in"]),
        (OPEN.replace("  allow: {ingress: [{cidr: 192.168.0.0/16}]}\n", ""), ["nobody-let-in", "nobody-let-in"]),
        (OPEN.replace("/16}", "/16, ports: [1883]}"), ["nobody-let-in"]),
        (OPEN.replace("/16}", "/16, ports: [1883, 53]}"), ["nobody-let-in"]),
        (OPEN.replace("mqtt: 31883", "mqt: 31883"), ["no-such-port"]),
        (BROKER + "      loadBalancer: [http]\n", []),
        (BROKER + "      nodePorts: {mqtt: 30018, dns: 30018}\n", []),
        (BROKER + "      nodePorts: {mqtt: 30018, http: 30018}\n", ["port-twice"]),
    ],
)
def test_a_way_in_has_two_ends(tmp_path: Path, apps: str, said: list[str]) -> None:
    """A port, and somebody who is let in at it."""
    assert [one.id.removeprefix("applications/") for one in findings(tmp_path, apps, HOME)] == said


@pytest.mark.parametrize(
    ("more", "told"), [("", True), ("  nodeSelector: {kubernetes.io/hostname: k1}\n", False), ("      replicas: 3\n", False)]
)
def test_which_machine_answers(tmp_path: Path, more: str, told: bool) -> None:
    """One of three, and after a restart another one; unless each has a pod."""
    nodes = [machine(name, last) for last, name in enumerate(("k1", "k2", "k3"), 1)]
    apps = OPEN + more if more.startswith("      ") else OPEN.replace("  port: 9001\n", f"  port: 9001\n{more}")
    found = {one.id for one in planned(described(tmp_path, apps), nodes=nodes).findings}
    assert found == ({"applications/answers-at-one-machine"} if told else set())
    assert not planned(described(tmp_path, apps), nodes=nodes[:1]).findings


@pytest.mark.parametrize(
    ("change", "id_", "says"),
    [
        (("nodePorts: {mqtt: 30083}", "nodePorts: {mqtt: 30080}"), "ownership/port-twice", "port 30080 of the nodes"),
        (("nodePorts: {mqtt: 30083}", "nodePorts: {mqtt: 1883}"), "description/value", "1883 is not a node port"),
        (("loadBalancer: [dns, dns-tcp]", "loadBalancer: [http]"), "ownership/load-balancer-port", "port 80 of the nodes"),
        (
            ("name: dns-tcp, port: 53", "name: dns-tcp, port: 22"),
            "ownership/load-balancer-port",
            "port 22 of the nodes, which sshd has",
        ),
        (("name: dns-tcp, port: 53", "name: dns-tcp, port: 6443"), "ownership/load-balancer-port", "which k3s's API server has"),
        (("nodeCidr:", "disable: [servicelb], nodeCidr:"), "ownership/no-load-balancer", "nothing here gives it an address"),
    ],
)
def test_a_port_of_a_machine_has_one_owner(tmp_path: Path, change: tuple[str, str], id_: str, says: str) -> None:
    """On the cluster of the page, whose controller is k3s's own Traefik."""
    write(tmp_path)
    stack = tmp_path / f"Pulumi.{STACK}.yaml"
    text = stack.read_text()
    assert change[0] in text
    if "[http]" in change[1]:
        text = text.replace("port: 3000", "port: 80")
    stack.write_text(text.replace(*change))
    done = run_program(tmp_path, STACK)
    told = [one for one in done.findings if one.id == id_]
    assert [says in one.what for one in told][:1] == [True], [one.text() for one in done.findings]
    assert "type:" not in told[0].fix


@pytest.mark.parametrize(
    ("name", "chart", "values", "service"),
    [
        # As `helm template` prints them for charts that `helm create` began.
        ("tides", "tides", "{}", "tides"),
        ("my-tides", "tides", "{}", "my-tides"),
        ("sea", "tides", "{}", "sea-tides"),
        ("sea", "tides", "{nameOverride: water}", "sea-water"),
        ("sea", "tides", "{fullnameOverride: water}", "water"),
        ("s" * 40, "t" * 30, "{}", f"{'s' * 40}-{'t' * 22}"),
    ],
)
def test_a_route_leads_to_the_service_that_helm_names(tmp_path: Path, name: str, chart: str, values: str, service: str) -> None:
    """Unless another one is said."""
    apps = f"""
- name: {name}
  chart: {{name: {chart}, repository: https://charts.example.test, version: 1.0.0, values: {values}}}
  port: 80
  environments: [{{name: prod, route: {{host: a.example.test}}}}]
"""
    assert planned(described(tmp_path, apps)).routes[0].service == service
    said = apps.replace("version:", "service: other, version:")
    assert planned(described(tmp_path, said)).routes[0].service == "other"


@pytest.mark.parametrize(
    ("repository", "told"),
    [
        ("oci://ghcr.io/x/charts/operator", ["applications/chart-twice"]),
        ("oci://ghcr.io/x/charts/operator/", ["applications/chart-twice"]),
        ("oci://ghcr.io/x/charts", []),
        ("oci://ghcr.io/x/an-operator", []),
        ("https://x.example.test/operator", []),
    ],
)
def test_a_chart_whose_name_is_in_its_address_is_told(tmp_path: Path, repository: str, told: list[str]) -> None:
    """Flux would look for it below itself."""
    found = findings(tmp_path, OPERATOR.replace("https://charts.example.test", repository))
    assert [one.id for one in found] == told


OPERATOR = """
- name: operator
  chart: {name: operator, repository: https://charts.example.test, version: 1.0.0}
  environments:
    - {name: prod}
    - {name: trial, allow: {apiServer: true}}
"""


def test_the_api_server_is_where_its_machines_are(tmp_path: Path) -> None:
    """Policies apply once kube-proxy has chosen a server, so that the Service's own address lets nobody through."""
    nodes = [machine("k1", 1), machine("k2", 2), machine("k3", 3, "agent")]
    found = planned(described(tmp_path, OPERATOR), nodes=nodes)
    rules = {
        name: [one for one in objects(found, f"operator-{name}", "NetworkPolicy")[1]["spec"]["egress"] if "6443" in str(one)]
        for name in ("prod", "trial")
    }
    servers = [{"ipBlock": {"cidr": f"192.168.1.{last}/32"}} for last in (1, 2)]
    assert rules == {"prod": [], "trial": [{"to": servers, "ports": [{"port": 6443, "protocol": "TCP"}]}]}
    assert not found.findings
