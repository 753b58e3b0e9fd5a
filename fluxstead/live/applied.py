"""Waits until Flux has applied a commit: the source has it, and then every layer whose files it changed, in it or a later one.

Flux is asked to look now, as `flux reconcile` asks (fluxcd/pkg: apis/meta/annotations.go), and is not waited for until its next
turn. What a layer tried last: kustomize-controller, api/v1, `status.lastAttemptedRevision`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fluxstead.core.git_names import without_login
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import at, mapping
from fluxstead.live.branch import Branch
from fluxstead.live.changes import SEEN, Amendment, GitWay, Upstream, is_so
from fluxstead.live.delivered import commit_of
from fluxstead.live.flux import LAYERS, SOURCES, flux_object
from fluxstead.live.procedure import Step, StepState, done, due, fails, waits
from fluxstead.live.resources import Resource
from fluxstead.tree.record import RECORD

_REQUESTED = "reconcile.fluxcd.io/requestedAt"
_ASKS_AGAIN = 30
_STUBBORN = 90
"""Seconds for which a layer may say no: what is refused while something else is on its way is taken a moment later."""
_MOST = 100
"""Commits of one file that are looked through."""
_PATIENCE = 1800
_OF_NO_LAYER = frozenset({RECORD, "README.md"})
_SOURCE = f"{FLUX_NAMESPACE}/{FLUX_NAMESPACE}"


class Applied:
    """One change on its way into the cluster."""

    def __init__(self, git: GitWay, change: Amendment) -> None:
        self._change, self._place, self._api, self._clock = change, git.place, git.api, git.clock
        self._clone = git.place.clone
        self._upstream = Upstream(git, SEEN)
        self._asked: float | None = None
        self._since: dict[str, float] = {}
        self._sought: set[str] = set()
        self._late: list[tuple[Resource, str]] = []

    def step(self) -> Step:
        """Flux has applied it."""
        why = "what comes next goes by what runs, not by what is written"
        return Step(f"{self._change.name}: applied", why, self._change.way_back, self._standing, self._ask, patience=_PATIENCE)

    def _standing(self) -> StepState:
        branch = self._upstream.branch()
        commit = self._brought_by(branch)
        if not commit:
            return waits("it is not pushed yet")
        self._late = []
        said = self._fetched(branch, commit) or self._layers(commit)
        if not said:
            return done(commit[:8])
        if said.state != "waits" or not self._late or self._clock.now() - (self._asked or -_ASKS_AGAIN) < _ASKS_AGAIN:
            return said
        return due(f"ask Flux to apply {commit[:8]} now; {said.says}")

    def _brought_by(self, branch: Branch) -> str:
        """The commit of the branch since which each has it; empty where the last one does not."""
        form = ("log", "--format=%H", f"--max-count={_MOST}", branch.ref)
        found = ""
        for commit in self._clone.git(*form, paths=list(self._change.files)).answer.split():
            if not is_so(self._clone, commit, self._change):
                return found
            found = commit
        return found

    def _has(self, revision: str, commit: str) -> bool:
        """Whether a revision of Flux's comes after the commit, or is it. It may be another's, and not here yet."""
        later = commit_of(revision)
        if later and later not in self._sought and not self._clone.has(later):
            self._sought.add(later)
            self._upstream.branch(anew=True)
        return bool(later) and self._clone.has(later) and self._clone.follows(commit, later)

    def _fetched(self, branch: Branch, commit: str) -> StepState | None:
        obj = self._api.get(SOURCES, FLUX_NAMESPACE, FLUX_NAMESPACE)
        if obj is None:
            return fails(f"there is no GitRepository {_SOURCE}: Flux fetches nothing", "./run doctor; pulumi up brings Flux in")
        source, spec = flux_object("GitRepository", obj), mapping(obj, "spec")
        syncs, url = at(spec, ("ref", "branch")), without_login(str(spec.get("url", "")))
        if syncs not in {None, self._place.synced}:
            return fails(f"Flux applies the branch {syncs} of {url}, and {self._place.synced} is described", "./run doctor")
        if self._has(source.revision, commit):
            return None
        if source.suspended:
            return fails(
                f"{source.label} is suspended: Flux fetches nothing", f"flux resume source git {source.name}; then the same command"
            )
        self._late.append((SOURCES, source.name))
        pushed = without_login(self._clone.one("remote", "get-url", branch.remote))
        trouble = f"; it says: {source.says}" if source.standing in {"failed", "stalled"} else ""
        return waits(
            f"Flux has not fetched {commit[:8]} from {url}{trouble}",
            f"./run doctor; is {url} what was pushed to, {pushed}?",
        )

    def _layers(self, commit: str) -> StepState | None:
        """The first that has not applied it; one that fails before one that waits."""
        found = [said for one in self._touched(commit) if (said := self._layer(one, commit))]
        return min(found, key=lambda one: one.state != "fails", default=None)

    def _layer(self, obj: Mapping[str, Any], commit: str) -> StepState | None:
        layer = flux_object("Kustomization", obj)
        if self._has(layer.revision, commit):
            self._since.pop(layer.name, None)
            return None
        if layer.suspended:
            return fails(
                f"{layer.label} is suspended: it applies nothing", f"flux resume kustomization {layer.name}; then the same command"
            )
        self._late.append((LAYERS, layer.name))
        tried = self._has(str(mapping(obj, "status").get("lastAttemptedRevision", "")), commit)
        if not tried or layer.standing not in {"failed", "stalled"}:
            self._since.pop(layer.name, None)
            return waits(f"{layer.label} has not applied {commit[:8]}{f': {layer.says}' if tried else ''}", "./run doctor")
        said = f"{layer.label} cannot apply {commit[:8]}: {layer.says}"
        since = self._since.setdefault(layer.name, self._clock.now())
        if self._clock.now() - since < _STUBBORN:
            return waits(said, "./run doctor")
        return fails(said, "./run doctor; then the same command")

    def _touched(self, commit: str) -> list[Mapping[str, Any]]:
        """The layers of the files that it changed: of those that hold one, the innermost."""
        form = ("diff-tree", "--no-commit-id", "--root", "-m", "--name-only", "-r", "-z", "--no-renames", commit)
        files = [one for one in self._clone.git(*form).answer.split("\0") if one and posixpath.basename(one) not in _OF_NO_LAYER]
        by_path = {_path(one): one for one in self._api.list(LAYERS, FLUX_NAMESPACE) if _is_of_the_source(one)}
        inside = [[path for path in by_path if f"{file}/".startswith(f"{path}/")] for file in files]
        return [by_path[path] for path in sorted({max(paths, key=len) for paths in inside if paths})]

    def _ask(self) -> None:
        self._asked = self._clock.now()
        wanted = {"metadata": {"annotations": {_REQUESTED: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"}}}
        for resource, name in self._late:
            self._api.merge(resource, name, wanted, FLUX_NAMESPACE)


def _path(layer: Mapping[str, Any]) -> str:
    return posixpath.normpath(str(mapping(layer, "spec").get("path", "."))).lstrip("/")


def _is_of_the_source(layer: Mapping[str, Any]) -> bool:
    source = mapping(mapping(layer, "spec"), "sourceRef")
    return source.get("kind") == "GitRepository" and source.get("name") == FLUX_NAMESPACE
