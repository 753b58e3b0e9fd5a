"""An application's namespace, and what surrounds the application in it: bounds, network policies and who may look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fluxstead.core.manifest import KEEP
from fluxstead.core.platform import Platform
from fluxstead.core.pod_security import pod_security
from fluxstead.core.quantity import Quantity
from fluxstead.systems.applications.instance import Instance, times
from fluxstead.systems.applications.settings import Peer
from fluxstead.tree.asks import ControllerPods


def namespace(instance: Instance, platform: Platform) -> dict[str, Any]:
    """The namespace, which admits only pods of the restricted Pod Security Standard. It stays, with what Flux acts as in it."""
    metadata = {"name": instance.name, "labels": pod_security("restricted", platform), "annotations": dict(KEEP)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def bounds(instance: Instance) -> Iterator[dict[str, Any]]:
    """The quota of the namespace, and the defaults for containers there that set nothing.

    The quota counts every pod twice: in a rollout the old pods count until they are gone (Kubernetes: pkg/quota/v1/evaluator/core/
    pods.go). It follows from what the pods ask for, so it never stops what the description allows.
    """
    limits, asked = instance.resources.most, instance.resources.asked
    # Kubernetes uses the limit where the request is missing, and the quota counts it.
    requests = asked | {name: limit for name, limit in limits.items() if name not in asked}
    pods = 2 * max(instance.most, 1)
    yield {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": instance.app.name, "namespace": instance.name},
        "spec": {
            "hard": {
                "pods": str(pods),
                **{f"requests.{name}": times(quantity, pods) for name, quantity in requests.items()},
                **{f"limits.{name}": times(quantity, pods) for name, quantity in limits.items()},
            }
        },
    }
    yield {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": instance.app.name, "namespace": instance.name},
        "spec": {"limits": [{"type": "Container", "default": _texts(limits), "defaultRequest": _texts(requests)}]},
    }


def _texts(amounts: Mapping[str, Quantity]) -> dict[str, str]:
    return {name: str(quantity) for name, quantity in amounts.items()}


def network_policies(
    instance: Instance, platform: Platform, controller: ControllerPods | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nothing in or out; then what is let through: DNS, the ingress controller where there is a route, and what is declared."""
    app, environment = instance.app, instance.environment
    ingress = [_rule("from", peer, app.port) for peer in (*app.allow.ingress, *environment.allow.ingress)]
    if controller and environment.route and app.port:
        ingress.insert(0, {"from": [_pods_of(*controller)], "ports": [{"port": app.port, "protocol": "TCP"}]})
    egress = [_rule("to", peer) for peer in (*app.allow.egress, *environment.allow.egress)]
    return (
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default-deny", "namespace": instance.name},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": app.name, "namespace": instance.name},
            "spec": {
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": app.name}},
                "policyTypes": ["Ingress", "Egress"],
                **({"ingress": ingress} if ingress else {}),
                "egress": [_dns(platform), *egress],
            },
        },
    )


def _rule(direction: str, peer: Peer, own_port: int | None = None) -> dict[str, Any]:
    network = str(peer.cidr) if peer.cidr else None
    rule: dict[str, Any] = {
        direction: [_pods_of(peer.namespace)] if peer.namespace is not None else [{"ipBlock": {"cidr": network}}]
    }
    ports: Sequence[int] = peer.ports or ([own_port] if own_port else [])
    if ports:
        rule["ports"] = [{"port": port, "protocol": peer.protocol} for port in ports]
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
