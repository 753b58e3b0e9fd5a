"""The layers of applications: two for each environment of an image or a chart, one for each directory of your own manifests.

What an application is made of has a layer that Flux applies with no more rights than its namespace needs; namespace, bounds and
these rights are a layer before it, which Flux applies with its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from fluxstead.catalog.data_images import database_of
from fluxstead.core.image import registry_of
from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import secret
from fluxstead.nodes.model import Node
from fluxstead.systems.applications import files, namespace, release, workload
from fluxstead.systems.applications.account import account, account_of
from fluxstead.systems.applications.checks import findings_of
from fluxstead.systems.applications.instance import Instance, instances
from fluxstead.systems.applications.parts import HTTP
from fluxstead.systems.applications.settings import Application
from fluxstead.tree.asks import CollectorPods, Route, Router, Scrape, SecretKey, SecretNeed, VolumeClaim, Volumes
from fluxstead.tree.layer import Layer, Plan, Timing

_CLAIM_MAY_WAIT = ({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "current": "status.phase in ['Bound', 'Pending']"},)
"""Without a pod, a class that waits for its first consumer binds nothing, and an offline environment would never be Ready."""


def plan(
    apps: Sequence[Application],
    platform: Platform,
    router: Router | None,
    volumes: Volumes,
    *,
    nodes: Sequence[Node],
    collector: CollectorPods | None,
) -> Plan:
    """The layers of all applications, in the order they are described.

    `router` says where the controller's pods come from, `collector` which pods collect metrics; `nodes` are the machines that run
    them.
    """
    servers = tuple(node.address for node in nodes if node.role == "server")
    others = namespace.Others(router.controllers if router else (), collector, servers)
    layers: dict[str, Layer] = {}
    routes: list[Route] = []
    scrapes: list[Scrape] = []
    needs: list[SecretNeed] = []
    claims: list[VolumeClaim] = []
    for app in apps:
        if app.path is not None:
            layers.setdefault(app.name, _own_manifests(app, app.path))
            continue
        for instance in instances(app):
            if instance.name in layers:
                continue
            around = _around(instance, platform)
            objects = _objects(instance, platform, volumes, others)
            layers.setdefault(instance.access_layer, _access(instance, _described(instance, around)))
            layers[instance.name] = _layer(instance, _described(instance, objects))
            routes += _routes(instance)
            scrapes += _scrapes(instance)
            needs += _secrets(instance)
            claims += _claims(instance, volumes)
    return Plan(
        layers=tuple(layers.values()),
        routes=tuple(routes),
        scrapes=tuple(scrapes),
        secrets=tuple(needs),
        claims=tuple(claims),
        findings=tuple(findings_of(apps, nodes, platform)),
    )


def _own_manifests(app: Application, path: str) -> Layer:
    return Layer(
        name=app.name,
        group="apps",
        source=app.source,
        path=path,
        timing=Timing(interval=app.interval, timeout=app.timeout),
        depends_on=app.depends_on,
    )


def _described(instance: Instance, objects: Iterator[dict[str, Any]]) -> tuple[Manifest, ...]:
    return tuple(Manifest(obj, instance.source) for obj in objects)


def _access(instance: Instance, manifests: tuple[Manifest, ...]) -> Layer:
    return Layer(name=instance.access_layer, group="apps", source=instance.source, manifests=manifests)


def _layer(instance: Instance, manifests: tuple[Manifest, ...]) -> Layer:
    app, environment = instance.app, instance.environment
    return Layer(
        name=instance.name,
        group="apps",
        source=instance.source,
        manifests=manifests,
        # Not its name: a tree in which the namespace still lay in that directory is taken over in one commit, since Flux applies,
        # and prunes, nothing from a directory that is gone, until it knows that this layer waits for the other.
        folder=f"{instance.name}-workload",
        service_account_name=account_of(instance),
        timing=Timing(interval=environment.interval or app.interval, timeout=environment.timeout or app.timeout),
        # They come encrypted from a directory of your own manifests, which nobody here can look into.
        offers=frozenset(secret(need.namespace, need.name) for need in _secrets(instance)),
        depends_on=tuple(dict.fromkeys((*app.depends_on, *environment.depends_on))),
        health_check_exprs=_CLAIM_MAY_WAIT if instance.volumes and not instance.online else (),
    )


def _secrets(instance: Instance) -> Iterator[SecretNeed]:
    """What people have to give. Flux applies it with its own rights: the application's account may read no Secret."""
    app, chart = instance.app, instance.app.chart
    need = partial(SecretNeed, namespace=instance.name, layer=instance.access_layer)
    for name in instance.secrets:
        owner = app if name in app.secrets else instance.environment
        purpose = f"{app.name}'s chart, whose values name it" if chart else f"environment variables of {app.name}"
        yield need(name=name, purpose=purpose, source=owner.source_of("secrets"))
    for path, name in app.secret_files.items():
        yield need(name=name, purpose=f"{app.name}'s files in {path}", source=app.source_of("secretFiles", path))
    for name in app.image_pull_secrets:
        keys = (SecretKey(name=".dockerconfigjson", form="Docker's configuration"),)
        source = app.source_of("imagePullSecrets")
        purpose, kind = f"the image of {app.name}", "kubernetes.io/dockerconfigjson"
        yield need(name=name, purpose=purpose, source=source, keys=keys, type=kind, shared=_login(app, name))
    if chart and chart.repository_secret:
        login = (SecretKey(name="username"), SecretKey(name="password"))
        source = app.source_of("chart", "repositorySecret")
        yield need(name=chart.repository_secret, purpose=f"the repository of {app.name}'s chart", source=source, keys=login)
    for name in chart.values_from if chart else ():
        keys = (SecretKey(name="values.yaml", form="YAML"),)
        yield need(name=name, purpose=f"values of {app.name}'s chart", source=app.source_of("chart", "valuesFrom"), keys=keys)


