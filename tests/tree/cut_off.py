"""Runs of the writer that are ended at their n-th system call: `python -m tests.tree.cut_off FOLDER WHICH` prints the outcomes.

Each run is a process of its own, which ends itself; the calls are counted where Python hands them to the system.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluxstead.tree.delivery import Delivery, Desired, deliver, look
from fluxstead.tree.staging import SCRATCH

CALLS = ("open", "write", "fsync", "fchmod", "close", "replace", "unlink", "mkdir", "rmdir")
FIRST = {"README.md": "one\n", "apps.yaml": "a: 1\n", "apps/a.yaml": "a: 1\n", "apps/b/c.yaml": "c: 1\n", "old/d.yaml": "d: 1\n"}
SECOND = {
    "README.md": "two\n" * 9,
    "apps.yaml": "a: 1\n",
    "apps/a.yaml": "a: 2\n",
    "apps/b/e.yaml": "e: 2\n",
    "new/f/g.yaml": "g: 2\n",
}
THIRD = {"README.md": "three\n", "apps/a.yaml": "a: 3\n", "old/d.yaml": "d: 3\n", "third.yaml": "t: 3\n"}
BY_HAND = "by: hand\n"
DIRECTORY = "generated/test"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""What is killed is a process, so that the medium makes no difference but in time."""


@dataclass
class Outcome:
    """The outcome of one run that was cut off and of the runs after it: problems in words, or none."""

    call: str
    problems: list[str]


def desired(root: Path, files: Mapping[str, str], *, overwrite: bool = False) -> Desired:
    """A tree of these files."""
    return Desired(root=root, cluster="test", directory=DIRECTORY, place="", files=files, overwrite=overwrite, say=sys.stderr.write)


def disk(root: Path) -> dict[str, str | None]:
    """Everything below a folder: files with their text, folders with none."""
    return {str(path.relative_to(root)): None if path.is_dir() else path.read_text() for path in sorted(root.rglob("*"))}


def leftovers(root: Path) -> list[str]:
    """Temporary files that were not moved to their final names."""
    return [path for path in disk(root) if SCRATCH.fullmatch(path.rpartition("/")[2])]


class Counting:
    """The system's calls, counted from 1; `at` is told of each before it is made, and after."""

    def __init__(self, at: Callable[[int, str, tuple[Any, ...]], None], then: Callable[[int], None] = lambda _: None) -> None:
        self.made = 0
        self._at, self._then = at, then
        for name in CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **options)
            self.made += 1
            number = self.made
            self._at(number, name, arguments)
            try:
                return real(*arguments, **options)
            finally:
                self._then(number)

        return call


