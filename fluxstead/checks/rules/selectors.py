"""What NetworkPolicies select, the pods that they guard, and those that they let through (failure U9); and what workloads select.

A NetworkPolicy that selects no pod is no error to Kubernetes (NetworkPolicy API, `podSelector`): the policy guards nothing,
or lets nobody in, silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.catalog.kinds import pod_in
from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.pods import CONTROLLERS_OWN, Pod
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with, texts_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.network import IpNetwork
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import entries_of, mapping

NOT_ITS_OWN_PODS = refuses(
    "references/not-its-own-pods", "U9", "Deployment web/site selects pods with app=sit, which its template does not have"
)
PEER_NOWHERE = warns(
    "references/peer-nowhere", "U9", "NetworkPolicy web/site lets out to namespace databses, which nothing in the tree makes"
)
POLICY_SELECTS_NOTHING = warns(
    "references/policy-selects-nothing",
    "U9",
    "NetworkPolicy web/site guards pods with app=sit, which no pod in namespace web has",
)

_OF_KUBERNETES = frozenset({*NAMESPACES, FLUX_NAMESPACE})
_NAME = "kubernetes.io/metadata.name"


def policies(context: CheckContext) -> Iterator[Finding]:
    """Selectors of NetworkPolicies that match no pod in a namespace whose pods are all in the tree."""
    tree = context.tree
    if tree.partial:
        return
    for item in tree.of("NetworkPolicy"):
        if not (item.is_final and item.ref.group == "networking.k8s.io"):
            continue
        for namespace, selector, role in _selectors(item):
            # Pods of charts, of k3s, and those that somebody is trying out.
            unknown = namespace in context.opaque_namespaces or namespace in {"default", ""} or not _known(selector)
            unknown = unknown or not context.pods.have_their_labels(namespace)
            if unknown or any(matches(selector, pod.labels) for pod in _candidates(context, namespace, selector)):
                continue
            yield POLICY_SELECTS_NOTHING(
                line_with(tree.store, item.document, "podSelector"),
                what=f"{item} {role} pods with {_text(selector)}, which no pod in namespace {namespace} has",
                why="Kubernetes says nothing, and the policy does not do what it is there for",
                fix="labels that the pods' template has, or podSelector: {} for every pod",
            )


def peers(context: CheckContext) -> Iterator[Finding]:
    """Peers of NetworkPolicies that are nowhere: namespaces that nothing makes, and addresses of Services."""
    tree = context.tree
    known = {item.ref.namespace for item in tree.objects} | {item.ref.name for item in tree.of("Namespace")}
    known |= {str(item.spec.get("targetNamespace")) for item in tree.of("HelmRelease", "HelmChart", "Kustomization")}
    services = context.networks.get("serviceCidr", ())
    for item in () if tree.partial else tree.of("NetworkPolicy"):
        if not item.is_final or "${" in str(item.spec):
            continue
        for peer, role in _peers(item):
            name = mapping(mapping(peer, "namespaceSelector"), "matchLabels").get(_NAME)
            if isinstance(name, str) and name not in known and name not in _OF_KUBERNETES:
                yield PEER_NOWHERE(
                    line_with(tree.store, item.document, name),
                    what=f"{item} {role} namespace {name}, which nothing in the tree makes",
                    why="Kubernetes says nothing, and whoever was meant is cut off",
                    fix=nearest(name, known - {""}) or f"a Namespace {name}, or the namespace that is meant",
                )
            network = _network(mapping(peer, "ipBlock").get("cidr"))
            if role == "lets out to" and network and any(_inside(network, one) for one in services):
                yield PEER_NOWHERE(
                    line_with(tree.store, item.document, str(network)),
                    what=f"{item} lets out to {network}, which are addresses of Services",
                    why="policies see a connection after it got the address of a pod, so none is ever let through by it",
                    fix="the namespace of the Service's pods as the peer",
                )


def _network(text: object) -> IpNetwork | None:
    try:
        return ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def _inside(network: IpNetwork, services: IpNetwork) -> bool:
    return network.prefixlen >= services.prefixlen and network.network_address in services  # never of another family


def _candidates(context: CheckContext, namespace: str, selector: Mapping[str, Any]) -> list[Pod]:
    return context.pods.with_labels(namespace, mapping(selector, "matchLabels"))


def workloads(context: CheckContext) -> Iterator[Finding]:
    """Workloads that do not select the pods of their own template."""
    for item in context.tree.of("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        selector, pod = mapping(item.spec, "selector"), pod_in(item.object)
        labels = dict(mapping(mapping(pod or {}, "metadata"), "labels"))
        if item.is_final and selector and "${" not in f"{selector}{labels}" and not matches(selector, labels):
            yield NOT_ITS_OWN_PODS(
                line_with(context.tree.store, item.document, "selector"),
                what=f"{item} selects pods with {_text(selector)}, which its template does not have",
                why="the API server refuses it, and its layer never becomes ready",
                fix="a selector with labels that the template has",
            )


def _selectors(item: AppliedObject) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Each pod selector with the one namespace that it looks into, and what it is for."""
    yield item.ref.namespace, mapping(item.spec, "podSelector"), "guards"
    for peer, role in _peers(item):
        namespaces = mapping(mapping(peer, "namespaceSelector"), "matchLabels")
        inside = item.ref.namespace if "namespaceSelector" not in peer else str(namespaces.get(_NAME, ""))
        yield inside, mapping(peer, "podSelector"), role


def _peers(item: AppliedObject) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Whom a policy lets in and out to, and which of the two."""
    for rules, ends, role in (("ingress", "from", "lets in"), ("egress", "to", "lets out to")):
        for rule in entries_of(item.spec, rules):
            yield from ((peer, role) for peer in entries_of(rule, ends))


def _known(selector: Mapping[str, Any]) -> bool:
    """Whether it asks for something, and only for labels that templates carry."""
    keys = [*mapping(selector, "matchLabels"), *(str(one.get("key")) for one in entries_of(selector, "matchExpressions"))]
    return bool(keys) and "${" not in str(selector) and not any(key.startswith(CONTROLLERS_OWN) for key in keys)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """As a LabelSelector of Kubernetes: all of matchLabels and of matchExpressions."""
    fixed = mapping(selector, "matchLabels").items() <= labels.items()
    return fixed and all(_holds(one, labels) for one in entries_of(selector, "matchExpressions"))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(str(expression.get("key"))), texts_of(expression, "values")
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return True


def _text(selector: Mapping[str, Any]) -> str:
    parts = [f"{key}={value}" for key, value in mapping(selector, "matchLabels").items()]
    parts += [
        f"{one.get('key')} {one.get('operator')} {', '.join(texts_of(one, 'values'))}".strip()
        for one in entries_of(selector, "matchExpressions")
    ]
    return ", ".join(parts)


RULES = (
    Rule(workloads, (NOT_ITS_OWN_PODS,)),
    Rule(policies, (POLICY_SELECTS_NOTHING,)),
    Rule(peers, (PEER_NOWHERE,)),
)
