"""The login by which a server sends copies into a bucket: told in a mode of its own, and left in one file of root's."""

from __future__ import annotations

import json
import os
from typing import Any, Dict

from fluxstead.hosts.script.files import write_secret
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
    """What was done: nothing, where it lies there and is root's alone."""
    text = json.dumps(login) + "\n"
    same = text_of(STORE_LOGIN) == text and not os.stat(STORE_LOGIN).st_mode & 0o077
    if not same:
        os.makedirs(os.path.dirname(STORE_LOGIN), mode=0o755, exist_ok=True)
        write_secret(STORE_LOGIN, text)
    return {"status": "fine", "changed": not same, "why": []}
