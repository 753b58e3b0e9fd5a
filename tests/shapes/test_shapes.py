"""Whatever stands in the files, well typed or not, gives findings: never a traceback, in bounded time and memory.

A run by hand with more examples, on all that is planted: `./run test tests/shapes --hypothesis-profile=thorough`.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from resource import RLIMIT_AS, getrlimit, setrlimit
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.checks.hand_written import cluster_at, clusters_in
from fluxstead.cli.formats import FORMATS, formatted
from fluxstead.cli.project import printable
from fluxstead.core.findings import Finding
from fluxstead.core.platform import Platform
from fluxstead.embedded import run_program
from fluxstead.roster import SYSTEM_FACTS, judged
from tests.checks.planted import BUNDLED, HOME, Planted, look
from tests.conftest import examples
from tests.shapes.mutants import Files, Spoiler
from tests.shapes.trees import ALL, DESCRIPTIONS, EVERYTHING, POOL, TREES, WITH_A_SET

SECONDS = 10.0
"""Of processor time for one example, which takes a tenth of a second; the slowest that is known, one."""
MEMORY = 4 * 1024**3

randoms = st.randoms(use_true_random=False)


class TooLong(BaseException):
    """Not to be caught by anything on the way."""


@contextmanager
def within_bounds() -> Iterator[None]:
    """End what takes too long, and what takes too much memory."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    limits = getrlimit(RLIMIT_AS)
    setrlimit(RLIMIT_AS, (MEMORY, limits[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        setrlimit(RLIMIT_AS, limits)
        signal.signal(signal.SIGVTALRM, before)


def show(found: Iterable[Finding]) -> None:
    """Each can be sorted among the others, and printed in every form."""
    findings = sorted(found)
    for how in FORMATS:
        printable(formatted(findings, how)).encode()


def texts(files: Files) -> Mapping[str, str]:
    """As a commit's files are read."""
    return {path: content if isinstance(content, str) else content.decode("utf-8", "replace") for path, content in files.items()}


def put(root: Path, files: Files) -> None:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))


@examples(3)
@given(randoms, st.sampled_from([*TREES, *[ALL, WITH_A_SET] * (len(TREES) // 2)]), st.sampled_from([HOME, BUNDLED, None]))
def test_a_spoilt_tree_gives_findings(random: Random, planted: Planted, platform: Platform | None) -> None:
    """Beside the one before it, whole or spoilt as well."""
    before = planted.files if planted.before is None else planted.before
    if random.random() < 0.3:
        before = texts(Spoiler(random, POOL).spoilt(before))
    files = texts(Spoiler(random, POOL).spoilt(planted.files))
    with within_bounds():
        show(look(replace(planted, before=before, platform=platform), files))


@examples(2)
@given(randoms)
def test_a_spoilt_repository_gives_findings(random: Random) -> None:
    """On the disk, where files need not be text, and nobody says where Flux begins."""
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), Spoiler(random, POOL).spoilt(EVERYTHING))
        with within_bounds():
            clusters = [*clusters_in(Path(folder), SYSTEM_FACTS).values(), cluster_at(Path(folder), "clusters/home", SYSTEM_FACTS)]
            said = [one for past in clusters for one in judged(past)]
            show(one for one in said if isinstance(one, Finding))


@examples(3)
@given(randoms, st.sampled_from(DESCRIPTIONS))
def test_a_spoilt_description_gives_findings(random: Random, described: tuple[str, Mapping[str, str]]) -> None:
    """With the directories and the entry that people wrote."""
    stack, files = described
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), Spoiler(random, POOL).spoilt(files))
        with within_bounds():
            result = run_program(Path(folder), stack)
            show(result.findings)
            assert result.assembled is None or result.assembled.files


@pytest.mark.parametrize("planted", [ALL, WITH_A_SET], ids=["everything", "with a set"])
def test_the_large_trees_are_read_to_the_end(planted: Planted) -> None:
    """Otherwise nothing after their first mistake would ever be tested."""
    found = {finding.id for finding in look(planted, planted.files)}
    assert not {"references/not-yaml", "coldstart/deadlock"} & found
    assert len(found) > 10
