"""Deliver a tree in a process of its own: `python -m tests.tree.delivering ROOT COMMAND`, with the files as JSON on standard input.

`once` writes, and prints what stood against it; `often` writes again and again until there is no file ROOT/go any more; `hold`
holds the project until standard input ends; `full`, `no names` and `read-only` do to the file system of ROOT what they say.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from fluxstead.tree.delivery import deliver, look
from fluxstead.tree.lock import locked
from tests.tree.cut_off import FIRST, SECOND, desired, disk, leftovers, written

PAGE = 4096


def once(root: Path, files: dict[str, str]) -> dict[str, Any]:
    """One delivery."""
    found = deliver(desired(root, files)).findings
    return {"ids": [one.id for one in found], "text": "\n".join(one.text() for one in found)}


def often(root: Path, files: dict[str, str]) -> dict[str, Any]:
    """Deliveries, each of which may meet those of others."""
    count = 0
    refused = []
    started_by = os.getppid()
    while (root / "go").exists() and os.getppid() == started_by:
        refused += [one.text() for one in deliver(desired(root, files)).findings]
        count += 1
        if count == 1:
            _say("once")
    return {"count": count, "refused": refused}


def hold(root: Path) -> None:
    """Hold the project as a run that writes does, and say so."""
    with locked(root, alone=True, say=sys.stderr.write):
        _say("held")
        sys.stdin.read()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def full(root: Path, *, names: bool) -> list[dict[str, Any]]:
    """A tree on a full file system, with room for none to many pages or names: what was said, and how the tree was left."""
    answers = []
    ballast = root / "ballast"
    ballast.mkdir()
    for left in range(14):
        for folder in ("generated", "clusters"):
            shutil.rmtree(root / folder, ignore_errors=True)
        written(root, FIRST)
        before = disk(root / "generated")
        _fill(ballast, left, PAGE if not names else 0)
        seen = once(root, SECOND)
        for file in ballast.iterdir():
            file.unlink()
        answer = {**seen, "left": left, "as before": disk(root / "generated") == before, "leftovers": leftovers(root)}
        written(root, SECOND)
        answers.append({**answer, "carried on": _is(root, SECOND)})
    return answers


def _fill(ballast: Path, left: int, size: int) -> None:
    """Files of one size until no more fit, and then without the last ones."""
    made: list[Path] = []
    try:
        while True:
            made.append(ballast / str(len(made)))
            with made[-1].open("wb", buffering=0) as file:
                file.write(b"x" * size)
    except OSError:
        for file_that_goes in made[max(0, len(made) - 1 - left) :]:
            file_that_goes.unlink(missing_ok=True)


def read_only(root: Path) -> dict[str, Any]:
    """A tree on a file system that is mounted read-only: what was said, and how the tree was left."""
    written(root, FIRST)
    before = disk(root)
    subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
    looked = look(desired(root, SECOND))
    same = look(desired(root, FIRST))
    seen = once(root, SECOND)
    answer = {
        **seen,
        "looked": [one.id for one in looked.findings],
        "as before": disk(root) == before,
        "nothing to do": same.nothing_to_do and not deliver(desired(root, FIRST)).findings,
    }
    subprocess.run(["mount", "-o", "remount,rw", str(root)], check=True)
    written(root, SECOND)
    return {**answer, "carried on": _is(root, SECOND)}


def _is(root: Path, files: dict[str, str]) -> bool:
    tree = root / "generated/test"
    return {path: text for path, text in disk(tree).items() if text is not None and path != ".fluxstead.json"} == files


def main(root: Path, command: str) -> object:
    """Do what is asked."""
    match command:
        case "hold":
            hold(root)
            return None
        case "full" | "no names":
            return full(root, names=command == "no names")
        case "read-only":
            return read_only(root)
        case "often":
            return often(root, json.load(sys.stdin))
        case _:
            return once(root, json.load(sys.stdin))


if __name__ == "__main__":
    result = main(Path(sys.argv[1]), sys.argv[2])
    if result is not None:
        json.dump(result, sys.stdout)
