"""Charts looked up where they are published (failure F4). Only when asked for: everything else works without a network."""

from __future__ import annotations

import difflib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from fluxstead.checks.store import line_with
from fluxstead.checks.subject import Subject
from fluxstead.checks.view import Item, View, mapping
from fluxstead.core.findings import Finding, error

_TIMEOUT = 20
_LARGEST = 64 * 1024 * 1024


def findings(subject: Subject) -> Iterator[Finding]:
    """Pinned charts that their repository's index does not have. What cannot be looked up is said, and is no finding."""
    if subject.outside is None:
        return
    indexes: dict[str, Mapping[str, Any] | None] = {}
    for item in subject.view.of("HelmRelease"):
        chart = mapping(mapping(item.spec, "chart"), "spec")
        name, version = str(chart.get("chart", "")), str(chart.get("version", ""))
        url = _repository(subject.view, item, chart)
        if not name or not version or "${" in name + version:
            continue
        if not subject.outside.online:
            subject.unchecked.append(f"whether chart {name} {version} exists: ./run check --online asks its repository")
        elif url is None or not url.startswith(("http://", "https://")):
            subject.unchecked.append(f"whether chart {name} {version} exists: {url or 'its repository'} has no index to ask")
        else:
            if url not in indexes:
                indexes[url] = _index(url, subject)
            entries = indexes[url]
            if entries is not None:
                yield from _looked_up(subject, item, name, version, entries)
    if subject.outside.online:
        subject.unchecked.append("whether images exist: registries are not asked")


def _repository(view: View, item: Item, chart: Mapping[str, Any]) -> str | None:
    source = mapping(chart, "sourceRef")
    namespace = str(source.get("namespace") or item.ref.namespace)
    found = view.one("source.toolkit.fluxcd.io", "HelmRepository", namespace, str(source.get("name")))
    return str(found.spec.get("url")) if found else None


def _index(url: str, subject: Subject) -> Mapping[str, Any] | None:
    """The entries of a repository's index.yaml; None, and said, where it cannot be had."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/index.yaml", timeout=_TIMEOUT) as answer:  # noqa: S310 -- http and https only
            data = yaml.load(answer.read(_LARGEST), Loader=yaml.CSafeLoader)
    except (OSError, urllib.error.URLError, yaml.YAMLError, ValueError) as problem:
        subject.unchecked.append(f"what {url} offers: {problem}")
        return None
    return mapping(data, "entries") if isinstance(data, Mapping) else None


def _looked_up(subject: Subject, item: Item, name: str, version: str, entries: Mapping[str, Any]) -> Iterator[Finding]:
    place = line_with(subject.view.store, item.document, version)
    if name not in entries:
        near = difflib.get_close_matches(name, list(entries), n=1)
        what = f"{item}: its repository has no chart {name}"
        write = near[0] if near else "a chart of that repository"
    else:
        known = [str(one.get("version", "")).removeprefix("v") for one in entries[name] if isinstance(one, Mapping)]
        if version.removeprefix("v") in known:
            return
        what = f"{item}: there is no {name} {version}"
        write = _nearest(version, known) or "a version of that chart"
    yield error(
        "online/no-such-version", place, what=what, why="Flux finds nothing to install, and waits for ever (F4)", write=write
    )


def _nearest(version: str, known: list[str]) -> str | None:
    """The version of the same line that is closest, or else the one that is closest at all."""
    plain = [one for one in known if one.replace(".", "").isdigit()]
    wanted = version.removeprefix("v").split("-")[0].split(".")
    if not all(part.isdigit() for part in wanted) or not plain:
        return next(iter(difflib.get_close_matches(version, known, n=1)), None)

    def distance(one: str) -> tuple[int, ...]:
        parts = one.split(".")
        return tuple(abs(int(a) - int(b)) for a, b in zip(parts, wanted, strict=False))

    return min(plain, key=distance)
