"""Charts and images looked up where they are published (failure F4). Only on request: everything else works without a network.

What cannot be looked up is mentioned, but is not a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fluxstead.catalog.nearest import nearest, nearest_version
from fluxstead.checks.outside.evidence import LookupAnswer, Outside
from fluxstead.checks.outside.pinned import OciReference, Pinned, changed, pinned
from fluxstead.checks.reading.applied_tree import AppliedTree
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Remark, Rule, not_checked
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding

NO_SUCH_IMAGE = refuses(
    "online/no-such-image",
    "F4",
    "Deployment web/site runs example.test/site:1.0.9: there is no example.test/site:1.0.9",
    "repositories and registries",
)
NO_SUCH_VERSION = refuses(
    "online/no-such-version", "F4", "HelmRelease web/site: there is no site 1.8.3", "repositories and registries"
)

_SHOWN = 5


def findings(outside: Outside) -> Iterator[Finding | Remark]:
    """Pinned charts and images that are not where they are said to be."""
    tree = outside.tree
    pins = list(pinned(tree))
    for folder in changed(tree):
        yield not_checked(f"whether the images in {folder} exist: its kustomization may change them")
    if not outside.session.online:
        yield from map(not_checked, _offline(pins))
        return
    from fluxstead.checks.outside.asked import ask  # noqa: PLC0415 -- HTTP takes longer to load than a small tree to check

    answers = ask(outside.session, [pin.at for pin in pins if pin.at is not None])
    silent: dict[tuple[str, str], list[str]] = {}
    for pin in pins:
        if pin.at is None:
            yield not_checked(f"whether {pin} exists: the files do not say where it is published")
            continue
        answer = answers[pin.at]
        if answer.why:
            place = pin.at.registry if isinstance(pin.at, OciReference) else pin.at
            silent.setdefault((place, answer.why), []).append(str(pin))
        elif isinstance(pin.at, OciReference):
            if not answer.there:
                yield _no_manifest(tree, pin, pin.at, answer)
        else:
            yield from _in_index(tree, pin, answer)
    for (place, why), names in silent.items():
        yield not_checked(f"what {place} has ({_listed(names)}): {why}")


def _offline(pins: Iterable[Pinned]) -> Iterator[str]:
    images = []
    for pin in pins:
        if pin.kind == "image":
            images.append(pin.name)
        else:
            yield f"whether {pin} exists: ./run check --online asks its {'registry' if pin.in_registry else 'repository'}"
    if images:
        yield f"whether images exist ({_listed(images)}): ./run check --online asks their registries"


def _listed(names: Iterable[str]) -> str:
    different = sorted(set(names))
    more = len(different) - _SHOWN
    return ", ".join(different[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _in_index(tree: AppliedTree, pin: Pinned, answer: LookupAnswer) -> Iterator[Finding]:
    """A chart in its repository's index, where a leading `v` makes no difference."""
    if pin.name not in answer.known:
        near = nearest(pin.name, answer.known)
        yield _no_chart(tree, pin, f"its repository has no chart {pin.name}", near or "a chart of that repository")
        return
    known = [version.removeprefix("v") for version in answer.known[pin.name]]
    version = pin.version.removeprefix("v")
    if version not in known:
        fix = nearest_version(version, known) or "a version of that chart"
        yield _no_chart(tree, pin, f"there is no {pin.name} {pin.version}", fix)


def _no_manifest(tree: AppliedTree, pin: Pinned, at: OciReference, answer: LookupAnswer) -> Finding:
    tags = answer.known.get(at.repository)
    if tags is None:
        what, fix = f"{at.registry} has no {at.repository}", "the name of one that exists"
    elif at.digest:
        what, fix = f"there is no {at}", "a digest that exists"
    else:
        near = nearest_version(at.tag, tags)
        what, fix = f"there is no {at}", near or "a tag that exists"
        if near and pin.kind == "image":
            fix = f"{pin.name.removesuffix(f':{at.tag}')}:{near}"
    if pin.kind != "image":
        return _no_chart(tree, pin, what, fix)
    return NO_SUCH_IMAGE(
        line_with(tree.store, pin.item.document, pin.name),
        what=f"{pin.item} runs {pin.name}: {what}",
        why="no node can pull it, and its pods never start (F4)",
        fix=fix,
    )


def _no_chart(tree: AppliedTree, pin: Pinned, what: str, fix: str) -> Finding:
    return NO_SUCH_VERSION(
        line_with(tree.store, pin.item.document, pin.version),
        what=f"{pin.item}: {what}",
        why="Flux finds nothing to install, and waits forever (F4)",
        fix=fix,
    )


RULES = (Rule(findings, (NO_SUCH_IMAGE, NO_SUCH_VERSION)),)
