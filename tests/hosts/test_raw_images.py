"""A disk is called blank only when nothing stands at any place that is looked at: on raw images, judged by a search of its own.

What is owed at which places is `promise.py`'s; a layout that leaves something only elsewhere is no case of these tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.conftest import examples

from .judged import a_disk, check, judged, seen
from .layouts import STARTS
from .promise import SAMPLES, apart, dense, places
from .structures import STRUCTURES, Structure, shifted
from .structures.checksums import GIB, KIB, MIB, noise
from .structures.images import write, zero

# ---- sizes, places, contents


@st.composite
def sizes(draw: st.DrawFn) -> int:
    """16 MiB to 2 TiB, in sectors of 512 or 4096 bytes, seldom a round number."""
    sector = draw(st.sampled_from([512, 4096]))
    order = draw(st.integers(24, 40))
    sectors = draw(st.integers(2**order // sector, 2 ** (order + 1) // sector))
    round_ones = [16 * MIB, 4 * GIB, 4 * GIB + sector, 500 * GIB, 2048 * GIB]
    return draw(st.sampled_from([sectors * sector, sectors // 2048 * 2048 * sector, *round_ones]))


@st.composite
def spots(draw: st.DrawFn, size: int) -> int:
    """A byte offset on the disk: where partitions begin, near an end or a quarter, at a group of ext4, or anywhere."""
    kind = draw(st.sampled_from(["start", "end", "quarter", "group", "anywhere"]))
    if kind == "start":
        place = draw(st.sampled_from(list(STARTS.values())))
    elif kind == "end":
        place = size - draw(st.sampled_from([512, 4 * KIB, 64 * KIB, MIB, 2 * MIB, 2 * MIB + 512]))
    elif kind == "quarter":
        place = size * draw(st.integers(1, 3)) // 4 + draw(st.integers(-3 * MIB, 3 * MIB))
    elif kind == "group":
        place = 128 * MIB * draw(st.sampled_from([1, 3, 5, 7, 9, 25, 27, 49])) + draw(st.sampled_from([0, 63 * 512, MIB, 2 * MIB]))
    else:
        place = draw(st.integers(0, size - 512))
    return max(0, min(place, size - 512)) // 512 * 512


Step = Callable[[Path], None]


@st.composite
def contents(draw: st.DrawFn, size: int) -> Step:
    """A structure at some start, or random data somewhere."""
    sector = draw(st.sampled_from([512, 4096]))
    if draw(st.booleans()):
        one = draw(st.sampled_from(STRUCTURES))
        start = draw(st.sampled_from(list(STARTS.values())))
        assume(start + one.smallest <= size)
        return lambda disk: write(disk, shifted(one.make, size, sector, start))
    place, length = draw(spots(size)), draw(st.sampled_from([1, 512, 4 * KIB, MIB, 8 * MIB]))
    return lambda disk: write(disk, {place: noise(length, f"{place}")})


@st.composite
def cleanings(draw: st.DrawFn, size: int) -> Step:
    """The first or the last bytes, or some in between, zeroed."""
    length = draw(st.sampled_from([512, 64 * KIB, MIB, 2 * MIB, 100 * MIB, GIB, size // 2]))
    place = draw(spots(size))
    start = draw(st.sampled_from([0, max(size - length, 0), place]))
    return lambda disk: zero(disk, start, start + length)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[Step], int]:
    """A disk's size, what was done to it, and what is left of it: a copy that broke off, or one on a larger disk."""
    size = draw(sizes())
    steps = draw(st.lists(contents(size), min_size=1, max_size=3)) + draw(st.lists(cleanings(size), max_size=3))
    left = draw(st.sampled_from([size, size, size // 2, size * 3 // 4, size * 2]))
    return size, steps, max(left // 4096 * 4096, 16 * MIB)


# ---- what a look takes, and what it owes at each place


@pytest.mark.parametrize("size", [4 * GIB, 16 * GIB, 2048 * GIB], ids=["4G", "16G", "2T"])
def test_a_look_reads_little_and_writes_nothing(size: int) -> None:
    with a_disk(size) as disk:
        assert judged(disk) == ""


EDGES = [
    pytest.param(size, what, id=f"{what}-{size // MIB}M")
    for size in (16 * MIB, 3 * GIB, 4 * GIB, 64 * GIB - 512, 2048 * GIB)
    for what, group in places(size).items()
    if group
]


@pytest.mark.parametrize(("size", "what"), EDGES)
def test_the_edges_of_every_place_are_looked_at(size: int, what: str) -> None:
    for offsets in apart(edge for start, end in places(size)[what] for edge in (start, end - 1)):
        with a_disk(size) as disk:
            write(disk, dict.fromkeys(offsets, b"\x01"))
            unseen = set(offsets) - set(seen(disk))
            assert not unseen, f"of {size} bytes, in {what}"


# ---- the properties


@given(histories())
def test_what_the_search_finds_is_never_called_blank(history: tuple[int, list[Step], int]) -> None:
    size, steps, left = history
    with a_disk(size) as disk:
        for step in steps:
            step(disk)
        os.truncate(disk, left)
        check(disk)


@examples(0.5)
@given(st.data())
def test_one_byte_at_any_place_that_is_owed_is_enough(data: st.DataObject) -> None:
    size = data.draw(sizes())
    what = data.draw(st.sampled_from([what for what, group in places(size).items() if group]))
    start, end = data.draw(st.sampled_from(places(size)[what]))
    place = data.draw(st.sampled_from([start, end - 1]) | st.integers(start, end - 1))
    with a_disk(size) as disk:
        write(disk, {place: b"\x01"})
        assert judged(disk), f"byte {place} of {size}, in {what}"


@examples(0.3)
@given(st.integers(4 * GIB // 512 + 1, 6 * GIB // 512), st.integers(0, SAMPLES - 1))
def test_data_in_the_middle_of_nowhere_falls_into_a_sample(sectors: int, part: int) -> None:
    size = sectors * 512
    with a_disk(size) as disk:
        write(disk, {min(size * part // SAMPLES // 512 * 512, size - dense(size)): noise(dense(size), "data")})
        assert judged(disk)


@examples(0.4)
@given(sizes(), st.booleans())
def test_a_disk_that_holds_nothing_is_blank(size: int, written: bool) -> None:
    with a_disk(size) as disk:
        if written:  # zeros that are there, as `dd` leaves them
            write(disk, {0: bytes(MIB), size // 2: bytes(MIB), size - MIB: bytes(MIB)})
        assert judged(disk) == ""


@pytest.mark.parametrize("size", [0, 1, 511, 512, 4096, 32 * KIB, MIB, 2 * MIB + 512, 4 * MIB - 512])
def test_a_disk_smaller_than_what_is_looked_at_is_judged_too(size: int) -> None:
    with a_disk(size) as disk:
        assert judged(disk) == ""
        if size:
            write(disk, {size - 1: b"\x01"})
            assert judged(disk)


def test_what_is_said_names_the_place() -> None:
    with a_disk(64 * GIB) as disk, a_disk(64 * GIB) as other:
        write(disk, {0: b"\x01"})
        write(other, {64 * GIB - 1: b"\x01"})
        assert judged(disk) != judged(other)


@pytest.mark.parametrize("one", STRUCTURES, ids=lambda one: one.name)
def test_every_structure_by_itself(one: Structure) -> None:
    for size in (one.smallest, 500 * GIB):
        made = [one.make(size, sector) for sector in (512, 4096)]
        for pieces in made if made[0] != made[1] else made[:1]:
            with a_disk(size) as disk:
                write(disk, pieces)
                check(disk)
