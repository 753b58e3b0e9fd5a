"""Versions: what the cluster's own versions serve and charts' versions know (failures F4, F6, F20, F23)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from fluxstead.catalog.chart_values import UnknownValue, neighbours, unknown_values, versions_known
from fluxstead.catalog.kinds import pod_in
from fluxstead.catalog.schemas import Schemas
from fluxstead.checks.objects.charts import chart_of
from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.view import Item
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, Source, error, warning
from fluxstead.core.shape import mapping
from fluxstead.core.version import is_exact

_REMOVED = {
    "helm.toolkit.fluxcd.io/v2beta1": "2.7",
    "helm.toolkit.fluxcd.io/v2beta2": "2.8",
    "kustomize.toolkit.fluxcd.io/v1beta1": "2.7",
    "kustomize.toolkit.fluxcd.io/v1beta2": "2.8",
    "source.toolkit.fluxcd.io/v1beta1": "2.7",
    "source.toolkit.fluxcd.io/v1beta2": "2.8",
    "notification.toolkit.fluxcd.io/v1beta1": "2.7",
    "notification.toolkit.fluxcd.io/v1beta2": "2.9",
    "image.toolkit.fluxcd.io/v1beta1": "2.7",
    "image.toolkit.fluxcd.io/v1beta2": "2.9",
}
"""The Flux release that stopped to serve an API (flux2's release notes)."""


@cache
def _schemas(kubernetes: str, flux: str, products: frozenset[tuple[str, str]]) -> Schemas:
    return Schemas(kubernetes=kubernetes, flux=flux, **dict(products))


def schemas(subject: Subject) -> Iterator[Finding]:
    """Every object against the schema of the version that the cluster runs."""
    platform = subject.platform
    if platform is None:
        return
    known = _schemas(platform.kubernetes, platform.flux, frozenset(subject.products.items()))
    for item in subject.view.items:
        for problem in known.problems(item.object) if item.whole else ():
            yield error(
                "tree/schema",
                line_with(subject.view.store, item.document, problem.path.rpartition(".")[2].partition("[")[0]),
                what=f"{item.document.path}: {problem.path}: {problem.message}",
                why="the API server of this version refuses the object, and its layer never becomes ready",
                write="a value that the schema of the cluster's version admits",
            )


def apis(subject: Subject) -> Iterator[Finding]:
    """Flux's APIs that are on their way out (F6); with a description, what the cluster serves is said by its schemas."""
    for item in subject.view.items if not subject.described else ():
        version = str(item.object["apiVersion"])
        if version in _REMOVED:
            yield warning(
                "versions/deprecated-api",
                line_with(subject.view.store, item.document, version),
                what=f"{item} is of {version}, which Flux {_REMOVED[version]} does not serve any more",
                why="after that upgrade nothing of its Kustomization is applied (F6)",
                write="the stable version; `flux migrate` converts what is stored in the cluster",
            )


def chart_values(subject: Subject) -> Iterator[Finding]:
    """Values that the chart's version does not know (F20)."""
    for item in subject.view.of("HelmRelease"):
        chart, version = chart_of(subject.view, item)
        values = mapping(item.spec, "values")
        if not chart or not values or not item.exact:
            continue
        unknown = unknown_values(chart, version, values)
        if unknown is None:
            subject.unchecked.append(f"the values of chart {chart} {version}: {_why_not(chart, version)}")
        for one in unknown or ():
            place = line_with(subject.view.store, item.document, one.path.rpartition(".")[2] + ":")
            what = f"chart {chart} {version} has no value `{one.path}`{_known_around(one)}"
            why = "Helm ignores unknown values without a word, and the default stays in force (F20)"
            if one.nearest:
                yield error("tree/chart-value", place, what=what, why=why, write=one.nearest)
            else:
                # Without a key that is like it, it may be one that only the chart's templates know.
                write = "a key of that chart version's values.yaml"
                yield warning("tree/chart-value-unsure", place, what=what, why=why, write=write)


def _known_around(one: UnknownValue) -> str:
    said = [f"{one.before} still has it"] if one.before else []
    said += [f"{one.after} is the first that has it" + (" again" if one.before else "")] if one.after else []
    return f" ({', '.join(said)})" if said else ""


def _why_not(chart: str, version: str) -> str:
    if not versions_known(chart):
        return "no release of it is known"
    if not is_exact(version):
        return "which release that is, only the cluster finds out; docs/catalog.md lists those that are known"
    return f"the release is not known; known nearby: {', '.join(neighbours(chart, version))}"


def exact(subject: Subject) -> Iterator[Finding]:
    """Ranges in place of versions (F23), and images that can change under their tag."""
    store = subject.view.store
    for item in subject.view.of("HelmRelease", "HelmChart"):
        holder = mapping(mapping(item.spec, "chart"), "spec") if item.ref.kind == "HelmRelease" else item.spec
        source = mapping(holder, "sourceRef").get("kind")
        version = str(holder.get("version", "*"))
        if holder.get("chart") and source == "HelmRepository" and not is_exact(version) and "${" not in version:
            place = line_with(store, item.document, "version:")
            if not isinstance(holder.get("version", ""), str):
                version = _as_written(store.text(item.document.path), place.line) or version
            yield _range(item, f"version `{version}` of chart {holder.get('chart')}", place)
    for item in subject.view.of("OCIRepository"):
        reference = mapping(item.spec, "ref")
        if "semver" in reference and "digest" not in reference:
            yield _range(item, f"any version that is {reference['semver']}", line_with(store, item.document, "semver:"))
    for item in subject.view.items:
        pod = pod_in(item.object) if item.whole and not item.document.generated else None
        for container in containers_of(pod) if pod else ():
            image = str(container.get("image", ""))
            if image and "${" not in image and _moving(image):
                yield warning(
                    "versions/moving-image",
                    line_with(store, item.document, image),
                    what=f"{item} runs {image}",
                    why="what it is changes without a commit, and differs from node to node (F23)",
                    write="a tag that stays, such as 1.2.3, or a digest",
                )


def _as_written(text: str, line: int) -> str | None:
    """A version that YAML takes for a number, as it stands in its line: of `1.10`, the number has lost the zero."""
    lines = text.splitlines()
    found = re.search(r"version:\s*([^\s#,}]+)", lines[line - 1]) if line <= len(lines) else None
    return found[1] if found else None


def _moving(image: str) -> bool:
    name = image.rpartition("/")[2]
    return "@" not in name and (":" not in name or name.endswith(":latest"))


def _range(item: Item, what: str, place: Source) -> Finding:
    return error(
        "versions/range",
        place,
        what=f"{item} takes {what}",
        why="a new release is installed unasked, or none that exists is found (F4, F23)",
        write="one exact version, such as 1.9.0",
    )


def source_types(subject: Subject) -> Iterator[Finding]:
    """HelmRepositories whose type does not fit their URL (F20)."""
    for item in subject.view.of("HelmRepository"):
        url, kind = str(item.spec.get("url", "")), item.spec.get("type", "default")
        if "${" in url or url.startswith("oci://") == (kind == "oci"):
            continue
        yield error(
            "versions/source-type",
            line_with(subject.view.store, item.document, "url:"),
            what=f"{item} is of type {kind}, and its URL is {url}",
            why="Flux looks for an index where there is none, and no chart of it is ever found (F20)",
            write="type: oci with an oci:// URL, or no type with an https:// URL",
        )
