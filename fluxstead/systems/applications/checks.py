"""The rules of applications, over the description: what an application is, and that its names are free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.image import is_image, nearest_image
from fluxstead.core.names import nearest_name
from fluxstead.core.platform import FLUX_NAMESPACE, Platform
from fluxstead.nodes.model import Node
from fluxstead.systems.applications import declared, forms, inside, mounting, peers, release, rights, running, way_in
from fluxstead.systems.applications.instance import Instance, instances
from fluxstead.systems.applications.settings import Application

BAD_IMAGE = refuses("applications/bad-image", "U7", "'ghcr.io/Web' is not the name of an image", "the description")
CHART_TWICE = warns(
    "applications/chart-twice", "F4", "the chart of `web` is looked for at oci://ghcr.io/charts/web/web", "the description"
)
LONG_NAME = refuses("applications/long-name", "U7", "`…` has 70 characters", "the description")
NAME_TAKEN = refuses(
    "applications/name-taken",
    "F8",
    "environment `prod` of `web` is the layer `web-prod`, which is already described at …",
    "the description",
)
PATH_TAKEN = refuses("applications/path-taken", "F8", "application `web` would be reconciled from generated/web", "the description")
RESERVED_NAMESPACE = refuses(
    "applications/reserved-namespace", "U7", "the namespace `kube-web` belongs to Kubernetes or Flux", "the description"
)
SERVICE_NAME = refuses("applications/service-name", "U7", "no Service can be called `1web`", "the description")
TAG_IN_IMAGE = refuses(
    "applications/tag-in-image", "F23", "the image registry.example/web:1 carries a tag or a digest", "the description"
)
UNNAMED_SECRET = warns(
    "applications/unnamed-secret", "F22", "no value of `web-prod`'s chart names Secret web-login", "the description"
)
CHECKS = (
    BAD_IMAGE,
    CHART_TWICE,
    LONG_NAME,
    NAME_TAKEN,
    PATH_TAKEN,
    RESERVED_NAMESPACE,
    SERVICE_NAME,
    TAG_IN_IMAGE,
    UNNAMED_SECRET,
)

_NAMESPACE_LENGTH = 63
_RELEASE_LENGTH = 53
"""helm: pkg/chart/common/util/validate_name.go, maxNameLen."""

_OWNED = {"generated": "fluxstead writes it and prunes what it finds there", "clusters": "Flux itself is reconciled from there"}


def findings_of(apps: Sequence[Application], nodes: Sequence[Node], platform: Platform) -> Iterator[Finding]:
    """What is wrong with the applications, in the order they are described.

    `nodes` are the machines that run them.
    """
    metrics = "metrics-server" not in platform.disabled
    taken: dict[str, Source] = {}
    paths: dict[str, Source] = {}
    for app in apps:
        yield from forms.findings_of(app)
        if app.path is not None:
            yield from _name(app.name, f"application `{app.name}`", app.source_of("name"), taken)
            yield from _path(app, app.path, paths)
        else:
            yield from _image(app)
            yield from _release(app)
            yield from declared.findings_of(app)
            yield from inside.findings_of(app)
            yield from rights.findings_of(app, nodes)
            for instance in instances(app):
                what = f"environment `{instance.environment.name}` of `{app.name}`"
                source = instance.environment.source_of("name")
                already = list(_name(instance.name, what, source, taken))
                yield from already or _name(instance.access_layer, f"the namespace of {what}", source, taken)
                yield from _namespace(instance.name, instance.environment.source_of("name"))
                yield from declared.findings_of(instance.environment)
                yield from running.findings_of(instance, metrics=metrics)
                yield from mounting.findings_of(instance, nodes)
                yield from rights.of_instance(instance, nodes)
                yield from _unnamed(instance)
                yield from way_in.findings_of(instance, nodes, platform)
    everywhere = [instance for app in apps if app.path is None for instance in instances(app)]
    yield from rights.together(everywhere)
    yield from peers.findings_of(everywhere)


def _name(name: str, what: str, source: Source, taken: dict[str, Source]) -> Iterator[Finding]:
    """Whether the layer's name is free: `a-b` in `c` and `a` in `b-c` give the same one."""
    first = taken.setdefault(name, source)
    if first is not source:
        yield NAME_TAKEN(
            source,
            what=f"{what} is the layer `{name}`, which is already described at {first}",
            why="one would overwrite the other in the cluster (F8)",
            fix="another name",
        )


