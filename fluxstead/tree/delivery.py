"""Delivering the tree: the one way in which `render` and `up` look at the disk and write to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fluxstead.core.findings import Finding
from fluxstead.tree.entry import entry_path, missing_entry, write_entry
from fluxstead.tree.owned import RECORD, Change, Difference, compare, write

_HAND_MADE = frozenset({"tree/edited", "tree/record"})
"""What the operator may decide to overwrite; what stands in the way otherwise has to be moved by hand."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What writing the tree would change, and what stands against it. Paths are from the project's root."""

    root: Path
    cluster: str
    directory: str
    difference: Difference
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]

    @property
    def nothing_to_do(self) -> bool:
        """Whether the disk, the record included, is what would be written."""
        return not self.changes and self.difference.recorded

    def write(self) -> None:
        """Write it. Only where there are no findings. Raises OSError where the disk refuses."""
        write(self.root, self.directory, self.difference)
        if missing_entry(self.root, self.cluster):
            write_entry(self.root, self.cluster, self.directory)

    def summary(self) -> list[str]:
        """A line for each file that is touched."""
        lines = [f"{change.verb} {change.path}" for change in self.changes]
        if not lines and not self.difference.recorded:
            lines.append(f"renew {self.directory}/{RECORD}")
        return lines


def prepare(root: Path, cluster: str, directory: str, files: Mapping[str, str], *, overwrite: bool) -> Delivery:
    """Look at the disk. With `overwrite`, what was edited by hand no longer stands against the write."""
    difference = compare(root, directory, files)
    changes = [Change(f"{directory}/{change.path}", change.before, change.after) for change in difference.changes]
    if missing_entry(root, cluster):
        changes.append(Change(entry_path(cluster), None, ""))
    findings = tuple(finding for finding in difference.findings if not (overwrite and finding.id in _HAND_MADE))
    return Delivery(root, cluster, directory, difference, findings, tuple(changes))
