"""Versions: what the cluster's own versions serve and charts' versions know (failures F4, F6, F20, F23)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fluxstead.catalog.chart_values import UnknownValue, neighbours, unknown_to_all, versions_known
from fluxstead.catalog.flux_apis import GONE_SINCE
from fluxstead.catalog.kinds import pod_in
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues, chart_versions
from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.reading.applied_tree import SOURCES, AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Remark, Rule, not_checked
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping
from fluxstead.core.version import Version

NO_SUCH_VALUE = refuses("tree/chart-value", "F20", "chart site 1.9.0 has no value `replicas.cout`")
MAYBE_NO_SUCH_VALUE = warns("tree/chart-value-unsure", "F20", "chart site 1.9.0 has no value `zebra`")
NOT_IN_SCHEMA = refuses("tree/schema", "F6, F20", '…/helm-release-site.yaml: spec.interval: 3 is not of type "string"')
DEPRECATED_API = warns(
    "versions/deprecated-api", "F6", "HelmRelease a/b uses helm.toolkit.fluxcd.io/v2beta1, which Flux 2.7 no longer serves"
)
MOVING_IMAGE = warns("versions/moving-image", "F23", "Deployment web/site runs example.test/site:latest")
BOUNDED_RANGE = warns("versions/bounded-range", "F23", "HelmRelease a/b takes version `^5.0.0` of chart site")
VERSION_IS_NO_TEXT = refuses("versions/number", "F20", "HelmRelease a/b has the version 1.10, which YAML reads as the number 1.1")
VERSION_RANGE = refuses("versions/range", "F4, F23", "HelmRelease a/b takes version `>=5.0.0` of chart site")
MOVING_CHART = warns("versions/moving-chart", "F23", "OCIRepository web/site has no ref, and takes its chart from the tag latest")
VALUES_NOT_YAML = refuses("tree/values-not-yaml", "F20", "valuesContent, for HelmChartConfig kube-system/site, is not YAML")
SOURCE_TYPE = refuses("versions/source-type", "F20", "HelmRepository a/b has type oci, but its URL is https://charts.example.test")


def schemas(context: CheckContext) -> Iterator[Finding]:
    """Every object against the schema of the version that the cluster runs."""
    if context.platform is None:
        return
    known = context.schemas
    for item in context.tree.objects:
        if not item.is_final:
            continue
        for problem in known.problems(item.object):
            yield NOT_IN_SCHEMA(
                line_with(context.tree.store, item.document, problem.path.rpartition(".")[2].partition("[")[0]),
                what=f"{item.document.path}: {problem.path}: {problem.message}",
                why="the API server of this version refuses the object, and its layer never becomes ready",
                fix="a value that the schema of the cluster's version accepts",
            )


def apis(context: CheckContext) -> Iterator[Finding]:
    """Flux's APIs that are on their way out (F6); with a description, the schemas say what the cluster serves."""
    if context.described:
        return
    for item in context.tree.objects:
        version = str(item.object["apiVersion"])
        if version in GONE_SINCE:
            major, minor = GONE_SINCE[version]
            yield DEPRECATED_API(
                line_with(context.tree.store, item.document, version),
                what=f"{item} uses {version}, which Flux {major}.{minor} no longer serves",
                why="after that upgrade nothing in its Kustomization is applied (F6)",
                fix="the stable version; `flux migrate` converts what is stored in the cluster",
            )


def chart_values(context: CheckContext) -> Iterator[Finding | Remark]:
    """Values that the chart's version does not know (F20)."""
    kubernetes = context.platform.kubernetes if context.platform else None
    for one in context.chart_values:
        for problem in one.problems:
            yield VALUES_NOT_YAML(
                problem.source,
                what=f"{problem.what}, for {one.item}, is not YAML: {problem.why}",
                why="every attempt to install the chart or to change it fails",
                fix="a mapping of the chart's values",
            )
        if not one.chart or not one.said or not one.item.has_final_name:
            continue
        oldest, newest = chart_versions(one, kubernetes)
        chart = f"{one.chart} {oldest}" if oldest == newest else f"{one.chart} {oldest} to {newest}, of which k3s brings one,"
        unknown = unknown_to_all(one.chart, oldest, newest, one.said)
        if unknown is None:
            yield not_checked(f"the values of chart {one.chart} {one.version}: {_why_not(one)}")
        for key in unknown or ():
            place = context.place_of(one, *key.path.split("."))
            what = f"chart {chart} has no value `{key.path}`{_known_around(key)}"
            why = "Helm silently ignores unknown values, and the default stays in force (F20)"
            if key.nearest:
                yield NO_SUCH_VALUE(place, what=what, why=why, fix=key.nearest)
            else:
                # With no similar key, it may be one that only the chart's templates know.
                fix = "a key of that chart version's values.yaml"
                yield MAYBE_NO_SUCH_VALUE(place, what=what, why=why, fix=fix)


def _known_around(one: UnknownValue) -> str:
    said = [f"{one.before} still has it"] if one.before else []
    said += [f"{one.after} is the first that has it" + (" again" if one.before else "")] if one.after else []
    return f" ({', '.join(said)})" if said else ""


def _why_not(one: ChartValues) -> str:
    if not versions_known(one.chart):
        return "no release of it is known"
    if one.bundled:
        return "which release this k3s brings is not known"
    exact = one.exact
    if exact is None:
        return "which release that is, only the cluster finds out; docs/catalog.md lists those that are known"
    return f"the release is not known; known nearby: {', '.join(neighbours(one.chart, exact))}"


