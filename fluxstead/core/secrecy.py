"""What holds a secret (failure F22), judged by its name or by what its value looks like."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?:^|_)(?:PASS|PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|APIKEY"
    r"|(?<!PUBLIC_)(?<!CACHE_)(?<!SORT_)(?<!PARTITION_)(?<!PRIMARY_)KEY(?:_BASE)?)$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# A URL with a password (unless that is filled in later, as in `amqp://web:$(PASSWORD)@mq`), a private key, and tokens that show
# what they are (GitHub, GitLab, Slack, AWS, age).
_VALUE = re.compile(
    r"[a-z][a-z0-9+.-]{0,40}://[^/\s:@]*:(?!\$[({A-Z]|[{<])[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?:gh[pousr]_|github_pat_|glpat-|xox[abps]-|AKIA|AGE-SECRET-KEY-1)[A-Za-z0-9_-]{12,}"
)


_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "0", "1"})


def is_secret(name: str, value: str) -> bool:
    """Whether the variable's value must be kept out of the repository.

    A switch, such as whether to allow an empty password, is not a secret; nor is the path of a file that holds one.
    """
    if _VALUE.search(value):
        return True
    if value.lower() in _SWITCHES or value.startswith("/"):
        return False
    return _NAME.search(_as_words(name)) is not None


_WORDS = re.compile(
    r"(?:^|_)(?:PASS|PASSWORD|PASSWD|PASSPHRASE|(?<!EXISTING_)(?<!PULL_)(?<!TLS_)SECRET|TOKEN|CREDENTIALS?"
    r"|API_?KEY|KEY_BASE|(?:SECRET|ACCESS|PRIVATE|ENCRYPTION|SIGNING|AUTH|MASTER|ADMIN|ROOT)_KEY)_?[0-9]*$"
)
_ELSEWHERE = re.compile(
    r"[$/~.]|ENC\[|ref\+|(?:vault|file|env|secret|k8s):|ssh-|age1|-----BEGIN (?:CERTIFICATE|PUBLIC)|.*(?:://|\$[({]|\{\{|<<)|.*\s"
)
"""Values that say where something is, that are filled in later, or that may be public."""
_NAME_OF_A_SECRET = re.compile(r"[a-z]+(?:[-.][a-z0-9]+)+")
_A_NUMBER = re.compile(r"[0-9]+(?:ms|[smhd])?")


def may_be_secret(name: str, value: str) -> bool:
    """Whether a variable or key of this name holds a secret that can be read here, as far as a name shows.

    `CLIENT_SECRET: web-oauth` may as well be the name of a Secret, `passwordSecretKey: password` that of a key in one, and
    `TOKEN: 3600` how long one lasts.
    """
    found = _WORDS.search(_as_words(name))
    if not found or value.lower() in _SWITCHES or _ELSEWHERE.match(value.strip()):
        return False
    word = found[0].strip("_")
    if word.startswith("PASS"):
        return True
    if word.endswith("KEY"):
        return not _WORDS.search(_as_words(value))
    names_one = not word.startswith("TOKEN") and _NAME_OF_A_SECRET.fullmatch(value)
    return not (names_one or _A_NUMBER.fullmatch(value))


def _as_words(name: str) -> str:
    return re.sub(r"[-.]", "_", _HUMP.sub("_", name)).upper()


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
    """The start of the first thing in `text` that shows that it is a secret; None where there is none."""
    if not any(sign in text for sign in _SIGNS):
        return None
    found = _VALUE.search(text)
    return found[0][:16] if found else None
