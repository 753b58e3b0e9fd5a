"""What holds a secret (failure F22), by its name or by the looks of its value."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?:^|_)(?:PASS|PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|APIKEY"
    r"|(?<!PUBLIC_)(?<!CACHE_)(?<!SORT_)(?<!PARTITION_)(?<!PRIMARY_)KEY(?:_BASE)?)$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# A URL with a password, a private key, and the tokens that say themselves what they are (GitHub, GitLab, Slack, AWS, age).
_VALUE = re.compile(
    r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?:gh[pousr]_|github_pat_|glpat-|xox[abps]-|AKIA|AGE-SECRET-KEY-1)[A-Za-z0-9_-]{12,}"
)


_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "0", "1"})


def is_secret(name: str, value: str) -> bool:
    """Whether the variable's value is to be kept from the repository.

    A switch, such as whether to allow an empty password, is not a secret; nor is the path of a file that holds one.
    """
    if _VALUE.search(value):
        return True
    if value.lower() in _SWITCHES or value.startswith("/"):
        return False
    return _NAME.search(_HUMP.sub("_", name).upper()) is not None


_SIGNS = (
    "://",
    "PRIVATE KEY-----",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "AKIA",
    "AGE-SECRET-KEY-1",
)


def secret_in(text: str) -> str | None:
    """The beginning of the first thing in `text` that says itself that it is a secret; None where there is none."""
    if not any(sign in text for sign in _SIGNS):
        return None
    found = _VALUE.search(text)
    return found[0][:16] if found else None
