"""Ownership: one owner for each object, release, route, port and default (failures F5, F7, F8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fluxstead.catalog.brings import Brings, k3s_brings
from fluxstead.catalog.brings.k3s import OF_THE_NODES
from fluxstead.catalog.ingress_classes import SHARING_CLASSES, SHARING_CONTROLLERS
from fluxstead.catalog.kinds import pod_in
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.in_values import objects_in_values
from fluxstead.checks.objects.ingress_class import ingress_class_of
from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.reading.applied_tree import HELM, PRUNE, AppliedObject, AppliedTree, annotation
from fluxstead.checks.reading.charts import helm_identity
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import entries_of, mapping

NODE_PORT_RANGE = refuses("ownership/node-port-range", "F7", "Service web/site asks for node port 8080")
PORT_TWICE = refuses("ownership/port-twice", "F7", "Service b/y asks for port 30080 of the nodes, which Service a/x has")
SAME_ROUTE = refuses("ownership/same-route", "F7", "Ingress a/x and Ingress b/y both answer dev.example.local/")
TWO_DEFAULTS = warns("ownership/two-defaults", "F5", "the cluster has 2 default StorageClass objects: local-path, fast")
TWO_RELEASES = refuses(
    "ownership/two-releases", "F5", "HelmRelease a/site installs the chart site, which a cluster can have only once, as …"
)
IN_COMMON = warns(
    "tree/in-common",
    "F8",
    "OCIRepository web/charts in components/charts/repository.yaml is applied by 5 Kustomizations: web/a, web/b, web/c, …",
)
TWO_OWNERS = refuses("tree/two-owners", "F8", "Namespace web in apps/web/namespace.yaml is already in apps/site/namespace.yaml:1")

_DEFAULT = {
    "StorageClass": "storageclass.kubernetes.io/is-default-class",
    "IngressClass": "ingressclass.kubernetes.io/is-default-class",
}
_HOLDS_OTHERS = frozenset({"CustomResourceDefinition", "HelmRelease", "Kustomization", "Namespace", "PersistentVolumeClaim"})
_NODE_PORTS = range(30000, 32768)


def objects(context: CheckContext) -> Iterator[Finding]:
    """One object, one Kustomization (F8); one finding for each two files, or Kustomizations, that share objects."""
    twice: dict[tuple[bool, tuple[object, ...]], list[tuple[AppliedObject, AppliedObject]]] = defaultdict(list)
    for ref, items in context.tree.by_ref.items():
        first = items[0]
        for item in items[1:]:
            if "${" in ref.name + ref.namespace or not (first.has_final_name and item.has_final_name) or _shared(first, item):
                continue
            common = _is_common(context.tree, first, item)
            owners = () if common else (first.kustomization.index, item.kustomization.index)
            twice[common, (first.document.path, item.document.path, *owners)].append((first, item))
    for (common, _), pairs in twice.items():
        yield _in_common(pairs) if common else _two_owners(pairs)


def _shared(one: AppliedObject, other: AppliedObject) -> bool:
    """Namespaces and the like that several Kustomizations name and none of them prunes."""
    return one.kustomization is not other.kustomization and annotation(one, PRUNE) == annotation(other, PRUNE) == "disabled"


def _is_common(tree: AppliedTree, one: AppliedObject, other: AppliedObject) -> bool:
    """Whether Kustomizations side by side apply the very same object from one file, as from a shared component.

    Each of them writes what the others wrote, and the next one brings back what one of them prunes; what holds data or other
    objects would come back empty.
    """
    same = one.document.path == other.document.path and one.object == other.object and one.ref.kind not in _HOLDS_OTHERS
    first, second = one.kustomization, other.kustomization
    beside = not (first is second or first.is_below(second) or second.is_below(first))
    return same and beside and tree.folder_of(first.spec) != tree.folder_of(second.spec)


def _two_owners(pairs: list[tuple[AppliedObject, AppliedObject]]) -> Finding:
    first, item = pairs[0]
    places = f"{first.document.path} ({first.source})" if first.document.generated else str(first.source)
    same = first.source == item.source
    beside = first.kustomization is not item.kustomization
    return TWO_OWNERS(
        item.source,
        what=f"{item.ref} in {item.document.path}{_and_more(pairs)} is "
        + (f"applied by {first.kustomization.ref} and by {item.kustomization.ref}" if same and beside else f"already in {places}"),
        why="two Kustomizations would take it from each other at every reconciliation, and prune it (F8)"
        if beside
        else "kustomize refuses an object that it finds twice, and nothing in the layer is applied (F8)",
        fix="a kustomization.yaml in the upper directory, which lists what is not the lower one's"
        if same and (item.kustomization is first.kustomization or item.kustomization.is_below(first.kustomization))
        else "another name here, or only one of the two",
    )


def _in_common(pairs: list[tuple[AppliedObject, AppliedObject]]) -> Finding:
    first, item = pairs[0]
    owners = sorted({one.kustomization.ref.qualified_name for one in (first, *(other for _, other in pairs))})
    return IN_COMMON(
        item.source,
        what=f"{item.ref} in {item.document.path}{_and_more(pairs)} is applied by {len(owners)} Kustomizations:"
        f" {', '.join(owners[:3])}{', …' if len(owners) > 3 else ''}",  # noqa: PLR2004 -- enough to find the others
        why="they take it from each other at every reconciliation; when one of them goes, it is gone until another one runs (F8)",
        fix="one Kustomization for it, on which the others depend",
    )


def _and_more(pairs: list[tuple[AppliedObject, AppliedObject]]) -> str:
    others = len({item.ref for _, item in pairs}) - 1
    return f" (and {others} more of this file)" if others else ""


def releases(context: CheckContext) -> Iterator[Finding]:
    """One HelmRelease for each release name, and for each chart that a cluster can have only once (F5)."""
    names: dict[tuple[str, str], AppliedObject] = {}
    charts: dict[str, AppliedObject] = {}
    for item in context.tree.of("HelmRelease"):
        if item.ref.group != HELM or "${" in str(item.ref):
            continue
        helm = helm_identity(item)
        # Where Helm stores the release, and where the release's objects are: two releases can share neither.
        for place in dict.fromkeys((helm.history, helm.namespace)):
            first = names.setdefault((place, helm.name), item)
            if first.ref != item.ref:
                yield _two(item, first, f"the Helm release {place}/{helm.name}")
                break
        chart = context.facts.chart(context.tree, item)
        if chart.single:
            first = charts.setdefault(chart.name, item)
            if first.ref != item.ref:
                yield _two(item, first, f"the chart {chart.name}, which a cluster can have only once")


def _two(item: AppliedObject, first: AppliedObject, what: str) -> Finding:
    return TWO_RELEASES(
        item.source,
        what=f"{item} installs {what}, as {first} does at {first.source}",
        why="they keep upgrading each other's objects (F5)",
        fix="one HelmRelease",
    )


def routes(context: CheckContext) -> Iterator[Finding]:
    """One Ingress for each host and path of a class (F7), those that charts make from their values included.

    A request to the path itself goes to the exact one, and what is below it to the prefix (Ingress API, `pathType`).
    """
    owners: dict[tuple[str, str, str, bool], AppliedObject] = {}
    for item, controller, host, path, exact, place in (*_written_routes(context), *_routes_of_charts(context)):
        route = (controller, host, _meant(path), exact)
        if route[2].endswith("$"):
            continue
        first = owners.setdefault(route, item)
        if first is item or first.ref == item.ref or "${" in host + route[2]:
            continue
        yield SAME_ROUTE(
            place,
            what=f"{item} and {first}, described at {first.source}, both answer {host}{route[2]}",
            why="the controller picks one of the two, and not always the same one (F7)",
            fix="another host or another path for one of them",
        )


_Route = tuple[AppliedObject, str, str, str, bool, Source]
"""Who has it, the class of controllers, host and path, whether the path is exact, and where that is written."""


def _written_routes(context: CheckContext) -> Iterator[_Route]:
    shared = _at_one_address(context.tree)
    for item, known in _ingresses(context):
        controller = ingress_class_of(item)
        if not item.is_final or any(annotation(item, copy) == "true" for copy in context.facts.copies):
            continue
        for rule in entries_of(item.spec, "rules"):
            host = str(rule.get("host") or "*")
            if host == "*" and controller not in shared:
                continue
            for entry in entries_of(mapping(rule, "http"), "paths"):
                path = str(entry.get("path") or "/")
                word = host if host != "*" else _meant(path)
                yield (
                    item,
                    controller,
                    host,
                    path,
                    entry.get("pathType") == "Exact",
                    known or line_with(context.tree.store, item.document, word),
                )


def _ingresses(context: CheckContext) -> Iterator[tuple[AppliedObject, Source | None]]:
    """Those of the tree, and whole ones among a chart's values, with the place of these."""
    yield from ((item, None) for item in context.tree.of("Ingress"))
    for one in context.chart_values:
        for item, key in objects_in_values(one) if one.item.is_final else ():
            if item.ref.kind == "Ingress":
                yield item, context.place_of(one, key)


