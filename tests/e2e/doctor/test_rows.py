"""Each row of the failure log on a running cluster: told once, at its root, and not any more once it is put right."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from fluxstead.embedded import run_program
from tests.e2e.cluster.api import eventually
from tests.e2e.cluster.description import PROJECT, STACK
from tests.e2e.cluster.fixtures import Need, reference_running
from tests.e2e.doctor.not_here import NOT_HERE
from tests.e2e.doctor.of_accidents import OF_ACCIDENTS
from tests.e2e.doctor.of_longhorn import OF_LONGHORN
from tests.e2e.doctor.of_trees import OF_TREES
from tests.e2e.doctor.stage import TREE, Row, Stage, begin
from tests.rules.test_failures_page import NUMBERS

ROWS = {**OF_TREES, **OF_LONGHORN, **OF_ACCIDENTS}
SEED, DRAWS, AT_ONCE = 22, 40, 6
MORE = re.compile(rf"^tree {TREE} was edited by hand: .* and \d+ more$")
flux = pytest.mark.flux


def test_every_row_is_proved_here_or_has_a_reason_and_a_suite() -> None:
    proved = {name.partition(" ")[0] for name in ROWS}
    assert proved.isdisjoint(NOT_HERE)
    assert sorted(proved | NOT_HERE.keys()) == sorted(NUMBERS)
    for number, other in NOT_HERE.items():
        assert other.why
        assert (PROJECT / other.suite).is_file(), number


def above() -> dict[str, set[str]]:
    """By layer, all that it waits for, itself included; nothing where one's own cluster is in the reference cluster's place."""
    assembled = run_program(PROJECT, STACK).assembled
    if assembled is None:
        return {}
    found: dict[str, set[str]] = {}
    for layer in assembled.tree.order.layers:
        edges = assembled.tree.order.edges[layer.name]
        found[layer.name] = {layer.name}.union(*(found[edge.dependency] for edge in edges))
    return found


def go_together(one: Row, other: Row, above: dict[str, set[str]]) -> bool:
    """Whether both can be at once: of one thing there is one state, and below a layer that is not ready nothing arrives."""
    hidden = any(first.breaks in above.get(second.layer, ()) for first, second in ((one, other), (other, one)))
    return not hidden and not about(one) & about(other)


def about(row: Row) -> set[str]:
    return {*row.of, *([f"layer {row.layer}"] if row.layer else ())}


def together() -> list[tuple[str, ...]]:
    """All rows, drawn at random, each in one combination with others that can be at the same time; of some draws the shortest."""
    drawn, reached = random.Random(SEED), above()  # noqa: S311 -- nothing has to be secret
    return min((drawn_from(drawn.sample(list(ROWS), len(ROWS)), reached) for _ in range(DRAWS)), key=len)


def drawn_from(names: Sequence[str], reached: dict[str, set[str]]) -> list[tuple[str, ...]]:
    groups: list[tuple[str, ...]] = []
    for name in names:
        fits = (all(go_together(ROWS[name], ROWS[other], reached) for other in group) for group in groups)
        place = next((number for number, fit in enumerate(fits) if fit and len(groups[number]) < AT_ONCE), None)
        if place is None:
            groups.append((name,))
        else:
            groups[place] += (name,)
    return groups


@pytest.fixture(scope="module")
def stage(need: Need) -> Iterator[Stage]:
    """The reference cluster, up."""
    with reference_running(need, cure_at_once=True, step="500ms") as cluster:
        yield Stage(cluster, begin(cluster))


def told(stage: Stage, rows: Sequence[Row]) -> list[dict[str, Any]] | None:
    """What it says, once it is these, each once, as a root or as what follows from one, and beside them only the edited tree."""
    found = stage.wrong()
    said = [line(one) for root in found for one in (root, *root["explains"])]
    edited = {f"tree {TREE}"} if any(row.layer for row in rows) else set()
    is_alone = edited <= {subject(one) for one in found} <= edited | {row.subject for row in rows}
    at_most = len(edited) + sum(row.subject not in edited for row in rows)
    is_once = len(found) <= at_most and len(said) == len(set(said)) and all(once(row, said) for row in rows)
    # What a layer itself says follows from none of the others, which are not above it.
    own = {row.subject for row in rows if row.subject == f"layer {row.breaks}"}
    return found if is_alone and is_once and own <= {subject(one) for one in found} else None


def once(row: Row, said: Sequence[str]) -> bool:
    """Of many files that were edited, only the first are named."""
    of_it = [text for text in said if text.startswith(f"{row.subject} ")]
    return sum(row.words in text or MORE.search(text) is not None for text in of_it) == 1


def subject(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['name']}"


def line(one: dict[str, Any]) -> str:
    return f"{subject(one)} {one['says']}"


def follows(stage: Stage, row: Row) -> dict[str, Any] | None:
    """The root, once it is told alone and with what follows from it."""
    roots = [one for one in told(stage, [row]) or [] if subject(one) == row.subject]
    return next(
        (one for one in roots if not row.follows or any(is_it(row.follows, line(other)) for other in one["explains"])), None
    )


def is_it(follows: str, said: str) -> bool:
    """Whether a line begins and goes on so; between a layer's standing and what is wrong, Flux names paths."""
    return all(part in said for part in follows.split(": ", 1))


@flux
def test_of_a_healthy_cluster_it_says_nothing(stage: Stage) -> None:
    eventually("all pods run", 60, lambda: not stage.wrong(), stage.report)
    status, said = stage.doctor()
    assert said.endswith("nothing is wrong\n"), said
    assert status == 0


@flux
@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_told_once_at_its_root(stage: Stage, name: str) -> None:
    """And nothing any more of the row before it."""
    row = ROWS[name]
    stage.play([row])
    root = eventually(f"{row.subject} alone: {row.words}; then {row.follows}", 90, lambda: follows(stage, row), stage.report)
    assert root["do"]
    assert root["means"]


@flux
@pytest.mark.parametrize("names", together(), ids=lambda names: "-".join(re.findall(r"\b[FU]\d+", " ".join(names))))
def test_of_several_none_is_lost_and_none_told_twice(stage: Stage, names: tuple[str, ...]) -> None:
    rows = [ROWS[name] for name in names]
    stage.play(rows)
    eventually("; ".join(f"{row.subject}: {row.words}" for row in rows), 120, lambda: told(stage, rows), stage.report)


@flux
def test_of_what_is_put_right_it_says_nothing(stage: Stage) -> None:
    stage.play([])
    eventually("it is healthy again", 120, lambda: not stage.wrong(), stage.report)
