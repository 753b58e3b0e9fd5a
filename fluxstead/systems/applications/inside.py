"""The rules for what is inside a pod: names that stand twice, ports that are not there, what runs before the application."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.catalog.nearest import nearest
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.image import is_image, nearest_image
from fluxstead.systems.applications.parts import HTTP, InitContainer
from fluxstead.systems.applications.settings import Application, Environment

BAD_INIT_IMAGE = refuses(
    "applications/init-image", "F23", "init container `wait` runs busybox:latest, without a fixed tag", "the description"
)
NAME_TWICE = refuses("applications/name-twice", "U7", "two ports of `web` are called metrics", "the description")
NO_SUCH_PORT = refuses(
    "applications/no-such-port", "F21", "the probes of `web` ask at port `admin`, which it does not have", "the description"
)
NOTHING_FIRST = refuses(
    "applications/nothing-first", "U7", "init container `migrate` of `web` has neither an image nor a command", "the description"
)
PORT_TWICE = refuses("applications/port-twice", "U7", "`web` has port 8080 twice", "the description")
CHECKS = (BAD_INIT_IMAGE, NAME_TWICE, NO_SUCH_PORT, NOTHING_FIRST, PORT_TWICE)


def findings_of(app: Application) -> Iterator[Finding]:
    """What is wrong with what an application says of its pods."""
    names = [(one.name, one.source_of("name")) for one in app.ports]
    yield from _same_name(app, "ports", [*([(HTTP, app.source_of("port"))] if app.port else []), *names])
    names = [(one.name, one.source_of("name")) for one in app.init_containers]
    yield from _same_name(app, "containers", [(app.name, app.source_of("name")), *names])
    owners: tuple[Application | Environment, ...] = (app, *app.environments)
    for owner in owners:
        yield from _same_name(app, "volumes", [(one.name, one.source_of("name")) for one in owner.volumes])
    yield from _numbers(app)
    yield from _asked(app)
    for one in app.init_containers:
        yield from _first(app, one)


def _same_name(app: Application, what: str, names: Sequence[tuple[str, Source]]) -> Iterator[Finding]:
    taken: set[str] = set()
    for name, source in names:
        if name in taken:
            yield NAME_TWICE(
                source,
                what=f"two {what} of `{app.name}` are called {name}",
                why="the API server refuses its Deployment",
                fix="another name" + (f"; {HTTP} is that of `port`" if (what, name) == ("ports", HTTP) else ""),
            )
        taken.add(name)


def _numbers(app: Application) -> Iterator[Finding]:
    taken = {(app.port, "TCP")}
    for one in app.ports:
        if (one.port, one.protocol) in taken:
            yield PORT_TWICE(
                one.source_of("port"),
                what=f"`{app.name}` has port {one.port} of {one.protocol} twice",
                why="the API server refuses its Service",
                fix="one of the two",
            )
        taken.add((one.port, one.protocol))


def _asked(app: Application) -> Iterator[Finding]:
    """Probes and metrics ask by TCP, and for whatever is called `http` or is one of `ports`."""
    tcp = {*([HTTP] if app.port else []), *(one.name for one in app.ports if one.protocol == "TCP")}
    fields = app.probes.model_fields_set
    wanted: list[tuple[str, str | None, Source]] = []
    if fields:
        wanted.append(("the probes of", app.probes.port, app.probes.source_of("port") if app.probes.port else app.probes.source))
    if app.metrics:
        wanted.append(("the metrics of", app.metrics.port, app.metrics.source_of("port")))
    for what, name, source in wanted:
        if (name or HTTP) not in tcp:
            yield NO_SUCH_PORT(
                source,
                what=f"{what} `{app.name}` are asked for at "
                + (f"the port `{name}`, which it does not have by TCP" if name else "`port`, and it has none"),
                why="its pods would never be ready, or nothing would be collected",
                fix=(nearest(name or HTTP, tcp) or f"one of {', '.join(sorted(tcp))}") if tcp else "port: of the application",
            )


def _first(app: Application, one: InitContainer) -> Iterator[Finding]:
    if one.image is None and not one.command and not one.args:
        yield NOTHING_FIRST(
            one.source,
            what=f"init container `{one.name}` of `{app.name}` has neither an image nor a command",
            why="it would be the application itself, which never ends, so that nothing comes after it",
            fix="command: with what is to run first; or image: with its tag",
        )
    if one.image is None:
        return
    name = one.image.rsplit("/", 1)[-1].partition("@")
    tag = name[0].partition(":")[2]
    if not is_image(one.image):
        yield BAD_INIT_IMAGE(
            one.source_of("image"),
            what=f"{one.image!r} is not the name of an image",
            why="the kubelet refuses it as InvalidImageName, and no pod starts",
            fix=nearest_image(one.image),
        )
    elif tag in {"", "latest"} and not name[2]:
        yield BAD_INIT_IMAGE(
            one.source_of("image"),
            what=f"init container `{one.name}` runs {one.image}, without a fixed tag",
            why="what runs would change unasked at the next restart, with no way back (F23)",
            fix=f"{one.image.removesuffix(':latest')}:1.2.3, with the tag that is meant",
        )
