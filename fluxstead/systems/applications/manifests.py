"""The layers of applications: one for each environment of an image, one for each directory of your own manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import secret
from fluxstead.systems.applications import namespace, workload
from fluxstead.systems.applications.checks import findings_of
from fluxstead.systems.applications.instance import Instance, instances
from fluxstead.systems.applications.settings import Application
from fluxstead.tree.asks import ControllerPods, Route, Router, SecretKey, SecretNeed
from fluxstead.tree.layer import Layer, Plan, Timing

_CLAIM_MAY_WAIT = ({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "current": "status.phase in ['Bound', 'Pending']"},)
"""Without a pod, a class that waits for its first consumer binds nothing, and an offline environment would never be Ready."""


def plan(apps: Sequence[Application], platform: Platform, router: Router | None, default_class: str) -> Plan:
    """The layers of all applications, in the order they are described.

    `router` says where the controller's pods come from; `default_class` is for volumes that name no StorageClass.
    """
    controller = router.controller if router else None
    layers: dict[str, Layer] = {}
    routes: list[Route] = []
    needs: list[SecretNeed] = []
    for app in apps:
        if app.path is not None:
            layers.setdefault(app.name, _own_manifests(app, app.path))
            continue
        for instance in instances(app):
            if instance.name in layers:
                continue
            objects = _objects(instance, platform, default_class, controller)
            layers[instance.name] = _layer(instance, tuple(Manifest(obj, instance.source) for obj in objects))
            routes += _routes(instance)
            needs += _secrets(instance)
    findings = findings_of(apps, metrics="metrics-server" not in platform.disabled)
    return Plan(layers=tuple(layers.values()), routes=tuple(routes), secrets=tuple(needs), findings=tuple(findings))


def _own_manifests(app: Application, path: str) -> Layer:
    return Layer(
        name=app.name,
        group="apps",
        source=app.source,
        path=path,
        timing=Timing(interval=app.interval, timeout=app.timeout),
        depends_on=app.depends_on,
    )


def _layer(instance: Instance, manifests: tuple[Manifest, ...]) -> Layer:
    app, environment = instance.app, instance.environment
    return Layer(
        name=instance.name,
        group="apps",
        source=instance.source,
        manifests=manifests,
        timing=Timing(interval=environment.interval or app.interval, timeout=environment.timeout or app.timeout),
        # They come encrypted from a directory of your own manifests, which nobody here can look into.
        offers=frozenset(secret(instance.name, name) for name in (*instance.secrets, *app.image_pull_secrets)),
        depends_on=tuple(dict.fromkeys((*app.depends_on, *environment.depends_on))),
        health_check_exprs=_CLAIM_MAY_WAIT if instance.volume and not instance.online else (),
    )


def _secrets(instance: Instance) -> Iterator[SecretNeed]:
    for name in instance.secrets:
        yield SecretNeed(
            namespace=instance.name,
            name=name,
            layer=instance.name,
            purpose=f"environment variables of {instance.app.name}",
            source=instance.app.source_of("secrets") if name in instance.app.secrets else instance.environment.source_of("secrets"),
        )
    for name in instance.app.image_pull_secrets:
        yield SecretNeed(
            namespace=instance.name,
            name=name,
            layer=instance.name,
            purpose=f"the image of {instance.app.name}",
            source=instance.app.source_of("imagePullSecrets"),
            keys=(SecretKey(name=".dockerconfigjson", form="Docker's configuration"),),
            type="kubernetes.io/dockerconfigjson",
        )


def _objects(
    instance: Instance, platform: Platform, default_class: str, controller: ControllerPods | None
) -> Iterator[dict[str, Any]]:
    port, volume = instance.app.port, instance.volume
    yield namespace.namespace(instance, platform)
    yield from namespace.bounds(instance)
    yield from namespace.network_policies(instance, platform, controller)
    yield from namespace.access(instance)
    if volume:
        yield workload.claim(instance, volume, default_class)
    yield workload.deployment(instance)
    if port:
        yield workload.service(instance, port)
    yield from workload.scaling(instance)


def _routes(instance: Instance) -> Iterator[Route]:
    described, port = instance.environment.route, instance.app.port
    if described is not None and port is not None:
        yield Route(
            name=instance.name,
            namespace=instance.name,
            service=instance.app.name,
            port=port,
            source=described.source,
            layer=instance.name,
            group="apps",
            host=described.host,
            path=described.path,
            strip_path=described.strip_path,
        )
