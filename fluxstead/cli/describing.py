"""What procedures change for good: the operator's description and the tree, read and written as `./run render` does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fluxstead.assembly import Assembled, files_of
from fluxstead.cli.project import print_findings, tell
from fluxstead.cli.writing import TROUBLE, in_words
from fluxstead.core.findings import Finding, counted, errors
from fluxstead.embedded import run_program
from fluxstead.live.procedure import Stopped
from fluxstead.tree.delivery import deliver, look
from fluxstead.tree.entry import entry_path
from fluxstead.tree.lock import locked
from fluxstead.tree.staging import replace_files

_RENDER = "./run render; git add, git commit and git push; then the same command"


class Describing:
    """The files of one stack. See `live.changes.ProjectFiles`."""

    def __init__(self, root: Path, stack: str, assembled: Assembled) -> None:
        self._root, self._stack = root, stack
        name = assembled.description.name
        self._description = tuple(files_of(assembled.description))
        self._generated = (assembled.tree.directory, entry_path(name), *assembled.lists)

    @property
    def description(self) -> Sequence[str]:
        """The stack file and those of the machines."""
        return self._description

    @property
    def generated(self) -> Sequence[str]:
        """The tree, its entry, and the lists of ciphertext."""
        return self._generated

    def look(self) -> None:
        """Raise Stopped where something would be committed that was there before, and is nobody's change now."""
        found = look(self._assembled().desired(self._root, overwrite=False, say=tell))
        _refuse(found.findings, "the tree")
        if not found.nothing_to_do:
            lines = found.summary()
            what = f"{lines[0]}, {counted(len(lines), 'file')}"
            raise Stopped(f"the tree is not what the description says ({what}): that would be committed with it", _RENDER)

    def write(self, texts: Mapping[str, str]) -> None:
        """Put files into place, while no other run changes the project."""
        try:
            with locked(self._root, alone=True, say=tell):
                replace_files({self._root / path: text for path, text in texts.items()})
        except TROUBLE as trouble:
            raise Stopped(in_words(trouble), "what it says; then the same command") from None

    def render(self) -> None:
        """Write the tree; all findings that are in the way are printed."""
        _refuse(deliver(self._assembled().desired(self._root, overwrite=False, say=tell)).findings, "the tree")

    def _assembled(self) -> Assembled:
        run = run_program(self._root, self._stack)
        _refuse(run.findings, "the description")
        if run.assembled is None:
            raise Stopped("the description cannot be used", "./run check")
        return run.assembled


def _refuse(findings: Sequence[Finding], what: str) -> None:
    wrong = errors(findings)
    if wrong:
        print_findings(wrong, "text")
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise Stopped(
            f"{what} would have errors: {wrong[0].what} ({wrong[0].source}){more}", f"{wrong[0].fix}; then the same command"
        )
