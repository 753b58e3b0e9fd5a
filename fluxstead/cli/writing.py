"""What commands that change the operator's own files share: the project is theirs meanwhile, and trouble is told in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fluxstead.cli.project import tell
from fluxstead.description.edit import NotEdited
from fluxstead.tree.lock import Busy, locked
from fluxstead.tree.staging import NotWritten, replace_files

TROUBLE = (NotEdited, NotWritten, Busy)


def change_files(root: Path, texts: Callable[[], Mapping[str, str]]) -> bool:
    """Put files of the project into place, by their paths from its folder; whether it was done, which is told otherwise.

    `texts` is asked once no other run changes the project.
    """
    try:
        with locked(root, alone=True, say=tell):
            replace_files({root / path: text for path, text in texts().items()})
    except TROUBLE as trouble:
        tell(in_words(trouble))
        return False
    return True


def in_words(trouble: Exception) -> str:
    """Why a file of the operator's was not changed."""
    if isinstance(trouble, NotEdited):
        return f"the description is written in a way that is not changed here; write into it: {trouble}"
    return f"the project is locked by {trouble.holder}" if isinstance(trouble, Busy) else f"not written: {trouble}"
