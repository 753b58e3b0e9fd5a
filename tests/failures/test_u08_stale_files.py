"""U8: stale files stayed in the generated tree, and hand edits vanished silently."""

from __future__ import annotations

from fluxstead.tree.owned import compare, write
from tests.conftest import Project


def test_a_stale_file_goes_and_a_hand_edit_stops_the_write(reference: Project) -> None:
    """Without the record of what was written, the two could not be told apart."""
    assembled = reference.run().assembled
    assert assembled is not None
    directory, root = assembled.tree.directory, reference.root
    write(root, directory, compare(root, directory, {**assembled.files, "stale.yaml": "a: 1\n"}))
    difference = compare(root, directory, assembled.files)
    assert [(change.verb, change.path) for change in difference.changes] == [("delete", "stale.yaml")]
    (root / directory / "stale.yaml").write_text("a: 2\n")
    assert [finding.id for finding in compare(root, directory, assembled.files).findings] == ["tree/edited"]