def _routes_of_charts(context: CheckContext) -> Iterator[_Route]:
    """Where the values are of the form that most charts have: `ingress: {enabled: true, hosts: [{host, paths: [{path}]}]}`.

    What stands otherwise is left alone: another key may add to a host or a path that is not written out here.
    """
    for one in context.chart_values:
        settings = mapping(one.values, "ingress")
        if settings.get("enabled") is not True or not one.item.is_final:
            continue
        controller = str(settings.get("className") or settings.get("ingressClassName") or "")
        for rule in entries_of(settings, "hosts"):
            for entry in entries_of(rule, "paths"):
                host, path = rule.get("host"), entry.get("path")
                if isinstance(host, str) and isinstance(path, str) and "{{" not in host + path:
                    yield (
                        one.item,
                        controller,
                        host,
                        path,
                        entry.get("pathType") == "Exact",
                        context.place_of(one, "ingress", "hosts", "host"),
                    )


def _at_one_address(tree: AppliedTree) -> set[str]:
    """The classes whose Ingresses without a host all answer at one address; other controllers give each Ingress its own."""
    made = {item.ref.name for item in tree.of("IngressClass") if item.spec.get("controller") in tuple(SHARING_CONTROLLERS)}
    return {"", *SHARING_CLASSES, *made}


