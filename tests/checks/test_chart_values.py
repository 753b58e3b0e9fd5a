"""Values: who gives them to which chart, and where they stand."""

from __future__ import annotations

import pytest

from fluxstead.core.findings import Finding
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from tests.checks.planted import BUNDLED, WEB, Planted, ingress, kept, layer, look, obj, release
from tests.conftest import Project

_GROUP = "helm.cattle.io"


def config(values: str, kind: str = "HelmChartConfig", more: str = "") -> str:
    """What k3s is told about its Traefik, or about a chart that it is to install."""
    text = "\n".join(f"    {line}" for line in values.splitlines())
    return obj(kind, "kube-system/traefik", f"spec:\n  {more}\n  valuesContent: |-\n{text}\n", f"{_GROUP}/v1")


def found(*objects: str, platform: Platform | None = BUNDLED) -> list[Finding]:
    """What is said of these objects."""
    planted = Planted(files=layer("web", *objects), cure=("", ""), says="", platform=platform)
    return look(planted, planted.files)


def ids(findings: list[Finding]) -> set[str]:
    """The ids of findings."""
    return {one.id for one in findings}


@pytest.mark.parametrize(
    ("kubernetes", "values", "unknown"),
    [
        ("v1.33.1+k3s1", "ingressClass: {isDefaultClas: true}", True),
        ("v1.33.1+k3s1", "ports: {web: {nodePort: 30080}}", False),
        # Traefik's chart moved it in 40, which patch releases of every minor got: either form may be right.
        ("v1.33.1+k3s1", "service: {type: NodePort}", False),
        ("v1.33.1+k3s1", "service: {spec: {type: NodePort}}", False),
        # Of Traefik 2's chart, which k3s no longer brings.
        ("v1.31.4+k3s1", "pilot: {enabled: true}", True),
    ],
)
def test_the_values_of_a_bundled_chart_are_those_of_the_releases_that_this_k3s_may_have(
    kubernetes: str, values: str, unknown: bool
) -> None:
    """A patch release of k3s brings a newer chart, so only what none of them knows is wrong."""
    platform = Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version(kubernetes))
    said = [one for one in found(config(values), platform=platform) if one.id.startswith("tree/chart-value")]
    assert bool(said) is unknown, [one.text() for one in said]


def test_a_value_that_no_release_knows_is_told_at_its_own_line() -> None:
    """`valuesContent` is text, but its lines are those of the file."""
    [one] = [one for one in found(config("ports: {}\ningressClass:\n  isDefaultClas: true")) if one.id == "tree/chart-value"]
    assert str(one.source) == "web/objects.yaml:9"
    assert one.fix == "ingressClass.isDefaultClass"


def test_node_ports_of_charts_that_k3s_installs_count() -> None:
    """They are Services like any other."""
    service = obj("Service", "web/site", "spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}")
    ports = "ports: {web: {nodePort: 30080}}"
    assert "ownership/port-twice" in ids(found(WEB, service, config(ports)))
    assert "ownership/port-twice" in ids(found(WEB, service, config(ports, "HelmChart", "chart: site")))
    assert "ownership/node-port-range" in ids(found(config("ports: {web: {nodePort: 80}}")))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("{enabled: true, className: nginx, hosts: [{host: a.test, paths: [{path: /}]}]}", True),
        ("{enabled: true, className: traefik, hosts: [{host: a.test, paths: [{path: /}]}]}", False),
        ("{enabled: true, className: nginx, hosts: [{host: a.test, paths: [{path: /x}]}]}", False),
        ("{enabled: false, className: nginx, hosts: [{host: a.test, paths: [{path: /}]}]}", False),
        ("{enabled: true, className: nginx, hosts: [a.test]}", False),
    ],
)
def test_routes_that_charts_make_from_their_values_count(values: str, said: bool) -> None:
    """Where host and path are both written out."""
    own = ingress("web/site", "a.test").replace("spec: {", "spec: {ingressClassName: nginx, ")
    chart = release("web/blog", "blog", "1.0.0", f", values: {{ingress: {values}}}")
    assert ("ownership/same-route" in ids(found(WEB, own, chart))) is said


