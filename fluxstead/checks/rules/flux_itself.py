"""Flux's own manifests, in `clusters/<cluster>/flux-system/`: the version that they install."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.flux_apis import version_of
from fluxstead.checks.context import CheckContext
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.platform import FLUX_NAMESPACE

OTHER_VERSION = refuses(
    "flux/version", "F6", "clusters/home/flux-system/gotk-components.yaml installs Flux v2.9.5, and the description says 2.6.1"
)


def version(context: CheckContext) -> Iterator[Finding]:
    """The described version against the one that is in Git; nothing where Flux's manifests are not there, or not Flux's own."""
    if context.platform is None:
        return
    path = f"clusters/{context.platform.cluster}/{FLUX_NAMESPACE}/gotk-components.yaml"
    found = version_of(context.tree.store.text(path))
    if found and found.numbers != context.platform.flux.numbers:
        yield OTHER_VERSION(
            context.places["flux"],
            what=f"{path} installs Flux {found}, and the description says {context.platform.flux}",
            why="which fields and APIs the tree may use is decided by the description, and what they do by the Flux that runs (F6)",
            fix=f"version: {found.text.removeprefix('v')}, or `./run upgrade flux` for the described one",
        )


RULES = (Rule(version, (OTHER_VERSION,)),)
