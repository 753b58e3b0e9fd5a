"""What the doctor asks beside the cluster's API: Git, which says how far the description came, and the routes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fluxstead.assembly import Assembled
from fluxstead.cli.project import tell
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.live.delivered import Delivered, delivered
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.rules.flux import LAYER, fetched_in
from fluxstead.live.ways_in import RouteAnswer, Trust, answers_of
from fluxstead.systems.certificates.trust import root_in


def delivered_in(root: Path, assembled: Assembled, facts: ClusterFacts) -> Delivered:
    """What Git says of the revisions that Flux has."""
    applied = {one.revision for one in facts.of(LAYER) if one.namespace == FLUX_NAMESPACE and one.revision}
    written = [layer.path for layer in assembled.tree.order.layers if layer.path]
    desired = assembled.desired(root, overwrite=False, say=tell)
    return delivered(desired, assembled.description.cluster.flux.branch, written, fetched_in(facts), applied)


def answers_in(root: Path, assembled: Assembled) -> Mapping[str, RouteAnswer]:
    """What answers at the links of the description."""
    return answers_of([link.url for _, link in assembled.ways], trust_of(root, assembled))


def trust_of(root: Path, assembled: Assembled) -> Trust:
    """The authority of one's own, where `./run certificates trust` wrote it: no key is opened to look at it."""
    settings = assembled.description.cluster.certificates
    if settings is None or settings.issuer == "acme":
        return Trust()
    file = root / f"{assembled.description.name}-ca.crt"
    try:
        authority = root_in(file.read_text(encoding="ascii")) if settings.issuer == "own" else None
    except (OSError, ValueError):
        authority = None
    return Trust(authority or "", known=authority is not None)
