"""Load balancers under k3s's servicelb: its pods take each port of such a Service on the nodes themselves (failure F7)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.brings.k3s import LOAD_BALANCERS, OF_THE_NODES
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree, labels_of
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import entries_of
from fluxstead.nodes.model import SSH_PORT

LOAD_BALANCER_PORT = refuses(
    "ownership/load-balancer-port", "F7", "Service web/site asks servicelb for port 80 of the nodes, which k3s's own has"
)

NO_LOAD_BALANCER = warns(
    "ownership/no-load-balancer", "F21", "Service web/site is a LoadBalancer, and nothing here gives it an address"
)

_OTHER_TYPES = "type: NodePort, or ClusterIP behind the ingress controller"
_POOL = "svccontroller.k3s.cattle.io/lbpool"


def ports(context: CheckContext) -> Iterator[Finding]:
    """Each port once, those of k3s, of its packaged components and of sshd included.

    Node pools, and load balancers of another class, are left alone.
    """
    tree, platform = context.tree, context.platform
    if (
        platform is None
        or "servicelb" in platform.disabled
        or any(context.facts.chart(tree, one).gives_addresses for one in tree.of("HelmRelease"))
    ):
        return
    logins = {node.ssh.port for node in context.nodes} or {SSH_PORT}
    owners = {**OF_THE_NODES, **{("TCP", port): "sshd" for port in logins}}
    held = set(owners)
    for component, taken in LOAD_BALANCERS.items():
        if component not in platform.disabled and not _moved(tree, component):
            owners |= {("TCP", port): f"k3s's {component.capitalize()}" for port in taken}
    for item in tree.of("Service"):
        if not _balanced(item):
            continue
        for entry in entries_of(item.spec, "ports"):
            port, protocol = entry.get("port"), str(entry.get("protocol", "TCP"))
            first = owners.setdefault((protocol, port), str(item)) if isinstance(port, int) else str(item)
            if first != str(item):
                yield LOAD_BALANCER_PORT(
                    line_with(tree.store, item.document, str(port)),
                    what=f"{item} asks servicelb for port {port} of the nodes, which {first} has",
                    why="kube-proxy would send to its pods what is for the machine itself, and cut people off from it"
                    if (protocol, port) in held
                    else "the pods of the second one stay pending, and it never gets an address",
                    fix="nodePorts: in place of loadBalancer, or another port"
                    if item.document.generated
                    else "another port, or type: ClusterIP behind the ingress controller",
                )


def _balanced(item: AppliedObject) -> bool:
    pooled = _POOL in labels_of(item)
    return item.is_final and item.spec.get("type") == "LoadBalancer" and "loadBalancerClass" not in item.spec and not pooled


def _moved(tree: AppliedTree, component: str) -> bool:
    """Whether a packaged component is configured to take other ports, or not to be a load balancer."""
    texts = [str(item.spec.get("valuesContent")) for item in tree.of("HelmChartConfig") if item.ref.name == component]
    return any(word in text for text in texts for word in ("exposedPort", "NodePort", "ClusterIP", "loadBalancerClass"))


def addresses(context: CheckContext) -> Iterator[Finding]:
    """Load balancers where servicelb is switched off, and nothing in the tree takes its place."""
    tree, platform = context.tree, context.platform
    if platform is None or "servicelb" not in platform.disabled or tree.partial or _has_another(context):
        return
    for item in tree.of("Service"):
        if _balanced(item):
            yield NO_LOAD_BALANCER(
                line_with(tree.store, item.document, "LoadBalancer"),
                what=f"{item} is a LoadBalancer, and nothing here gives it an address",
                why="k3s's servicelb is disabled: its address stays pending, and nobody reaches it from outside",
                fix=("nodePorts: in place of loadBalancer" if item.document.generated else _OTHER_TYPES)
                + "; or kubernetes.disable without servicelb",
            )


def _has_another(context: CheckContext) -> bool:
    """Whether a release, or what somebody wrote of such a chart, may give addresses."""
    tree, givers = context.tree, context.facts.charts.address_givers
    if any(context.facts.chart(tree, one).gives_addresses for one in tree.of("HelmRelease", "HelmChart")):
        return True
    places = {text for item in tree.of("DaemonSet", "Deployment", "Namespace") for text in (item.ref.name, item.ref.namespace)}
    pools = any(kind.endswith(("IPAddressPool", "IPPool")) for kind in tree.by_kind)
    return pools or any(place.startswith(giver) for place in places for giver in givers)


RULES = (Rule(ports, (LOAD_BALANCER_PORT,)), Rule(addresses, (NO_LOAD_BALANCER,)))
