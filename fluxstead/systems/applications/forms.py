"""The three forms of an application: an image, a chart, a directory of your own manifests. Each has keys of its own."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.systems.applications.settings import Application, Environment

NO_ENVIRONMENT = refuses("applications/no-environment", "U7", "application `web` has no environment", "the description")
NO_IMAGE = refuses("applications/no-image", "U7", "application `web` has neither an image nor a path", "the description")
TWO_FORMS = refuses("applications/two-forms", "U7", "application `web` has a path and also image", "the description")
CHECKS = (NO_ENVIRONMENT, NO_IMAGE, TWO_FORMS)

# The keys that go with a directory; every other key says how an image or a chart runs.
_WITH_PATH = frozenset({"name", "path", "interval", "timeout", "depends_on"})
_WITH_CHART = frozenset(
    {
        "name",
        "chart",
        "environments",
        "interval",
        "timeout",
        "depends_on",
        "port",
        "allow",
        "viewers",
        "secrets",
        "image_pull_secrets",
    }
)
_ENVIRONMENT_WITH_CHART = frozenset(
    {"name", "version", "values", "route", "interval", "timeout", "depends_on", "allow", "viewers", "secrets"}
)
_OF_CHARTS = frozenset({"version", "values"})


def findings_of(app: Application) -> Iterator[Finding]:
    """What does not go together."""
    if app.path is None and app.image is None and app.chart is None:
        yield NO_IMAGE(
            app.source,
            what=f"application `{app.name}` has neither an image nor a chart nor a path",
            why="there is nothing to run",
            fix="image: or chart: with environments, or path: with the directory of your own manifests",
        )
    elif app.path is None and not app.environments:
        yield NO_ENVIRONMENT(
            app.source,
            what=f"application `{app.name}` has no environment",
            why="it would silently run nowhere",
            fix="environments: with at least a name" + ("" if app.chart else " and a tag"),
        )
    elif app.path is not None:
        yield from _unread(
            app,
            app.model_fields_set - _WITH_PATH,
            what=f"application `{app.name}` has a path and also",
            why="your own manifests say these themselves, so nothing would read them",
            fix="the path alone, or the image without a path",
        )
    elif app.chart is not None:
        yield from _with_chart(app)
    else:
        for environment in app.environments:
            yield from _unread(
                environment,
                environment.model_fields_set & _OF_CHARTS,
                what=f"environment `{environment.name}` of `{app.name}` has",
                why=f"only charts have them, and `{app.name}` is an image",
                fix="env: for variables, files: for config files, tag: for the image's version",
            )


def _with_chart(app: Application) -> Iterator[Finding]:
    why, fix = "the chart says how its pods run, so nothing would read them", "the chart's own values for them"
    yield from _unread(
        app, app.model_fields_set - _WITH_CHART, what=f"application `{app.name}` has a chart and also", why=why, fix=fix
    )
    for environment in app.environments:
        fields = environment.model_fields_set - _ENVIRONMENT_WITH_CHART
        what = f"`{app.name}` is a chart, and its environment `{environment.name}` has"
        tagged = "version: in place of tag:, and the chart's own values for the rest" if "tag" in fields else fix
        yield from _unread(environment, fields, what=what, why=why, fix=tagged)


def _unread(
    owner: Application | Environment, fields: frozenset[str] | set[str], *, what: str, why: str, fix: str
) -> Iterator[Finding]:
    if fields:
        keys = [type(owner).model_fields[field].alias or field for field in sorted(fields)]
        yield TWO_FORMS(owner.source_of(keys[0]), what=f"{what} {', '.join(keys)}", why=why, fix=fix)
