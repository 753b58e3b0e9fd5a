"""All rules over what was seen: which kinds they need, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

from fluxstead.core.findings import some
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules import (
    clocks,
    delivery,
    flux,
    k3s_certificates,
    left_behind,
    machines,
    missing_pods,
    pods,
    procedures,
    routes,
    twice,
    workloads,
)
from fluxstead.live.trouble import LiveTrouble, Subject

Count = Callable[[Expected, ClusterFacts], str]
"""How many there are of something, and how many of them are well, in a few words; empty where nothing is known of it."""
_SHOWN = 3
_OWN = (delivery, flux, twice, machines, clocks, k3s_certificates, pods, missing_pods, workloads, routes, left_behind, procedures)


def rules_of(modules: Iterable[str]) -> list[LiveRule]:
    """The rules that belong to no system, and those of these modules."""
    return [rule for module in (*_OWN, *map(import_module, modules)) for rule in module.RULES]


def counts_of(modules: Iterable[str]) -> list[Count]:
    """What is counted of every cluster, and what these modules count, if they count anything."""
    own = [*machines.COUNTS, *flux.COUNTS]
    return [*own, *(count for module in modules for count in getattr(import_module(module), "COUNTS", ()))]


def overview(counts: Iterable[Count], expected: Expected, facts: ClusterFacts) -> list[str]:
    """The cluster in a few lines."""
    return [line for count in counts if (line := count(expected, facts))]


def kinds_of(rules: Sequence[LiveRule]) -> list[Kind[Any]]:
    """Every kind that they look at, once."""
    return list({kind.resource: kind for rule in rules for kind in rule.kinds}.values())


def troubles_in(rules: Sequence[LiveRule], expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """What is wrong; what gave no answer is a trouble as well, since nothing is known of it."""
    if facts.unanswered:
        yield _unanswered(facts)
    for rule in rules:
        yield from rule.look(expected, facts)


def _unanswered(facts: ClusterFacts) -> LiveTrouble:
    """All kinds at once: what hides one hides others, and of a cluster of which nothing is seen nothing is known to be well."""
    names = sorted({resource.plural for resource in facts.unanswered})
    return LiveTrouble(
        Subject("API", f"for {some(names, _SHOWN)}"),
        f"gave no answer: {next(iter(facts.unanswered.values()))}",
        "whether anything is wrong with them is not known",
        "./run kubeconfig, which is the administrator's; kubectl auth can-i --list",
        gravity="warning" if facts.seen else "error",
    )