def _meant(path: str) -> str:
    """A path as a person means it, where a controller strips it by a pattern: `/ui/(.*)` is `/ui`. `/ui$` only redirects."""
    for pattern in ("/(.*)", "(/|$)(.*)", "(.*)"):
        if path.endswith(pattern):
            return path.removesuffix(pattern).replace("[.]", ".") or "/"
    return path.rstrip("/") or "/"


def ports(context: CheckContext) -> Iterator[Finding]:
    """Ports on the nodes: node ports once and in range, host ports once and not k3s's own."""
    owners = dict(OF_THE_NODES)
    for item, port, protocol, on_nodes in _claimed(context):
        if on_nodes and port not in _NODE_PORTS:
            yield NODE_PORT_RANGE(
                line_with(context.tree.store, item.document, str(port)),
                what=f"{item} asks for node port {port}",
                why="the API server only allocates 30000 to 32767, and refuses the object",
                fix="a port from 30000 to 32767",
            )
        first = owners.setdefault((protocol, port), str(item))
        if first != str(item):
            yield PORT_TWICE(
                line_with(context.tree.store, item.document, str(port)),
                what=f"{item} asks for port {port} of the nodes, which {first} has",
                why="the second one is refused, or its pods stay pending",
                fix="another port",
            )


def _claimed(context: CheckContext) -> Iterator[tuple[AppliedObject, int, str, bool]]:
    tree = context.tree
    for item in tree.of("Service"):
        for port in entries_of(item.spec, "ports"):
            if isinstance(port.get("nodePort"), int):
                yield item, port["nodePort"], str(port.get("protocol", "TCP")), True
    for one in context.chart_values:
        yield from ((one.item, port, "TCP", True) for port in _node_ports_in(one.values))
    for item in tree.of("Deployment", "DaemonSet", "StatefulSet"):
        pod = pod_in(item.object) or {}
        on_host = mapping(pod, "spec").get("hostNetwork") is True
        for container in containers_of(pod):
            for port in entries_of(container, "ports"):
                number = port.get("hostPort", port.get("containerPort") if on_host else None)
                if isinstance(number, int):
                    yield item, number, str(port.get("protocol", "TCP")), False


def _node_ports_in(values: object, *, inside: bool = False) -> Iterator[int]:
    """Node ports among a chart's values: under `nodePort`, or anywhere under `nodePorts`."""
    if isinstance(values, dict):
        for key, value in values.items():
            if isinstance(value, int) and not isinstance(value, bool) and (inside or key == "nodePort") and value:
                yield value
            else:
                yield from _node_ports_in(value, inside=inside or key == "nodePorts")


def defaults(context: CheckContext) -> Iterator[Finding]:
    """One default StorageClass and IngressClass, k3s's own included."""
    for kind, name in _DEFAULT.items():
        owners: dict[str, AppliedObject | None] = dict.fromkeys(_from_k3s(context, kind))
        for item in context.tree.of("HelmRelease"):
            brought = _default(context.facts.with_values(context.tree, item), kind)
            if brought and values_of(context.tree, item).complete:
                owners[brought] = item
        for item in context.tree.of(kind):
            default = annotation(item, name)
            if default == "true":
                owners[item.ref.name] = item
            elif default == "false":
                owners.pop(item.ref.name, None)
        last = next((item for item in reversed(list(owners.values())) if item), None)
        if len(owners) > 1 and last:
            yield TWO_DEFAULTS(
                last.source,
                what=f"the cluster has {len(owners)} default {kind} objects: {', '.join(sorted(owners))}",
                why="what names no class gets one or the other"
                if kind == "StorageClass"
                else "the API server refuses an Ingress without a class",
                fix=f'{name}: "false" on all but one',
            )


def _from_k3s(context: CheckContext, kind: str) -> list[str]:
    if context.platform is None:
        return []
    name = _default(k3s_brings(context.platform.disabled, context.platform.kubernetes), kind)
    return [name] if name else []


def _default(brings: Brings, kind: str) -> str | None:
    return brings.default_storage_class if kind == "StorageClass" else brings.default_ingress_class


RULES = (
    Rule(ports, (NODE_PORT_RANGE, PORT_TWICE)),
    Rule(routes, (SAME_ROUTE,)),
    Rule(defaults, (TWO_DEFAULTS,)),
    Rule(releases, (TWO_RELEASES,)),
    Rule(objects, (IN_COMMON, TWO_OWNERS)),
)
