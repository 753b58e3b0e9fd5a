"""Requests on their way to pods: Services behind routes, and the ports of the pods behind Services (failure F21)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.backends import routes_in
from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import entries_of

MISSING_GOVERNING_SERVICE = warns(
    "references/missing-governing-service",
    "F21",
    "StatefulSet web/db has the governing Service d, which does not exist",
)
MISSING_PORT = refuses("references/missing-port", "F21", "Ingress web/site sends requests to port 81 of Service site")
MISSING_SERVICE = refuses(
    "references/missing-service", "F21", "Ingress web/site sends requests to Service sit, which does not exist"
)
MISSING_TARGET_PORT = refuses(
    "references/missing-target-port",
    "F21",
    "Service web/site sends to port htp of its pods, and none of them has a port of that name",
)


def services(context: CheckContext) -> Iterator[Finding]:
    """The Services and ports that routes name, in namespaces where no chart makes Services that the files do not show."""
    tree = context.tree
    if tree.partial:
        return
    for item, backend in routes_in(tree, context.facts.route_kinds):
        namespace, name, port = backend.namespace, backend.name, backend.port
        if not item.is_final or namespace in context.opaque_namespaces or "${" in f"{namespace}{name}{port}":
            continue
        service = tree.one(ObjectRef("", "Service", namespace, name))
        place = line_with(tree.store, item.document, name)
        shown = name if namespace == item.ref.namespace else f"{namespace}/{name}"
        if service is None and (namespace, name) != ("default", "kubernetes"):
            yield MISSING_SERVICE(
                place,
                what=f"{item.ref} sends requests to Service {shown}, which does not exist",
                why="the controller answers every request with an error, such as 503",
                fix=nearest(name, _services_in(tree, namespace)) or f"a Service in namespace {namespace}",
            )
        elif service is not None and service.is_final and port is not None and not _has_port(service, port):
            ports = [f"{one.get('port')} ({one.get('name', 'no name')})" for one in entries_of(service.spec, "ports")]
            yield MISSING_PORT(
                place,
                what=f"{item.ref} sends requests to port {port} of Service {shown}",
                why="the Service has no such port, and the controller answers every request with an error",
                fix=f"one of its ports: {', '.join(ports) or 'it has none'}",
            )


def _services_in(tree: AppliedTree, namespace: str) -> list[str]:
    return [one.ref.name for one in tree.of("Service") if one.ref.namespace == namespace]


def _has_port(service: AppliedObject, port: int | str) -> bool:
    return any(port in (entry.get("name"), entry.get("port")) for entry in entries_of(service.spec, "ports"))


def target_ports(context: CheckContext) -> Iterator[Finding]:
    """Ports of pods that Services name, where every pod that they select is in the tree."""
    tree = context.tree
    if tree.partial:
        return
    for item in tree.of("Service"):
        selector = item.spec.get("selector")
        if (
            not item.is_final
            or item.ref.namespace in context.opaque_namespaces
            or not isinstance(selector, dict)
            or "${" in str(item.spec)
        ):
            continue
        pods = context.pods.with_labels(item.ref.namespace, selector) if selector else []
        names = [port.get("name") for pod in pods for one in containers_of(pod.template) for port in entries_of(one, "ports")]
        if not (pods and all(pod.item.is_final for pod in pods)):
            continue
        for entry in entries_of(item.spec, "ports"):
            target = entry.get("targetPort")
            if isinstance(target, str) and not target.isdecimal() and target not in names:
                known = sorted({name for name in names if isinstance(name, str)})
                yield MISSING_TARGET_PORT(
                    line_with(tree.store, item.document, target),
                    what=f"{item} sends to port {target} of its pods, and none of them has a port of that name",
                    why="the Service has no endpoint for it, and every connection is refused",
                    fix=nearest(target, known) or f"a port of their containers: {', '.join(known) or 'none has a name'}",
                )


def governing(context: CheckContext) -> Iterator[Finding]:
    """The Services that give a StatefulSet's pods their names."""
    tree = context.tree
    if tree.partial:
        return
    for item in tree.of("StatefulSet"):
        name, namespace = item.spec.get("serviceName"), item.ref.namespace
        if not item.is_final or namespace in context.opaque_namespaces or not isinstance(name, str) or not name or "${" in name:
            continue
        if tree.one(ObjectRef("", "Service", namespace, name)) is None:
            yield MISSING_GOVERNING_SERVICE(
                line_with(tree.store, item.document, "serviceName"),
                what=f"{item} has the governing Service {name}, which does not exist",
                why="none of its pods can be found by name in DNS",
                fix=nearest(name, _services_in(tree, namespace))
                or f"a Service {name} with clusterIP: None in namespace {namespace}",
            )


RULES = (
    Rule(governing, (MISSING_GOVERNING_SERVICE,)),
    Rule(services, (MISSING_PORT, MISSING_SERVICE)),
    Rule(target_ports, (MISSING_TARGET_PORT,)),
)