def _login(app: Application, secret: str) -> str:
    """What makes the logins of two namespaces one: their name, and the registry, which of a chart's images nobody here knows."""
    return f"{secret} of {registry_of(app.image) if app.image else app.name}"


def _around(instance: Instance, platform: Platform) -> Iterator[dict[str, Any]]:
    yield namespace.namespace(instance, platform)
    if instance.app.chart is None:
        yield from namespace.bounds(instance)
    yield from namespace.viewers(instance)
    yield from account(instance)


def _objects(instance: Instance, platform: Platform, volumes: Volumes, others: namespace.Others) -> Iterator[dict[str, Any]]:
    chart = instance.app.chart
    yield from namespace.network_policies(instance, platform, others)
    if chart is not None:
        yield from release.objects(instance, chart, platform)
        return
    yield workload.account(instance)
    for one in instance.volumes:
        storage_class = volumes.class_of(one.volume.storage_class)
        yield workload.claim(instance, one, storage_class, volumes.labels(storage_class, one.volume.backup))
    yield from files.config_map(instance)
    yield workload.deployment(instance)
    yield from workload.service(instance)
    yield from workload.ways_in(instance)
    yield from workload.scaling(instance)


def _routes(instance: Instance) -> Iterator[Route]:
    described, port, chart = instance.environment.route, instance.app.port, instance.app.chart
    if described is not None and port is not None:
        yield Route(
            name=instance.name,
            namespace=instance.name,
            service=release.service(instance, chart) if chart else instance.app.name,
            port=port,
            source=described.source,
            layer=instance.name,
            group="apps",
            host=described.host,
            path=described.path,
            strip_path=described.strip_path,
            access=described.access,
            secrets_layer=instance.access_layer,
            asleep=not instance.online,
        )


def _claims(instance: Instance, volumes: Volumes) -> Iterator[VolumeClaim]:
    """What its volumes are; a chart's are known only where it runs."""
    database = database_of(instance.app.image) if instance.app.image else ""
    for one in () if instance.app.chart else instance.volumes:
        yield VolumeClaim(
            namespace=instance.name,
            name=one.claim,
            layer=instance.name,
            storage_class=volumes.class_of(one.volume.storage_class),
            size=one.volume.size,
            source=one.volume.source_of("backup"),
            backup=one.volume.backup,
            database=database,
            access_mode=one.volume.access_mode,
        )


def _scrapes(instance: Instance) -> Iterator[Scrape]:
    """The policy of the namespace itself lets the collector in, so that monitoring waits for no application."""
    app = instance.app
    if app.metrics and instance.metrics_port:
        yield Scrape(
            name=instance.name,
            namespace=instance.name,
            labels={"app.kubernetes.io/name": app.name},
            port=app.metrics.port or HTTP,
            source=app.metrics.source,
            path=app.metrics.path,
        )
