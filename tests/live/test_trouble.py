"""Roots: whatever is wrong together, none of it is lost and none is told twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fluxstead.live.trouble import LiveTrouble, Subject, chain, roots

NAMES = st.integers(0, 8).map(lambda number: Subject("thing", str(number)))
TROUBLES = st.lists(
    st.builds(
        LiveTrouble,
        subject=NAMES,
        says=st.text("ab", max_size=3),
        means=st.just(""),
        do=st.just(""),
        waits_for=st.lists(NAMES, max_size=3).map(tuple),
        also=st.lists(NAMES, max_size=1).map(tuple),
        gravity=st.sampled_from(["error", "warning"]),
    ),
    max_size=12,
)


def thing(name: str, *waits_for: str, also: tuple[str, ...] = (), gravity: str = "error") -> LiveTrouble:
    """One that waits for others, by their names."""
    subjects = (tuple(Subject("thing", one) for one in names) for names in (waits_for, also))
    above, more = subjects
    return LiveTrouble(
        Subject("thing", name), "is wrong", "", "", waits_for=above, also=more, gravity="error" if gravity == "error" else "warning"
    )


def told(*troubles: LiveTrouble) -> list[tuple[str, list[str]]]:
    return [(one.trouble.subject.name, [other.subject.name for other in one.explains]) for one in roots(troubles)]


@given(TROUBLES)
def test_each_is_told_once(troubles: list[LiveTrouble]) -> None:
    found = [one for root in roots(troubles) for one in (root.trouble, *root.explains)]
    assert sorted(map(id, found)) == sorted(map(id, troubles))


@given(TROUBLES)
def test_a_root_has_no_trouble_above_it_unless_they_only_explain_one_another(troubles: list[LiveTrouble]) -> None:
    names = {subject for one in troubles for subject in (one.subject, *one.also)}
    free = [one for one in troubles if not ({*one.waits_for} & names)]
    found = [root.trouble for root in roots(troubles)]
    assert all(any(one is other for other in found) for one in free)
    reached = {id(one) for root in roots(free) for one in (root.trouble, *root.explains)}
    assert len(found) <= len(troubles) - max(0, len(reached) - len(free))


def test_the_whole_chain_hangs_on_its_beginning() -> None:
    assert told(thing("monitoring", "storage"), thing("storage", "gate"), thing("gate", "disk"), thing("disk")) == [
        ("disk", ["gate", "storage", "monitoring"])
    ]


def test_what_waits_for_something_healthy_is_a_root() -> None:
    assert told(thing("monitoring", "storage")) == [("monitoring", [])]


def test_another_name_explains_as_well() -> None:
    assert told(thing("release", "pods in web"), thing("pod", also=("pods in web",))) == [("pod", ["release"])]


def test_two_that_wait_for_each_other_are_one() -> None:
    assert told(thing("a", "b"), thing("b", "a")) == [("a", ["b"])]


def test_what_is_only_worth_knowing_comes_last() -> None:
    assert [name for name, _ in told(thing("a", gravity="warning"), thing("b"))] == ["b", "a"]


def test_a_long_chain_is_cut_short_in_words() -> None:
    [one] = roots([thing("root"), *(thing(str(number), "root") for number in range(9))])
    assert chain(one) == "thing 0, thing 1, thing 2, thing 3, thing 4, thing 5, and 3 more"