def _namespace(name: str, source: Source) -> Iterator[Finding]:
    if len(name) > _NAMESPACE_LENGTH:
        yield LONG_NAME(
            source,
            what=f"`{name}` has {len(name)} characters",
            why=f"it is the name of a namespace, which can have at most {_NAMESPACE_LENGTH}",
            fix="a shorter name for the application or the environment",
        )
    if name.startswith("kube-") or name == FLUX_NAMESPACE:
        yield RESERVED_NAMESPACE(
            source,
            what=f"the namespace `{name}` belongs to Kubernetes or Flux",
            why="its pods would be cut off from the network and refused by Pod Security",
            fix="another name for the application or the environment",
        )


def _release(app: Application) -> Iterator[Finding]:
    if app.chart and len(app.name) > _RELEASE_LENGTH:
        yield LONG_NAME(
            app.source_of("name"),
            what=f"`{app.name}` has {len(app.name)} characters",
            why=f"it is the name of a Helm release, which can have at most {_RELEASE_LENGTH}",
            fix="a shorter name for the application",
        )
    if app.chart and app.chart.repository.startswith("oci://") and app.chart.repository.endswith(f"/{app.chart.name}"):
        yield CHART_TWICE(
            app.chart.source_of("repository"),
            what=f"the chart of `{app.name}` is looked for at {app.chart.repository}/{app.chart.name}",
            why="Flux adds the chart's name to the address of a repository (F4)",
            fix=f"repository: {app.chart.repository.removesuffix(f'/{app.chart.name}')}; or accept: with the reason",
        )


def _unnamed(instance: Instance) -> Iterator[Finding]:
    for name in release.unnamed(instance, instance.app.chart) if instance.app.chart else ():
        app, environment = instance.app, instance.environment
        of_environment = name in environment.secrets and name not in app.secrets
        yield UNNAMED_SECRET(
            environment.source_of("secrets")
            if of_environment
            else app.source_of("secrets" if name in app.secrets else "imagePullSecrets"),
            what=f"no value of `{instance.name}`'s chart names Secret {name}",
            why="it is in the namespace, and nothing uses it",
            fix="the chart's value for it, such as existingSecret or imagePullSecrets",
        )


def _path(app: Application, path: str, paths: dict[str, Source]) -> Iterator[Finding]:
    source = app.source_of("path")
    top = path.split("/", 1)[0]
    if top in _OWNED:
        yield PATH_TAKEN(
            source,
            what=f"application `{app.name}` would be reconciled from {path}",
            why=f"{top}/ is not for your own manifests: {_OWNED[top]}",
            fix=f"a directory next to it, such as apps/{app.name}",
        )
    first = paths.setdefault(path, source)
    if first is not source:
        yield PATH_TAKEN(
            source,
            what=f"the directory {path} is already reconciled by the application at {first}",
            why="two Kustomizations would take its objects from each other at every reconciliation, and prune them (F8)",
            fix="another directory, or only one of the two",
        )


def _image(app: Application) -> Iterator[Finding]:
    image = app.image or ""
    name = image.rsplit("/", 1)[-1]
    if ":" in name or "@" in name:
        bare = image[: len(image) - len(name)] + name.partition("@")[0].partition(":")[0]
        yield TAG_IN_IMAGE(
            app.source_of("image"),
            what=f"the image {image} carries a tag or a digest",
            why="each environment has its own tag, and an image takes only one",
            fix=f"image: {bare}, and tag: {image[len(bare) :].lstrip(':@')} in the environments",
        )
    elif image and not is_image(image):
        yield BAD_IMAGE(
            app.source_of("image"),
            what=f"{image!r} is not the name of an image",
            why="the kubelet refuses it as InvalidImageName, and no pod starts",
            fix=f"image: {nearest_image(image)}",
        )
    if app.chart is None and (app.port is not None or app.ports) and not app.name[0].isalpha():
        yield SERVICE_NAME(
            app.source_of("name"),
            what=f"no Service can be called `{app.name}`",
            why="the API server only accepts Service names that start with a letter",
            fix=nearest_name(f"app-{app.name}"),
        )