def test_values_stand_where_they_are_written_in_the_description(reference: Project) -> None:
    """At the key, not at the head of the section."""
    stack = reference.root / "Pulumi.k3s-flux.yaml"
    values = "    values:\n      csi:\n        kubeletRootDir: /var/lib/rancher/k3s/agent/kubelet\n"
    stack.write_text(stack.read_text().replace("    filesystem: ext4\n", f"    filesystem: ext4\n{values}"))
    [one] = [one for one in reference.run().findings if one.id == "longhorn/kubelet-root"]
    lines = stack.read_text().splitlines()
    assert "kubeletRootDir" in lines[one.source.line - 1]


@pytest.mark.parametrize(
    ("copies", "refused"),
    [("3", True), ("'3'", True), ('\'{"v1":"3","v2":"3"}\'', True), ("1", False)],
)
def test_copies_said_in_values_are_counted_like_described_ones(reference: Project, copies: str, refused: bool) -> None:
    """In all the forms that Longhorn takes; two machines of which one has disks, and no shared nodes."""
    stack = reference.root / "Pulumi.k3s-flux.yaml"
    values = f"    values: {{persistence: {{defaultClassReplicaCount: {copies}}}}}\n"
    text = (
        stack.read_text().replace("    filesystem: ext4\n", f"    filesystem: ext4\n{values}").replace("replicas: 2", "replicas: 1")
    )
    stack.write_text(text.replace("replicaSoftAntiAffinity: true", "replicaSoftAntiAffinity: false"))
    said = [one for one in reference.run().findings if one.id == "longhorn/too-few-nodes"]
    assert [("values:" in stack.read_text().splitlines()[one.source.line - 1]) for one in said] == ([True] if refused else [])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("{kubeProxy: {enabled: true}}", True),
        ("{kubeProxy: {enabled: true, endpoints: [192.0.2.1]}}", False),
        ("{kubeProxy: {enabled: true}, defaultRules: {rules: {kubeProxy: false}}}", False),
        ("{kubeProxy: {enabled: true}, defaultRules: {disabled: {KubeProxyDown: true}}}", False),
        ("{kubeProxy: {enabled: true}, defaultRules: {create: false}}", False),
        ("{kubeProxy: {enabled: false}}", False),
    ],
)
def test_an_alert_fires_only_where_the_chart_has_it(values: str, said: bool) -> None:
    """And where nothing says where the component listens."""
    quiet = "kubeControllerManager: {enabled: false}, kubeScheduler: {enabled: false}, "
    stack = release("monitoring/kps", "kube-prometheus-stack", "75.6.0", f", values: {values.replace('{', '{' + quiet, 1)}")
    told = [one for one in found(kept(obj("Namespace", "monitoring")), kept(stack)) if one.id == "monitoring/always-firing"]
    assert bool(told) is said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("Host(`a.test`)", False),
        ("Host(`a.test`) && PathPrefix(`/x`)", False),
        ("Host(`a.test`, `b.test`)", True),
        ("HostRegexp(`{name:[a-z]+}.a.test`)", True),
        ("HostRegexp(`^[a-z]{2}[.]a[.]test$`)", False),
        ("HeadersRegexp(`X`, `y`)", True),
        ("Header(`X`, `y`)", False),
    ],
)
def test_rules_of_traefik_2_are_told_from_those_of_3(rule: str, said: bool) -> None:
    """By what Traefik's migration guide names."""
    spec = f"spec: {{routes: [{{kind: Rule, match: '{rule}', services: []}}]}}"
    route = obj("IngressRoute", "web/site", spec, "traefik.io/v1alpha1")
    assert ("ingress/traefik-2-rule" in ids(found(WEB, route))) is said
    assert "ingress/traefik-2-rule" not in ids(found(WEB, route.replace("kind: Rule", "kind: Rule, syntax: v2")))
    assert "ingress/traefik-2-rule" not in ids(found(WEB, route, platform=None))
