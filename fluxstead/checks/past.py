"""What rules about moves look at: the trees that were committed, and the way from each of them to this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import HELM, AppliedObject, AppliedTree
from fluxstead.checks.reading.committed import ClusterThen, Committed
from fluxstead.checks.rule import Remark, Rule, run
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef


@dataclass(frozen=True)
class Transition:
    """From a committed tree to this one. `name`: what the committed one is called, `HEAD` or its upstream branch.

    `cluster`: what its description said.

    What is committed and not pushed is one step for Flux, so two rungs of a ladder in two commits are still a jump.
    """

    name: str
    before: AppliedTree
    context: CheckContext
    cluster: ClusterThen | None = None

    @property
    def now(self) -> AppliedTree:
        """The tree that is to follow."""
        return self.context.tree

    @property
    def facts(self) -> SystemFacts:
        """What systems say about their charts and kinds."""
        return self.context.facts

    @cached_property
    def nothing_is_left(self) -> bool:
        """Whether nothing of the committed tree is reached any more: then that is reported, and not what becomes of each object."""
        kustomizations = {key for key, kustomization in self.before.kustomizations.items() if kustomization.document is not None}
        objects = {item.ref for item in self.before.objects if item.kustomization.document is not None}
        return bool(
            kustomizations
            and objects
            and not kustomizations & self.now.kustomizations.keys()
            and not objects & self.now.by_ref.keys()
        )

    @cached_property
    def changed(self) -> list[tuple[AppliedObject, AppliedObject]]:
        """The objects of both trees that are not the same, before and now, or belong to another Kustomization."""
        pairs = ((items[0], self.now.one(ref)) for ref, items in self.before.by_ref.items())
        return [
            (old, new)
            for old, new in pairs
            if new is not None and not (new.object is old.object and new.kustomization.ref == old.kustomization.ref)
        ]

    def releases(self) -> Iterator[tuple[AppliedObject, AppliedObject]]:
        """The HelmReleases of both trees, before and now: also those whose chart is named by another object that changed."""
        for old in self.before.of("HelmRelease"):
            new = self.now.one(old.ref)
            if new is not None and new.ref.group == HELM:
                yield old, new

    @cached_property
    def moves_volumes(self) -> bool:
        """Whether one of them holds the cluster's volumes."""
        return any(self.facts.chart(self.now, new).holds_volumes for _, new in self.moved_releases)

    @cached_property
    def moved_releases(self) -> list[tuple[AppliedObject, AppliedObject]]:
        """Releases of what a cluster has once, or that hold its volumes, with another name or namespace: Flux does not rename."""
        was, found = _once(self.facts, self.before), _once(self.facts, self.now)
        return [
            (next(iter(was[chart].values())), next(iter(found[chart].values())))
            for chart in was
            if chart in found and not was[chart].keys() & found[chart].keys()
        ]


def _once(facts: SystemFacts, tree: AppliedTree) -> dict[str, dict[ObjectRef, AppliedObject]]:
    releases: dict[str, dict[ObjectRef, AppliedObject]] = {}
    for item in tree.of("HelmRelease"):
        chart = facts.chart(tree, item)
        if chart.holds_volumes or chart.single:
            releases.setdefault(chart.name, {})[item.ref] = item
    return releases


class Past(NamedTuple):
    """What was committed before this tree; nothing where there is no history."""

    context: CheckContext
    committed: Committed

    @property
    def transitions(self) -> list[Transition]:
        """The steps that Flux would take with this tree as the next commit."""
        clusters = self.committed.clusters
        return [Transition(name, before, self.context, clusters.get(name)) for name, before in self.committed.before.items()]


def over(past: Past, rules: Sequence[Rule[Transition]]) -> Iterator[Finding | Remark]:
    """What the rules say about each transition, each finding once."""
    told: set[tuple[str, str]] = set()
    for transition in past.transitions:
        for said in run(transition, rules):
            if isinstance(said, Finding):
                key = said.id, said.what.partition(" in ")[0]
                if key in told:
                    continue
                told.add(key)
            yield said
