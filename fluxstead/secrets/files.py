"""Files as they lie there, read so that what is changed is never taken for absent."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath

_LONGEST = 32 * 1024**2
"""What the checks read of a manifest, too (`checks/reading/store.py`)."""


class NotRead(Exception):  # noqa: N818 -- said to people as it is
    """Something is there that is no file of text; the text says what."""


def text_of(root: Path, path: str) -> str | None:
    """What a file below `root` holds, byte for byte; None only where there is nothing. Raises NotRead: a link is something, too."""
    file = root / path
    linked = next((above for above in reversed(PurePosixPath(path).parents) if (root / above).is_symlink() and above.name), None)
    if linked:
        raise NotRead(f"{linked} is a link, which Flux does not follow, and behind which may be anything")
    try:
        found = file.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise NotRead("it is a link, which Flux does not follow, and which would become a file")
        if not stat.S_ISREG(found.st_mode):
            raise NotRead("it is not a file")
        if found.st_size > _LONGEST:
            raise NotRead(f"it has {found.st_size // 1024**2} MiB")
        text = file.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise NotRead("it is not UTF-8 text") from None
    except OSError as problem:
        raise NotRead(problem.strerror or str(problem)) from None
    if "\0" in text:
        raise NotRead("it is not text")
    return text
