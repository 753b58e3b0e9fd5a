"""What NetworkPolicies select, the pods that they guard, and those that they let through (failure U9); and what workloads select.

A NetworkPolicy that selects no pod is no error to Kubernetes (NetworkPolicy API, `podSelector`): the policy guards nothing,
or lets nobody in, silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.kinds import pod_in
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.pods import CONTROLLERS_OWN, Pod
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import entries_of, line_with, texts_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import mapping

NOT_ITS_OWN_PODS = refuses(
    "references/not-its-own-pods", "U9", "Deployment web/site selects pods with app=sit, which its template does not have"
)
POLICY_SELECTS_NOTHING = warns(
    "references/policy-selects-nothing",
    "U9",
    "NetworkPolicy web/site guards pods with app=sit, which no pod in namespace web has",
)

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
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        for rule in entries_of(item.spec, rules):
            for peer in entries_of(rule, peers):
                namespaces = mapping(mapping(peer, "namespaceSelector"), "matchLabels")
                inside = item.ref.namespace if "namespaceSelector" not in peer else str(namespaces.get(_NAME, ""))
                yield inside, mapping(peer, "podSelector"), "lets in" if rules == "ingress" else "lets out to"


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
)
