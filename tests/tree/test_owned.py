"""Owned output: what is ours is repaired, what is not is never lost (docs/adr/0002, failure U8)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.tree.owned import compare, write
from fluxstead.tree.record import RECORD, digest
from tests.tree.cut_off import MEMORY

TREE = {"kustomization.yaml": "resources: []\n", "apps/a.yaml": "a: 1\n", "apps/b/c.yaml": "c: 1\n"}
WHERE = "generated/test"


def written(root: Path, files: dict[str, str]) -> None:
    """Write a tree; any finding is an error of the test."""
    difference = compare(root, WHERE, files)
    assert not difference.findings
    write(root, WHERE, difference)


def on_disk(root: Path) -> dict[str, str]:
    """The generated files, without the record."""
    base = root / WHERE
    return {str(path.relative_to(base)): path.read_text() for path in base.rglob("*") if path.is_file() and path.name != RECORD}


def test_a_second_write_changes_nothing(tmp_path: Path) -> None:
    """Not even a timestamp changes."""
    written(tmp_path, TREE)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / WHERE).rglob("*")}
    difference = compare(tmp_path, WHERE, TREE)
    assert not difference.changes
    assert difference.recorded
    write(tmp_path, WHERE, difference)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / WHERE).rglob("*")} == before


def test_a_removed_file_comes_back_and_a_stale_one_goes_with_its_folder(tmp_path: Path) -> None:
    """U8: stale files stayed in the tree."""
    written(tmp_path, TREE)
    (tmp_path / WHERE / "apps/a.yaml").unlink()
    smaller = {path: text for path, text in TREE.items() if path != "apps/b/c.yaml"}
    difference = compare(tmp_path, WHERE, smaller)
    assert [(change.verb, change.path) for change in difference.changes] == [
        ("create", "apps/a.yaml"),
        ("delete", "apps/b/c.yaml"),
    ]
    write(tmp_path, WHERE, difference)
    assert on_disk(tmp_path) == smaller
    assert not (tmp_path / WHERE / "apps/b").exists()


def test_a_hand_edited_file_is_a_finding_that_shows_the_edit(tmp_path: Path) -> None:
    """The line that was changed, and where to move it."""
    written(tmp_path, TREE)
    (tmp_path / WHERE / "apps/a.yaml").write_text("a: 2\n")
    [finding] = compare(tmp_path, WHERE, TREE).findings
    assert (finding.source.file, finding.source.line) == (f"{WHERE}/apps/a.yaml", 1)
    assert "-a: 1" in finding.what
    assert "+a: 2" in finding.what


def test_a_hand_edited_file_that_would_go_is_a_finding_too(tmp_path: Path) -> None:
    """Removing it would lose the edit."""
    written(tmp_path, TREE)
    (tmp_path / WHERE / "apps/a.yaml").write_text("a: 2\n")
    [finding] = compare(tmp_path, WHERE, {"kustomization.yaml": TREE["kustomization.yaml"]}).findings
    assert finding.source.file == f"{WHERE}/apps/a.yaml"


def test_a_file_that_is_not_ours_is_neither_overwritten_nor_removed(tmp_path: Path) -> None:
    """Somebody's own notes beside the tree."""
    (tmp_path / WHERE / "apps").mkdir(parents=True)
    (tmp_path / WHERE / "apps/a.yaml").write_text("mine: true\n")
    (tmp_path / WHERE / "notes.md").write_text("mine\n")
    difference = compare(tmp_path, WHERE, TREE)
    [finding] = difference.findings
    assert "a file that fluxstead did not write is in the way" in finding.what
    assert "notes.md" not in {change.path for change in difference.changes}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": {"a": 3}}', "<<<<<<< HEAD\n", "[" * 100_000])
def test_a_spoiled_record_is_a_finding(tmp_path: Path, text: str) -> None:
    """A merge conflict in the record must not make edits look like ours."""
    written(tmp_path, TREE)
    (tmp_path / WHERE / RECORD).write_text(text)
    assert [finding.id for finding in compare(tmp_path, WHERE, TREE).findings] == ["tree/record"]


def test_the_record_is_the_same_for_the_same_tree(tmp_path: Path) -> None:
    """It is committed, so it must not carry times or orders of its own."""
    written(tmp_path / "one", TREE)
    written(tmp_path / "two", dict(reversed(TREE.items())))
    assert (tmp_path / "one" / WHERE / RECORD).read_bytes() == (tmp_path / "two" / WHERE / RECORD).read_bytes()
    assert set(json.loads((tmp_path / "one" / WHERE / RECORD).read_text())["files"]) == set(TREE)


@given(
    st.lists(st.dictionaries(st.sampled_from(["a.yaml", "b/a.yaml", "b/c.yaml", "d.yaml"]), st.text("xyz", max_size=3)), max_size=4)
)
def test_whatever_came_before_the_disk_is_what_was_written_last(trees: list[dict[str, str]]) -> None:
    """Over any history of trees."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as root:
        for files in trees:
            written(Path(root), files)
            assert on_disk(Path(root)) == files


def test_a_record_that_names_files_outside_the_tree_removes_nothing(tmp_path: Path) -> None:
    """Two dots in a committed file must not delete somebody's home."""
    written(tmp_path, TREE)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    record = json.loads((tmp_path / WHERE / RECORD).read_text())
    record["files"] |= {path: [digest("precious")] for path in ("../../victim", str(victim), RECORD, "a\0b", "./apps/a.yaml", "")}
    (tmp_path / WHERE / RECORD).write_text(json.dumps(record))
    difference = compare(tmp_path, WHERE, TREE)
    assert [finding.id for finding in difference.findings] == ["tree/record"] * 6
    assert not difference.changes
    assert victim.exists()


@pytest.mark.parametrize("place", ["apps", "apps/a.yaml", "apps/b"])
def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path, place: str) -> None:
    """It would change what the link leads to."""
    written(tmp_path, TREE)
    target = tmp_path / WHERE / place
    elsewhere = tmp_path / "elsewhere"
    target.rename(elsewhere)
    target.symlink_to(elsewhere)
    changed = {path: text + "# more\n" for path, text in TREE.items()}
    difference = compare(tmp_path, WHERE, changed)
    assert {finding.id for finding in difference.findings} == {"tree/in-the-way"}
    assert not [change for change in difference.changes if change.path.startswith(place)]


def test_a_folder_or_a_file_in_the_way_is_a_finding(tmp_path: Path) -> None:
    """Never a traceback."""
    (tmp_path / WHERE / "apps/a.yaml").mkdir(parents=True)
    assert {finding.id for finding in compare(tmp_path, WHERE, TREE).findings} == {"tree/in-the-way"}
    (tmp_path / "generated/other").write_text("")
    assert {finding.id for finding in compare(tmp_path, "generated/other", TREE).findings} == {"tree/in-the-way"}


def test_other_line_ends_are_named_as_the_difference(tmp_path: Path) -> None:
    """An empty difference explains nothing."""
    written(tmp_path, TREE)
    (tmp_path / WHERE / "apps/a.yaml").write_bytes(b"a: 1\r\n")
    [finding] = compare(tmp_path, WHERE, TREE).findings
    assert "its line endings" in finding.what
