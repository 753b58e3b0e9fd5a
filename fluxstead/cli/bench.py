"""`./run bench`: speed as ratios within one run, so that the machine's own speed cancels out."""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import yaml

from fluxstead.assembly import Assembled, evidence_of
from fluxstead.checks.reading.repository import history_ahead
from fluxstead.cli import REPOSITORY
from fluxstead.cli.synthetic import write_project
from fluxstead.embedded import run_program
from fluxstead.roster import judged

_BASELINE = "import pulumi, pydantic, yaml"
_SIZES = (10, 100, 1000)
# What the project promises (docs/architecture.md, "Speed").
_MOST_WHOLE, _MOST_GENERATION, _MOST_CHECKS = 1.6, 2.8, 1.6
_CLUSTERS = (("reference", REPOSITORY, "k3s-flux"), ("example", REPOSITORY / "examples/edge", "edge"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--runs", type=_at_least_one, default=7, metavar="N", help="runs of each, of which the median counts (7)")


def _at_least_one(text: str) -> int:
    """A number of runs that has a median."""
    return max(1, int(text))


def run(options: argparse.Namespace) -> int:
    """Measure and print. Gives 1 where a promise is not kept."""
    kept = [_whole(options.runs), *_generation(options.runs), *_checks(options.runs)]
    _memory()
    return int(not all(kept))


def _whole(runs: int) -> bool:
    """The whole command, as a person starts it, against the imports that it needs anyway."""
    command = [str(REPOSITORY / "run"), "render", "--check"]
    ours, baseline = _pairs(runs, lambda: _spawn(command), lambda: _spawn([sys.executable, "-c", _BASELINE]))
    ratio = statistics.median(one / other for one, other in zip(ours, baseline, strict=True))
    print(f"whole render --check / imports alone    {ratio:5.2f}   (at most {_MOST_WHOLE}; {statistics.median(ours):.3f} s)")
    return ratio <= _MOST_WHOLE


def _generation(runs: int) -> list[bool]:
    """From the description's files to the tree's bytes, against PyYAML's C dumper alone on the same objects."""
    kept = []
    for size in _SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_project(Path(folder), nodes=size, apps=size)
            assembled = _assembled(Path(folder))
            objects = [file.object for file in assembled.tree]
            ours, baseline = _pairs(runs, partial(_assembled, Path(folder)), partial(_dump, objects))
        ratio = statistics.median(one / other for one, other in zip(ours, baseline, strict=True))
        each = statistics.median(ours) / len(assembled.files) * 1000
        print(
            f"generation / dumping alone, {size:4} + {size:<4}  {ratio:5.2f}   (at most {_MOST_GENERATION};"
            f" {len(assembled.files)} files, {each:.2f} ms each)",
            flush=True,
        )
        kept.append(ratio <= _MOST_GENERATION)
    return kept


def _checks(runs: int) -> list[bool]:
    """All checks alone, including reading the tree as Flux would, against loading and dumping the same files.

    Most of a small cluster's time is starting Git.
    """
    kept = [_checks_of(name, run_program(root, stack).assembled, root, runs) for name, root, stack in _CLUSTERS]
    for size in _SIZES[::2]:
        with tempfile.TemporaryDirectory() as folder:
            write_project(Path(folder), nodes=size, apps=size)
            kept.append(_checks_of(f"{size:4} + {size:<4}", _assembled(Path(folder)), Path(folder), runs))
    return kept


def _checks_of(name: str, assembled: Assembled | None, root: Path, runs: int) -> bool:
    if assembled is None:
        raise SystemExit(f"the {name} cluster has no tree")
    tree, description = assembled.tree, assembled.description
    files = [(file.text, file.object) for file in tree]

    def ours() -> None:
        judged(evidence_of(description, assembled.plans, tree, root, history_ahead(root, description.cluster.flux.branch)))

    def baseline() -> None:
        for text, _ in files:
            yaml.load(text, Loader=yaml.CSafeLoader)
        _dump([obj for _, obj in files])

    times, others = _pairs(runs, ours, baseline)
    ratio = statistics.median(one / other for one, other in zip(times, others, strict=True))
    each = statistics.median(times) / len(files) * 1000
    print(
        f"checks / loading and dumping, {name:11} {ratio:5.2f}   (at most {_MOST_CHECKS}; {len(files)} files, {each:.2f} ms each)"
    )
    return ratio <= _MOST_CHECKS


def _memory() -> None:
    size = max(_SIZES)
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), nodes=size, apps=size)
        program = (
            "import resource, sys; from pathlib import Path; from fluxstead.embedded import run_program;"
            "len(run_program(Path(sys.argv[1]), 'synthetic').assembled.files);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        answer = subprocess.run(  # noqa: S603 -- ours
            [sys.executable, "-c", program, folder], cwd=REPOSITORY, check=True, capture_output=True, text=True
        )
    kibibytes = int(answer.stdout.split()[-1])
    print(f"peak memory, {size} + {size}                {kibibytes // 1024:5} MiB")


def _assembled(root: Path) -> Assembled:
    result = run_program(root, "synthetic")
    if result.assembled is None:
        raise SystemExit("\n".join(finding.text() for finding in result.findings[:5]))
    len(result.assembled.files)  # the README is rendered at first use
    return result.assembled


def _dump(objects: Sequence[object]) -> None:
    for obj in objects:
        yaml.dump(obj, Dumper=yaml.CSafeDumper, sort_keys=False)


def _spawn(command: list[str]) -> None:
    subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True)  # noqa: S603 -- ours


def _pairs(runs: int, one: Callable[[], object], other: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Times in seconds of both, alternating, after one warm-up run of each."""
    one()
    other()
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(_seconds(one))
        theirs.append(_seconds(other))
    return ours, theirs


def _seconds(what: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    what()
    return time.perf_counter() - start
