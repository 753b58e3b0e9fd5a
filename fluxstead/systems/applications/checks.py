"""The rules of applications, over the description: what an application is, and that its names are free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.findings import Finding, Source, error
from fluxstead.core.names import nearest_name
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.systems.applications import declared, running
from fluxstead.systems.applications.instance import instances
from fluxstead.systems.applications.settings import Application

_NAMESPACE_LENGTH = 63

# What belongs to the directory's form; every other key says how an image runs.
_KEYS_WITH_PATH = frozenset({"name", "path", "interval", "timeout", "depends_on"})

_OWNED = {"generated": "fluxstead writes it and prunes what it finds there", "clusters": "Flux itself is reconciled from there"}


def findings_of(apps: Sequence[Application], *, metrics: bool) -> Iterator[Finding]:
    """What is wrong with the applications, in the order they are described; `metrics`: the cluster has some to scale by."""
    taken: dict[str, Source] = {}
    paths: dict[str, Source] = {}
    for app in apps:
        yield from _form(app)
        if app.path is not None:
            yield from _name(app.name, f"application `{app.name}`", app.source_of("name"), taken)
            yield from _path(app, app.path, paths)
        else:
            yield from _image(app)
            yield from declared.findings_of(app)
            for instance in instances(app):
                what = f"environment `{instance.environment.name}` of `{app.name}`"
                yield from _name(instance.name, what, instance.environment.source_of("name"), taken)
                yield from _namespace(instance.name, instance.environment.source_of("name"))
                yield from declared.findings_of(instance.environment)
                yield from running.findings_of(instance, metrics=metrics)


def _form(app: Application) -> Iterator[Finding]:
    if app.path is None and app.image is None:
        yield error(
            "applications/no-image",
            app.source,
            what=f"application `{app.name}` has neither an image nor a path",
            why="there is nothing to run",
            write="image: with environments, or path: with the directory of your own manifests",
        )
    elif app.path is None and not app.environments:
        yield error(
            "applications/no-environment",
            app.source,
            what=f"application `{app.name}` has no environment",
            why="it would run nowhere, without a word",
            write="environments: with at least a name and a tag",
        )
    elif app.path is not None:
        unread = sorted(app.model_fields_set - _KEYS_WITH_PATH)
        if unread:
            keys = [Application.model_fields[field].alias or field for field in unread]
            yield error(
                "applications/two-forms",
                app.source_of(keys[0]),
                what=f"application `{app.name}` has a path, and beside it {', '.join(keys)}",
                why="a directory of your own manifests says these itself, so nothing would read them",
                write="the path alone, or the image without a path",
            )


def _name(name: str, what: str, source: Source, taken: dict[str, Source]) -> Iterator[Finding]:
    """Whether the layer's name is free: `a-b` in `c` and `a` in `b-c` are one."""
    first = taken.setdefault(name, source)
    if first is not source:
        yield error(
            "applications/name-taken",
            source,
            what=f"{what} is the layer `{name}`, which is already described at {first}",
            why="one would overwrite the other in the cluster (F8)",
            write="another name",
        )


def _namespace(name: str, source: Source) -> Iterator[Finding]:
    if len(name) > _NAMESPACE_LENGTH:
        yield error(
            "applications/long-name",
            source,
            what=f"`{name}` has {len(name)} characters",
            why=f"it is the name of a namespace, which has at most {_NAMESPACE_LENGTH}",
            write="a shorter name of the application or of the environment",
        )
    if name.startswith("kube-") or name == FLUX_NAMESPACE:
        yield error(
            "applications/reserved-namespace",
            source,
            what=f"the namespace `{name}` belongs to Kubernetes or Flux",
            why="its pods would be cut off from the network and refused by Pod Security",
            write="another name of the application or of the environment",
        )


def _path(app: Application, path: str, paths: dict[str, Source]) -> Iterator[Finding]:
    source = app.source_of("path")
    top = path.split("/", 1)[0]
    if top in _OWNED:
        yield error(
            "applications/path-taken",
            source,
            what=f"application `{app.name}` is to be reconciled from {path}",
            why=f"{top}/ is not for your own manifests: {_OWNED[top]}",
            write=f"a directory beside it, such as apps/{app.name}",
        )
    first = paths.setdefault(path, source)
    if first is not source:
        yield error(
            "applications/path-taken",
            source,
            what=f"the directory {path} is already reconciled by the application at {first}",
            why="two Kustomizations would take its objects from each other at every reconcile, and prune them (F8)",
            write="another directory, or only one of the two",
        )


def _image(app: Application) -> Iterator[Finding]:
    image = app.image or ""
    name = image.rsplit("/", 1)[-1]
    if ":" in name or "@" in name:
        bare = image[: len(image) - len(name)] + name.partition("@")[0].partition(":")[0]
        yield error(
            "applications/tag-in-image",
            app.source_of("image"),
            what=f"the image {image} carries a tag or a digest",
            why="each environment names its own tag, and an image has one",
            write=f"image: {bare}, and tag: {image[len(bare) :].lstrip(':@')} in the environments",
        )
    if app.port is not None and not app.name[0].isalpha():
        yield error(
            "applications/service-name",
            app.source_of("name"),
            what=f"no Service can be called `{app.name}`",
            why="the API server admits only names of Services that begin with a letter",
            write=nearest_name(f"app-{app.name}"),
        )
