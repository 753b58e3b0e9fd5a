"""A disk is called blank only when nothing stands at any place that is looked at: on what real tools and people leave."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from .judged import a_disk, check
from .layouts import CLEANINGS, FILESYSTEMS, STARTS, missing, table
from .search import search
from .structures.checksums import GIB, MIB

SIZE = 8 * GIB
ZAP = "sgdisk --zap-all"
LAYOUTS = [(name, start, "wipefs -a") for name in FILESYSTEMS for start in STARTS]
LAYOUTS += [(name, "1 MiB", cleaning) for name in FILESYSTEMS for cleaning in CLEANINGS if cleaning not in {"wipefs -a", ZAP}]
LAYOUTS += [("ext4", start, "dd of the first GiB") for start in ("sector 63", "2 MiB")]
ZAPPED = [(name, "1 MiB") for name in FILESYSTEMS] + [("ext4", start) for start in ("sector 63", "2 MiB")]


def make(disk: Path, name: str, start: str) -> None:
    """A filesystem by its own tool, in a partition unless it begins at 0; the search finds it."""
    filesystem, begin = FILESYSTEMS[name], STARTS[start]
    filesystem.make(disk, begin, (SIZE - begin - MIB) // MIB * MIB)
    if begin:
        table(disk, "dos" if start == "sector 63" else "gpt", begin)
    assert filesystem.found in {found.kind for found in search(disk)}


@pytest.mark.parametrize(("name", "start", "cleaning"), LAYOUTS, ids=[", ".join(layout) for layout in LAYOUTS])
def test_what_real_tools_made_and_people_cleaned(name: str, start: str, cleaning: str) -> None:
    needs, clean = CLEANINGS[cleaning]
    if absent := missing("sfdisk", FILESYSTEMS[name].needs, needs):
        pytest.skip(f"needs {absent}")
    with a_disk(SIZE) as disk:
        make(disk, name, start)
        clean(disk)
        check(disk)


@pytest.fixture(scope="module")
def zapped() -> Iterator[dict[tuple[str, str], Path]]:
    """The disks that sgdisk cleaned, all at once: it sleeps a second after its last write."""
    needs, clean = CLEANINGS[ZAP]
    possible = [one for one in ZAPPED if not missing("sfdisk", FILESYSTEMS[one[0]].needs, needs)]
    with ExitStack() as stack, ThreadPoolExecutor(len(ZAPPED)) as pool:
        disks = {one: stack.enter_context(a_disk(SIZE)) for one in possible}
        for (name, start), disk in disks.items():
            make(disk, name, start)
        list(pool.map(clean, disks.values()))
        yield disks


@pytest.mark.parametrize("layout", ZAPPED, ids=[", ".join(layout) for layout in ZAPPED])
def test_what_real_tools_made_and_sgdisk_zapped(zapped: dict[tuple[str, str], Path], layout: tuple[str, str]) -> None:
    if layout not in zapped:
        pytest.skip(f"needs {missing('sfdisk', FILESYSTEMS[layout[0]].needs, CLEANINGS[ZAP][0])}")
    check(zapped[layout])
