"""What a commit must not make of an application that runs: a chart of an image, or an image of a chart, under the same name."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.systems.applications.account import account_in

OTHER_FORM = refuses(
    "applications/other-form",
    "F5, F28",
    "the application in web-prod is a chart in HEAD, and now an image",
    "the tree and the commits before it",
)

_TO_IMAGE = (
    "the chart goes on running, and holds the names: the API server refuses another selector for a Deployment that is there, "
    "and the layer never becomes ready again (F28)"
)
_TO_CHART = (
    "Helm refuses to take over what it did not install, such as the claim, which stays with the data, and the release never "
    "becomes ready (F5)"
)


def findings(move: Transition) -> Iterator[Finding]:
    """Environments that change their form and not their name."""
    if move.nothing_is_left:
        return
    before, now = _releases(move.before), _releases(move.now)
    for ref in before.keys() ^ now.keys():
        charts, images = (move.before, move.now) if ref in before else (move.now, move.before)
        image = images.one(ObjectRef("apps", "Deployment", ref.namespace, ref.name))
        if image is None or not _is_ours(image) or charts.one(image.ref):
            continue
        was, becomes, why = ("a chart", "an image", _TO_IMAGE) if ref in before else ("an image", "a chart", _TO_CHART)
        yield OTHER_FORM(
            image.source if ref in before else now[ref].source,
            what=f"the application in {ref.namespace} is {was} in {move.name}, and now {becomes}",
            why=why,
            fix=f"{was}, as before, and {becomes} in an environment, or as an application, of another name; the data copied;"
            " and the first one taken away later",
        )


def _releases(tree: AppliedTree) -> dict[ObjectRef, AppliedObject]:
    return {item.ref: item for item in tree.of("HelmRelease") if _is_ours(item)}


def _is_ours(item: AppliedObject) -> bool:
    """Whether an application's own layer applies it, which does so as its account."""
    return item.kustomization.spec.get("serviceAccountName") == account_in(item.ref.namespace)


MOVES = (Rule(findings, (OTHER_FORM,)),)
