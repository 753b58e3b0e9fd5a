"""Whether any described machine takes a pod: the names and labels that it asks for, and the taints that keep it away (F18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.pods import Pod
from fluxstead.checks.reading.store import line_with, texts_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, counted
from fluxstead.core.shape import entries_of, mapping
from fluxstead.nodes.model import Node, Taint

ALL_TAINTED = warns("placement/all-tainted", "F18", "every machine keeps pods away", "the description")
NO_SUCH_LABEL = warns(
    "placement/missing-label", "F10", "Deployment web/site asks for machines with disk=ssd, and none is described with it"
)
NO_SUCH_NODE = refuses("placement/missing-node", "F18", "Deployment web/site asks for the machine k3s9, which is not described")
NONE_LEFT = refuses(
    "placement/none-left",
    "F18",
    "Deployment web/site asks for gpu=yes, and k3s2, which has it, keeps its pods away by gpu:NoSchedule",
)
NOWHERE = refuses("placement/nowhere", "F18", "every machine keeps 2 workloads away: Deployment web/site and 1 more")
NOWHERE_YET = warns("placement/nowhere-yet", "F18", "until k3s2 joins, every machine keeps Deployment web/site away")

_HOST = "kubernetes.io/hostname"
_BY_OTHERS = ("kubernetes.io/", "k8s.io/", "topology.", "feature.node.", "nvidia.com/", "k3s.io/")
"""Prefixes of labels that kubelets, k3s and hardware discovery give to nodes, whatever the description says."""


def machines(context: CheckContext) -> Iterator[Finding]:
    """Machines that pods name, and labels of machines that no described one has."""
    if not context.nodes:
        return
    names = [node.name for node in context.nodes]
    labels = {label for node in context.nodes for label in node.labels.items()}
    for pod in _pods(context):
        spec = mapping(pod.template, "spec")
        for name in _named(spec):
            if name not in names:
                yield NO_SUCH_NODE(
                    line_with(context.tree.store, pod.item.document, name),
                    what=f"{pod.item} asks for the machine {name}, which is not described",
                    why="no other machine may run its pods, and they stay pending",
                    fix=nearest(name, names) or f"one of {', '.join(names)}, or a file nodes/{name}.yaml",
                )
        for key, value in mapping(spec, "nodeSelector").items():
            if not isinstance(value, str) or (key, value) in labels:
                continue  # what is no text, the schema tells
            if not any(own in key for own in _BY_OTHERS):
                yield NO_SUCH_LABEL(
                    line_with(context.tree.store, pod.item.document, f"{key}:"),
                    what=f"{pod.item} asks for machines with {key}={value}, and none is described with it",
                    why="unless somebody labels one by hand, its pods stay pending",
                    fix=f"labels: {{{key}: {value}}} in the file of a machine, or another nodeSelector",
                )


def chosen(context: CheckContext) -> Iterator[Finding]:
    """Pods that choose machines by labels which no machine has together, or only those that keep them away."""
    labels = {label for node in context.nodes for label in _labels(node).items()}
    for pod in _pods(context) if context.nodes else ():
        selector = mapping(mapping(pod.template, "spec"), "nodeSelector")
        asked = [(key, value) for key, value in selector.items() if key == _HOST or not any(own in key for own in _BY_OTHERS)]
        # What no machine has is told above, and what every machine keeps away, below.
        if not asked or not all(isinstance(value, str) and (key, value) in labels for key, value in asked):
            continue
        if pod.item.ref.kind == "DaemonSet" or not _taken(pod, context.nodes):
            continue
        fitting = [node for node in context.nodes if _labels(node).items() >= set(asked)]
        if not _taken(pod, fitting):
            yield _none_left(context, pod, asked, fitting)


def _labels(node: Node) -> dict[str, str]:
    return {**node.labels, _HOST: node.name}


def _none_left(context: CheckContext, pod: Pod, asked: Sequence[tuple[str, str]], fitting: Sequence[Node]) -> Finding:
    wanted = " and ".join(f"{key}={value}" for key, value in asked)
    taint = next((str(taint) for node in fitting for taint in node.taints if taint.repels), "")
    away = f"{', '.join(node.name for node in fitting)}, which has it, keeps its pods away by {taint}"
    return NONE_LEFT(
        line_with(context.tree.store, pod.item.document, f"{asked[0][0]}:"),
        what=f"{pod.item} asks for {wanted}, and {away if fitting else 'no machine has them together'}",
        why="no other machine may run its pods, and they stay pending",
        fix=f"tolerations of {taint}; or a machine with that label, without the taint"
        if fitting
        else "labels that one machine has",
    )


def taints(context: CheckContext) -> Iterator[Finding]:
    """Taints by which every machine keeps pods away."""
    here = [node for node in context.nodes if node.state == "live"]
    if not here or not all(any(taint.repels for taint in node.taints) for node in here):
        return
    place = next(node.source_of("taints") for node in here)
    away = [pod for pod in _pods(context) if pod.item.ref.kind != "DaemonSet" and not _taken(pod, here)]
    coming = [node for node in context.nodes if node.state == "planned"]
    never = [pod for pod in away if not _taken(pod, coming)]
    if never:
        yield NOWHERE(
            place,
            what=f"every machine keeps {_counted(never)}",
            why="their pods do not tolerate the taints of any, and stay pending",
            fix="a machine without such a taint; or tolerations in your own manifests",
        )
    elif away:
        yield NOWHERE_YET(
            place,
            what=f"until {coming[0].name} joins, every machine keeps {_counted(away)}",
            why="their pods do not tolerate the taints of those that are live, and stay pending",
            fix=f"no taint that repels until {coming[0].name} is live; taints are given when a node registers",
        )
    else:
        yield ALL_TAINTED(
            place,
            what="every machine keeps pods away that do not tolerate its taints",
            why="Flux's own controllers, and charts without tolerations, have nowhere to run",
            fix="a machine without such a taint; or `flux bootstrap --toleration-keys`, and tolerations in every chart's values",
        )


def _pods(context: CheckContext) -> Iterator[Pod]:
    """Those that are to run, of what will be applied as it is written."""
    for pod in context.pods:
        if pod.item.is_final and pod.item.spec.get("replicas") != 0 and "${" not in str(pod.template):
            yield pod


def _named(spec: Mapping[str, Any]) -> list[str]:
    """The machines to which a pod is bound, where one of them has to be it."""
    bound = [spec.get("nodeName"), mapping(spec, "nodeSelector").get(_HOST)]
    required = mapping(mapping(spec, "affinity"), "nodeAffinity").get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = entries_of(required, "nodeSelectorTerms") if isinstance(required, Mapping) else []
    if len(terms) == 1:  # any of several is enough
        asked = [*entries_of(terms[0], "matchExpressions"), *entries_of(terms[0], "matchFields")]
        hosts = [one for one in asked if one.get("key") in (_HOST, "metadata.name") and one.get("operator") == "In"]
        bound += [name for one in hosts for name in texts_of(one, "values") if len(texts_of(one, "values")) == 1]
    return list(dict.fromkeys(name for name in bound if isinstance(name, str) and name))


def _taken(pod: Pod, nodes: Sequence[Node]) -> bool:
    """Whether one of the machines takes the pod, as far as its taints go."""
    tolerations = entries_of(mapping(pod.template, "spec"), "tolerations")
    return any(all(_tolerated(taint, tolerations) for taint in node.taints if taint.repels) for node in nodes)


def _tolerated(taint: Taint, tolerations: Sequence[Mapping[str, Any]]) -> bool:
    """As the scheduler decides it (kubernetes: staging/src/k8s.io/api/core/v1/toleration.go, ToleratesTaint)."""
    return any(
        one.get("effect", taint.effect) in (taint.effect, "")
        and (one.get("key") or taint.key) == taint.key
        and (one.get("operator") == "Exists" or str(one.get("value", "")) == taint.value)
        for one in tolerations
    )


def _counted(pods: Sequence[Pod]) -> str:
    others = len(pods) - 1
    first = str(pods[0].item.ref)
    return f"{counted(len(pods), 'workload')} away: {first} and {others} more" if others else f"{first} away"


RULES = (
    Rule(machines, (NO_SUCH_NODE, NO_SUCH_LABEL)),
    Rule(chosen, (NONE_LEFT,)),
    Rule(taints, (ALL_TAINTED, NOWHERE, NOWHERE_YET)),
)
