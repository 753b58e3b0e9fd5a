"""A disk is called blank only when nothing stands at any place that is looked at: on raw images, judged by a search of its own.

What is owed at which places is `promise.py`'s; a layout that leaves something only elsewhere is no case of these tests.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fluxstead.hosts.script.evidence import gather, where
from fluxstead.hosts.script.evidence import places as spans
from tests.conftest import examples

from .layouts import CLEANINGS, FILESYSTEMS, STARTS, missing, table
from .promise import SAMPLES, allowance, dense, owed, places
from .search import nonzero, search
from .structures import STRUCTURES, shifted
from .structures.checksums import GIB, KIB, MIB, noise
from .structures.images import create, write, zero

READS = 16_384
"""How many reads a look may take: on a disk that turns, each may be a seek."""


def direct(folder: str) -> bool:
    """Whether files there can be read past the page cache, as disks are; of a file system in memory, since Linux 6.6."""
    with tempfile.TemporaryFile(dir=folder) as file, suppress(OSError):
        os.close(os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY | os.O_DIRECT))
        return True
    return False


# In memory, holes are read without filling a cache, which is most of what a look at a sparse file takes.
ROOM = "/dev/shm" if os.access("/dev/shm", os.W_OK) and direct("/dev/shm") else tempfile.gettempdir()
if not direct(ROOM):
    pytest.skip("the file system of temporary files has no direct reads", allow_module_level=True)


@contextmanager
def a_disk(size: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=ROOM) as folder:
        disk = Path(folder) / "disk"
        create(disk, size)
        yield disk


def counters() -> Mapping[str, int]:
    lines = Path("/proc/self/io").read_text().splitlines()
    return {key: int(value) for key, value in (line.split(": ") for line in lines)}


def judged(disk: Path) -> str:
    """What is said of the disk; that it is said within bounds, and that nothing is written, is asserted on the way."""
    before, state = counters(), disk.stat()
    said = where(gather(str(disk), spans(state.st_size)).found)
    after = counters()
    assert after["rchar"] - before["rchar"] <= allowance(state.st_size)
    assert after["syscr"] - before["syscr"] <= READS
    assert after["wchar"] == before["wchar"]
    left = disk.stat()
    assert (left.st_mtime_ns, left.st_blocks, left.st_size) == (state.st_mtime_ns, state.st_blocks, state.st_size)
    assert isinstance(said, str)
    return said


def check(disk: Path) -> None:
    """The property: never "blank" where something is owed; always where there is nothing at all."""
    there = owed(disk)
    said = judged(disk)
    if there:
        assert said, f"called blank, with {there}"
    elif not nonzero(disk):
        assert not said


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
    group = places(size)[what]
    for start, end in {*group[:3], group[len(group) * 2 // 3], group[-1]}:
        for place in (start, end - 1):
            with a_disk(size) as disk:
                write(disk, {place: b"\x01"})
                assert judged(disk), f"byte {place} of {size}, in {what}"


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
def test_every_structure_by_itself(one: object) -> None:
    structure = next(known for known in STRUCTURES if known is one)
    for size in (structure.smallest, 500 * GIB):
        for sector in (512, 4096):
            with a_disk(size) as disk:
                write(disk, structure.make(size, sector))
                check(disk)


# ---- what real tools leave

LAYOUTS = [(name, start, "wipefs -a") for name in FILESYSTEMS for start in STARTS]
LAYOUTS += [(name, "1 MiB", cleaning) for name in FILESYSTEMS for cleaning in CLEANINGS if cleaning != "wipefs -a"]
LAYOUTS += [
    ("ext4", start, cleaning) for start in ("sector 63", "2 MiB") for cleaning in ("sgdisk --zap-all", "dd of the first GiB")
]


@pytest.mark.parametrize(("name", "start", "cleaning"), LAYOUTS, ids=[", ".join(layout) for layout in LAYOUTS])
def test_what_real_tools_made_and_people_cleaned(name: str, start: str, cleaning: str) -> None:
    filesystem, (needs, clean) = FILESYSTEMS[name], CLEANINGS[cleaning]
    if absent := missing("sfdisk", filesystem.needs, needs):
        pytest.skip(f"needs {absent}")
    size = 8 * GIB
    with a_disk(size) as disk:
        begin = STARTS[start]
        filesystem.make(disk, begin, (size - begin - MIB) // MIB * MIB)
        if begin:
            table(disk, "dos" if start == "sector 63" else "gpt", begin)
        assert filesystem.found in {found.kind for found in search(disk)}
        clean(disk)
        check(disk)
