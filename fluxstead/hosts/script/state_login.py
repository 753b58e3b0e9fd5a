"""The login by which a server sends copies into a bucket: told in a mode of its own, and left in one file of root's."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any, Dict

from fluxstead.hosts.script.model import WrongUseError
from fluxstead.hosts.script.state_files import STORE_LOGIN
from fluxstead.hosts.script.tools import text_of

LOGIN_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def read_login(payload: str) -> Dict[str, str]:
    """The login in the payload. A WrongUseError shows nothing of it."""
    found = json.loads(payload).get("login")
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) and found[key].isprintable() for key in LOGIN_KEYS):
        raise WrongUseError(f"login has not {' and '.join(LOGIN_KEYS)}, each one line")
    return {key: found[key] for key in LOGIN_KEYS}


def handed_over(login: Dict[str, str]) -> Dict[str, Any]:
    """The file, replaced whole, and by one that nobody else had open."""
    text = json.dumps(login) + "\n"
    same = text_of(STORE_LOGIN) == text and not os.stat(STORE_LOGIN).st_mode & 0o077
    if not same:
        os.makedirs(os.path.dirname(STORE_LOGIN), mode=0o755, exist_ok=True)
        temporary = f"{STORE_LOGIN}.fluxstead"
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, STORE_LOGIN)
    return {"status": "fine", "changed": not same, "why": []}