def unpinned(context: CheckContext) -> Iterator[Finding]:
    """Ranges and numbers in place of versions (F23)."""
    store = context.tree.store
    for item in context.tree.of("HelmRelease", "HelmChart"):
        holder = mapping(mapping(item.spec, "chart"), "spec") if item.ref.kind == "HelmRelease" else item.spec
        source = mapping(holder, "sourceRef").get("kind")
        version, place = holder.get("version", "*"), line_with(store, item.document, "version:")
        if not holder.get("chart") or source != "HelmRepository" or not item.keeps("spec", "chart"):
            continue
        if not isinstance(version, str):
            yield _number(item, version, _as_written(store.text(item.document.path), place.line), place)
        elif not Version.read(version) and "${" not in version:
            yield _range(item, version, f"version `{version}` of chart {holder.get('chart')}", place)
    for item in context.tree.of("OCIRepository"):
        reference = mapping(item.spec, "ref")
        semver = str(reference.get("semver", ""))
        if semver and "digest" not in reference and item.keeps("spec", "ref") and not Version.read(semver) and "${" not in semver:
            yield _range(item, semver, f"any version that is {semver}", line_with(store, item.document, "semver:"))
    yield from _moving_charts(context)


def moving(context: CheckContext) -> Iterator[Finding]:
    """Images that can change under their tag (F23)."""
    store = context.tree.store
    for item in context.tree.objects:
        pod = pod_in(item.object) if item.is_final and not item.document.generated else None
        if not pod:
            continue
        for container in containers_of(pod):
            image = str(container.get("image", ""))
            if image and "${" not in image and _moving(image):
                yield MOVING_IMAGE(
                    line_with(store, item.document, image),
                    what=f"{item} runs {image}",
                    why="its content changes without a commit, and differs between nodes (F23)",
                    fix="a fixed tag, such as 1.2.3, or a digest",
                )


def _moving_charts(context: CheckContext) -> Iterator[Finding]:
    """Charts from a tag that moves; a Kustomization that follows one does what it would with a branch."""
    named = {
        ObjectRef(SOURCES, "OCIRepository", str(one.get("namespace") or item.ref.namespace), str(one.get("name")))
        for item in context.tree.of("HelmRelease")
        for one in [mapping(item.spec, "chartRef")]
        if one.get("kind") == "OCIRepository"
    }
    for item in context.tree.of("OCIRepository"):
        reference = mapping(item.spec, "ref")
        if item.ref not in named or not item.is_final or {"semver", "digest"} & reference.keys():
            continue
        if reference.get("tag", "latest") == "latest":
            yield MOVING_CHART(
                line_with(context.tree.store, item.document, "tag:" if reference else "url:"),
                what=f"{item} {'has the tag latest' if reference else 'has no ref, and takes its chart from the tag latest'}",
                why="a new release is installed unasked; few charts have the tag, and of others nothing is ever installed (F23)",
                fix="ref: {tag: …}, an exact version such as 1.9.0",
            )


def _as_written(text: str, line: int) -> str | None:
    """A version that YAML reads as a number, as written in its line: as a number, `1.10` has lost the zero."""
    lines = text.splitlines()
    found = re.search(r"version:\s*([^\s#,}]+)", lines[line - 1]) if line <= len(lines) else None
    return found[1] if found else None


def _moving(image: str) -> bool:
    name = image.rpartition("/")[2]
    return "@" not in name and (":" not in name or name.endswith(":latest"))


def _range(item: AppliedObject, wanted: str, what: str, place: Source) -> Finding:
    said, bounded = f"{item} takes {what}", _has_an_end(wanted)
    fix = "one exact version, such as 1.9.0"
    if bounded:
        return BOUNDED_RANGE(place, what=said, why="a new release is installed unasked, up to that bound (F23)", fix=fix)
    return VERSION_RANGE(
        place, what=said, why="every release is installed unasked, the next major too, or none matches (F4, F23)", fix=fix
    )


_UPPER = re.compile(r"<|\s-\s|[~^]\s*v?\d|^\s*[=v]*\s*\d+(\.(\d+|[xX*])){0,2}\s*$")
"""What keeps a range from growing without end: a bound, `a - b`, `~1.2`, `^1.2`, `1.x` (Masterminds/semver, constraints)."""


def _has_an_end(wanted: str) -> bool:
    return all(_UPPER.search(one) for one in wanted.split("||"))


def _number(item: AppliedObject, read: object, written: str | None, place: Source) -> Finding:
    return VERSION_IS_NO_TEXT(
        place,
        what=f"{item} has the version {written or read}, which YAML reads as the number {read}",
        why="the API server refuses a number there, and what it would be is another version (F20)",
        fix=f'version: "{written or read}"',
    )


def source_types(context: CheckContext) -> Iterator[Finding]:
    """HelmRepositories whose type does not fit their URL (F20)."""
    for item in context.tree.of("HelmRepository"):
        url, kind = str(item.spec.get("url", "")), item.spec.get("type", "default")
        if "${" in url or url.startswith("oci://") == (kind == "oci"):
            continue
        yield SOURCE_TYPE(
            line_with(context.tree.store, item.document, "url:"),
            what=f"{item} has type {kind}, but its URL is {url}",
            why="Flux looks for an index where there is none, and never finds a chart in it (F20)",
            fix="type: oci with an oci:// URL, or no type with an https:// URL",
        )


RULES = (
    Rule(chart_values, (NO_SUCH_VALUE, MAYBE_NO_SUCH_VALUE, VALUES_NOT_YAML)),
    Rule(schemas, (NOT_IN_SCHEMA,)),
    Rule(apis, (DEPRECATED_API,)),
    Rule(unpinned, (BOUNDED_RANGE, MOVING_CHART, VERSION_IS_NO_TEXT, VERSION_RANGE)),
    Rule(moving, (MOVING_IMAGE,)),
    Rule(source_types, (SOURCE_TYPE,)),
)
