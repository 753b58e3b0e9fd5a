"""An application's namespace, and what surrounds the application in it: bounds, network policies and who may look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any, NamedTuple

from fluxstead.core.manifest import KEEP
from fluxstead.core.network import IpAddress
from fluxstead.core.platform import Platform
from fluxstead.core.pod_security import pod_security
from fluxstead.core.quantity import Quantity
from fluxstead.systems.applications.instance import Instance, times
from fluxstead.systems.applications.settings import Application, Peer
from fluxstead.tree.asks import CollectorPods, ControllerPods


def namespace(instance: Instance, platform: Platform) -> dict[str, Any]:
    """The namespace, which admits only pods of the strictest Pod Security Standard that its own keep to.

    It stays, with what Flux acts as in it.
    """
    labels = pod_security(instance.pod_security, platform)
    metadata = {"name": instance.name, "labels": labels, "annotations": dict(KEEP)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


_LARGER = 4
"""Times the described limits: the most that a pod may have. The version before may have had larger pods, and they have to come back
when their machine goes while the new version does not start."""


def bounds(instance: Instance) -> Iterator[dict[str, Any]]:
    """The quota of the namespace, what one pod there may have at most, and the defaults for containers that set nothing.

    The quota counts pods and no amounts. The bounds change before the application does, and with `maxUnavailable: 0` a rollout
    begins with one more pod: if a sum of amounts went down, the old pods alone would exceed it, and it would never begin. It counts
    each pod twice: in a rollout the old pods count until they are gone (Kubernetes: pkg/quota/v1/evaluator/core/pods.go). If
    their number goes down, the Deployment first takes away what is too many (pkg/controller/deployment/sync.go, `scale`).
    """
    limits, asked = instance.resources.most, instance.resources.asked
    # Kubernetes uses the limit where the request is missing.
    requests = asked | {name: limit for name, limit in limits.items() if name not in asked}
    metadata = {"name": instance.app.name, "namespace": instance.name}
    yield {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata,
        "spec": {"hard": {"pods": str(2 * max(instance.most, 1))}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": dict(metadata),
        "spec": {
            "limits": [
                {"type": "Container", "default": _texts(limits), "defaultRequest": _texts(requests)},
                {"type": "Pod", "max": {name: times(limit, _LARGER) for name, limit in limits.items()}},
            ]
        },
    }


def _texts(amounts: Mapping[str, Quantity]) -> dict[str, str]:
    return {name: str(quantity) for name, quantity in amounts.items()}


class Others(NamedTuple):
    """Who else is at the other end: the ingress controllers' pods where there is a route, the collector's where there are metrics.

    `api_servers`: where the API server answers, for those that may call it.
    """

    controllers: tuple[ControllerPods, ...]
    collector: CollectorPods | None
    api_servers: tuple[IpAddress, ...] = ()


_API_SERVER_PORT = 6443
"""k3s's own; policies apply after kube-proxy has put it in the place of the Service's (kubernetes.default.svc:443)."""


def network_policies(instance: Instance, platform: Platform, others: Others) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nothing in or out; then what is let through: DNS, the pods of others that have a reason, and what is declared.

    A chart's stay as long as its release, which Flux does not delete: it would go on running with everything let in and out.
    """
    app, environment = instance.app, instance.environment
    ingress = [_rule("from", peer, app) for peer in (*app.allow.ingress, *environment.allow.ingress)]
    if others.collector and instance.metrics_port:
        ingress.append({"from": [_pods_of(*others.collector)], "ports": [{"port": instance.metrics_port, "protocol": "TCP"}]})
    if others.controllers and environment.route and app.port:
        # A chart's pods may listen on other ports than its Service.
        ports = {} if app.chart else {"ports": [{"port": app.port, "protocol": "TCP"}]}
        ingress.insert(0, {"from": [_pods_of(*one) for one in others.controllers], **ports})
    egress = [_rule("to", peer) for peer in (*app.allow.egress, *environment.allow.egress)]
    if others.api_servers and (app.allow.api_server or environment.allow.api_server):
        blocks = [{"ipBlock": {"cidr": str(ip_network(address))}} for address in others.api_servers]
        egress.append({"to": blocks, "ports": [{"port": _API_SERVER_PORT, "protocol": "TCP"}]})
    if app.chart:
        # Which of its pods talk to one another is the chart's affair.
        ingress.insert(0, {"from": [{"podSelector": {}}]})
        egress.insert(0, {"to": [{"podSelector": {}}]})
    kept = {"annotations": dict(KEEP)} if app.chart else {}
    return (
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default-deny", "namespace": instance.name, **kept},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": app.name, "namespace": instance.name, **kept},
            "spec": {
                "podSelector": {} if app.chart else {"matchLabels": {"app.kubernetes.io/name": app.name}},
                "policyTypes": ["Ingress", "Egress"],
                **({"ingress": ingress} if ingress else {}),
                "egress": [_dns(platform), *egress],
            },
        },
    )


def _rule(direction: str, peer: Peer, own: Application | None = None) -> dict[str, Any]:
    """What one peer may do; without ports of its own, at every port of `own`."""
    network = str(peer.cidr) if peer.cidr else None
    rule: dict[str, Any] = {
        direction: [_pods_of(peer.namespace)] if peer.namespace is not None else [{"ipBlock": {"cidr": network}}]
    }
    ports = [(port, peer.protocol) for port in peer.ports]
    if own and not own.chart and not ports:
        ports = [*([(own.port, peer.protocol)] if own.port else []), *((one.port, one.protocol) for one in own.ports)]
    if ports:
        rule["ports"] = [{"port": port, "protocol": protocol} for port, protocol in ports]
    return rule


def _pods_of(namespace_name: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    selected = {"podSelector": {"matchLabels": dict(labels)}} if labels else {}
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace_name}}, **selected}


def _dns(platform: Platform) -> dict[str, Any]:
    """To k3s's CoreDNS, which policies match by its pods; with CoreDNS disabled, to whatever answers instead."""
    ports = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    if "coredns" in platform.disabled:
        return ports
    return {"to": [_pods_of("kube-system", {"k8s-app": "kube-dns"})], **ports}


def viewers(instance: Instance) -> Iterator[dict[str, Any]]:
    """The people who may view the namespace."""
    if instance.viewers:
        yield {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "viewers", "namespace": instance.name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": instance.viewers}],
        }