def in_a_process(work: Callable[[], object]) -> int:
    """Does the work in a child process; gives its exit status, or minus the signal that ended it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    except KeyboardInterrupt:
        os._exit(130)
    except BaseException:  # noqa: BLE001 -- the parent is told by the status
        os._exit(1)


def killed(number: int, root: Path, files: Mapping[str, str], name_of_call: Path) -> None:
    """Deliver, and be killed at the n-th call; of a write, half of the bytes reach the disk."""
    write = os.write

    def at(count: int, name: str, arguments: tuple[Any, ...]) -> None:
        if count == number:
            if name == "write":
                write(arguments[0], arguments[1][: len(arguments[1]) // 2])
            name_of_call.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    Counting(at)
    deliver(desired(root, files))


def interrupted(number: int, root: Path, files: Mapping[str, str], *, after: bool) -> None:
    """Deliver, and get a Ctrl-C before or after the n-th call."""
    at = lambda count, *_: os.kill(os.getpid(), signal.SIGINT) if count == number and not after else None  # noqa: E731
    then = lambda count: os.kill(os.getpid(), signal.SIGINT) if count == number and after else None  # noqa: E731
    Counting(at, then)
    deliver(desired(root, files))


def written(root: Path, files: Mapping[str, str]) -> Delivery:
    """Deliver; any finding is an error of the test."""
    delivery = deliver(desired(root, files))
    assert not delivery.findings, [finding.text() for finding in delivery.findings]
    return delivery


def outcomes(folder: Path, before: Mapping[str, str] | None, files: Mapping[str, str]) -> Iterator[Outcome]:
    """The outcome of a run from one tree to another, for each call at which it can be killed."""
    start, whole, third = folder / "start", folder / "whole", folder / "third"
    start.mkdir(parents=True)
    if before is not None:
        written(start, before)
    for target, wanted in ((whole, files), (third, THIRD)):
        shutil.copytree(start, target)
        written(target, wanted)
    cut, after, call = folder / "cut", folder / "after", folder / "call"
    for number in range(1, 1000):
        shutil.copytree(start, cut)
        status = in_a_process(lambda number=number: killed(number, cut, files, call))  # type: ignore[misc]
        if status == 0:
            shutil.rmtree(cut)
            return
        assert status == -signal.SIGKILL
        problems = list(_halves(cut, before or {}, files))
        for wanted, expected in ((files, whole), (THIRD, third)):
            shutil.copytree(cut, after)
            problems += _next(after, wanted, expected)
            shutil.rmtree(after)
        problems += _edited(cut, files, number)
        yield Outcome(f"{number} {call.read_text()}", problems)
        shutil.rmtree(cut)


def _halves(root: Path, before: Mapping[str, str], files: Mapping[str, str]) -> Iterator[str]:
    """Files that belong neither to the old tree nor to the new one."""
    for path, text in disk(root / DIRECTORY).items():
        name = path.rpartition("/")[2]
        if text is not None and not name.startswith(".fluxstead") and text not in {before.get(path), files.get(path)}:
            yield f"{path} is {text!r}"


def _next(root: Path, files: Mapping[str, str], expected: Path) -> Iterator[str]:
    """The run after it, with the same description or another."""
    seen = look(desired(root, files))
    if "tree/deleted" in {finding.id for finding in seen.differences()} and leftovers(root):
        yield "what was not written yet is said to be deleted by hand"
    for finding in deliver(desired(root, files)).findings:
        yield finding.text()
    found, wanted = disk(root), disk(expected)
    if found != wanted:
        yield f"the next run made {sorted(found.items() - wanted.items())} of {sorted(wanted.items() - found.items())}"


def _edited(root: Path, files: Mapping[str, str], number: int) -> Iterator[str]:
    """A hand that edits a file of the half-written tree is noticed, and loses nothing. One file for each number, in turn."""
    there = [path for path in sorted((root / DIRECTORY).rglob("*.*")) if path.is_file() and ".fluxstead" not in path.name]
    for file in there[number % len(there) :][:1] if there else ():
        file.write_text(BY_HAND)
        found = [finding for finding in deliver(desired(root, files)).findings if finding.id == "tree/edited"]
        if len(found) != 1 or file.read_text() != BY_HAND:
            yield f"an edit of {file.name} came to nothing"


def interruptions(folder: Path, before: Mapping[str, str], files: Mapping[str, str]) -> Iterator[Outcome]:
    """The same for Ctrl-C, after which nothing may be left."""
    start, whole, cut = folder / "start", folder / "whole", folder / "cut"
    start.mkdir(parents=True)
    written(start, before)
    shutil.copytree(start, whole)
    written(whole, files)
    for after in (False, True):
        for number in range(1, 1000):
            shutil.copytree(start, cut)
            status = in_a_process(lambda number=number, after=after: interrupted(number, cut, files, after=after))  # type: ignore[misc]
            problems = [f"{path} is left" for path in leftovers(cut)]
            problems += [f"exit status {status}"] if status not in {0, 130} else []
            written(cut, files)
            problems += ["the next run did not carry on"] if disk(cut) != disk(whole) else []
            shutil.rmtree(cut)
            if status == 0:
                break
            yield Outcome(f"{number} {'after' if after else 'before'}", problems)


def trace(root: Path, files: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The calls of one run in their order, each with the paths that it is about."""
    calls: list[tuple[str, str, str]] = []
    open_files: dict[int, str] = {}
    really_open = os.open

    def noted(path: Any, flags: int, *more: Any, **options: Any) -> int:
        handle = really_open(path, flags, *more, **options)
        open_files[handle] = str(path)
        return handle

    os.open = noted

    def at(_: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name != "close":
            first = open_files.get(arguments[0], "") if isinstance(arguments[0], int) else str(arguments[0])
            calls.append((name, first, str(arguments[1]) if name == "replace" else ""))

    Counting(at)
    written(root, files)
    return calls


def main(folder: Path, which: str) -> list[Any]:
    """What a test asks of it."""
    # As in the foreground; a shell's background ignores it, and Python then leaves it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    match which:
        case "the first tree":
            return [asdict(one) for one in outcomes(folder, None, FIRST)]
        case "another tree":
            return [asdict(one) for one in outcomes(folder, FIRST, SECOND)]
        case "no file":
            return [asdict(one) for one in outcomes(folder, FIRST, {})]
        case "Ctrl-C":
            return [asdict(one) for one in interruptions(folder, FIRST, SECOND)]
        case _:
            written(folder, FIRST)
            return [[name, *(path.removeprefix(f"{folder}/") for path in paths)] for name, *paths in trace(folder, SECOND)]


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), sys.argv[2]), sys.stdout)
