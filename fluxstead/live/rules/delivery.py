"""Where what is described does not get on: disk, commit, branch, what Flux fetched, what it applied, and Secrets on their way.

Sources: fluxcd/kustomize-controller internal/controller/kustomization_indexers.go: a new revision has every layer reconciled at
once; kustomization_controller.go: `lastAppliedRevision` becomes it once the layer is ready, also if nothing in its folder changed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from datetime import timedelta

from fluxstead.core.findings import some
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.live.delivered import Delivered, steps_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.flux import FluxObject
from fluxstead.live.moments import longer_ago
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.flux import LAYER, SOURCE, SOURCE_SUBJECT, cannot_be_built, source_in
from fluxstead.live.trouble import Gravity, LiveTrouble, Subject, layer_subject, pods_in
from fluxstead.tree.secret_files import SUFFIX, secret_folder

_PATIENCE = timedelta(minutes=15)
"""Flux looks at the branch each minute, by default, and its four workers may each wait some minutes for a layer's health."""
_FETCH = "flux reconcile source git flux-system"
_SHOWN = 3
_EDITED = (
    "what is meant, in the description, and files of one's own outside generated/; then ./run render --overwrite, which discards "
    "the edits; git add, git commit, git push"
)
_CLONE = Subject("clone", "on this machine")


def delivery(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """From the description to what Flux fetched: each step that lacks something of the one before it."""
    known = facts.delivered
    if known is None:
        return
    tree, commit, branch = steps_of(expected.cluster, known)
    steps = (
        (
            tree,
            known.edited,
            "was edited by hand",
            "Flux applies these files, and ./run render does not replace them (U8)",
            _EDITED,
            (),
        ),
        (
            tree,
            known.stale,
            "is not what the description says",
            "Flux applies these files, and not the description",
            "./run render; then, in the project's folder: git add, git commit, git push",
            (),
        ),
        (
            commit,
            known.uncommitted,
            "lacks what is on the disk",
            "Flux applies what is committed",
            "git add, git commit, git push",
            (tree,),
        ),
        (
            branch,
            known.unpushed,
            "lacks what is committed",
            "Flux applies what is pushed",
            "git push; or a merge, where HEAD is another branch",
            (tree, commit),
        ),
    )
    gravity: Gravity = "error" if any(cannot_be_built(one) for one in facts.of(LAYER)) else "warning"
    for subject, files, says, means, do, above in steps:
        if files:
            yield LiveTrouble(subject, f"{says}: {some(files, _SHOWN)}", means, do, waits_for=above, gravity=gravity)
    source = source_in(facts)
    if known.head and source is not None and source.revision:
        # What stands here already mends what cannot be built there.
        yield from (
            one._replace(gravity=gravity) if one.subject == commit else one for one in _fetched(known, source, commit, facts)
        )


def _fetched(known: Delivered, source: FluxObject, commit: Subject, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    since = known.fetched
    short = source.revision[: source.revision.find(":") + 11]
    if not since.known or not (since.in_head or since.in_pushed):
        yield LiveTrouble(
            _CLONE,
            f"{'follows another history than' if since.known else 'does not have'} what Flux fetched, {short}",
            "what is described here is not compared with what is applied there",
            "git fetch, with --unshallow in a shallow clone; git status; gotk-sync.yaml, if Flux reads another branch",
            gravity="warning",
        )
    elif not since.in_head and since.head:
        says, means = f"is behind what Flux fetched, {short}: {some(since.head, _SHOWN)}", "the cluster has what is not here"
        yield LiveTrouble(_CLONE, says, means, "git pull", gravity="warning")
    elif since.pushed and since.in_pushed and source.standing == "ready" and not source.suspended:
        late = longer_ago(known.learnt, _PATIENCE, facts.taken)
        yield LiveTrouble(
            SOURCE_SUBJECT,
            f"has not fetched what {known.pushed} has: {some(since.pushed, _SHOWN)}; it has {short}",
            "what is pushed does not arrive",
            f"{_FETCH}; the branch and the URL in gotk-sync.yaml, if it does not help",
            "docs/tasks/first-sync.md",
            gravity="error" if late else "warning",
        )
    elif since.head and not known.pushed:
        yield LiveTrouble(
            commit,
            f"is not what Flux fetched, {short}: {some(since.head, _SHOWN)}",
            "what is committed does not arrive",
            f"git push; {_FETCH}",
            gravity="warning",
        )


def behind(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Layers that are ready, and have applied an older revision than Flux has had for long."""
    source = source_in(facts)
    if source is None or not longer_ago(source.updated, _PATIENCE, facts.taken):
        return
    for one in _layers(expected, facts):
        if one.standing != "ready" or one.suspended or one.revision == source.revision:
            continue
        since = facts.delivered.revisions.get(one.revision) if facts.delivered else None
        if since and since.known and not since.fetched:
            continue
        yield LiveTrouble(
            layer_subject(one.name),
            f"has applied {one.revision or 'nothing'}, and Flux has had {source.revision} for long",
            "what was changed since then is not in the cluster",
            f"flux reconcile kustomization {one.name}; kubectl -n {FLUX_NAMESPACE} logs deploy/kustomize-controller --tail 50",
            waits_for=(*map(layer_subject, expected.layers[one.name]), SOURCE_SUBJECT, pods_in(FLUX_NAMESPACE)),
        )


def older_secrets(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Secrets whose ciphertext is another in `HEAD` than in what their layer applied; by their names alone."""
    known = facts.delivered
    if known is None:
        return
    for one in _layers(expected, facts):
        since = known.revisions.get(one.revision)
        folder = secret_folder(expected.cluster, one.name)
        files = [path for path in since.head if posixpath.dirname(path) == folder] if since and since.in_head else []
        names = [posixpath.basename(path).removesuffix(SUFFIX) for path in files if path.endswith(SUFFIX)]
        if names:
            yield LiveTrouble(
                Subject("secrets of layer", one.name),
                f"are older in the cluster than in Git: {some(names, _SHOWN)}",
                "what reads them has the former values",
                f"git push; {_FETCH}; flux reconcile kustomization {one.name}",
                "docs/tasks/secrets.md",
                (layer_subject(one.name), SOURCE_SUBJECT, *steps_of(expected.cluster, known)),
                "warning",
            )


def _layers(expected: Expected, facts: ClusterFacts) -> Iterator[FluxObject]:
    return (one for one in facts.of(LAYER) if one.namespace == FLUX_NAMESPACE and one.name in expected.layers)


RULES = (
    LiveRule(delivery, (SOURCE,)),
    LiveRule(behind, (LAYER, SOURCE)),
    LiveRule(older_secrets, (LAYER,)),
)
