"""What may hold a secret, judged by its name (failure F22). A name proves nothing: what is found here is a suspicion."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fluxstead.core.secret_forms import is_random

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled", "required", "0", "1"})
_WORDS = re.compile(
    r"(?:^|_)(?:PASS|PASSWORD|PASSWD|PASSPHRASE|(?<!EXISTING_)(?<!PULL_)(?<!TLS_)SECRET|TOKEN|CREDENTIALS?"
    r"|API_?KEY|KEY_BASE|(?:SECRET|ACCESS|PRIVATE|ENCRYPTION|SIGNING|AUTH|MASTER|ADMIN|ROOT)_KEY)_?[0-9]*$"
)
_A_KEY = re.compile(r"(?<!PUBLIC)(?<!PUB)(?<!SITE)_KEY$")
"""What may as well sort, route or partition: only a random value makes it suspicious."""
_ELSEWHERE = re.compile(
    r"[$/~.]|ENC\[|ref\+|(?:vault|file|env|secret|k8s):|ssh-|age1|-----BEGIN (?:CERTIFICATE|PUBLIC)|.*(?:://|\$[({]|\{\{|<<)|.*\s|<.*>$"
    r"|%[-+ #0-9.*$%]*[A-Za-z]$|.*(?:%[svq]|\.\.\.|\u2026)|(?:%|__|@)\w+(?:%|__|@)$"
)
"""Values that say where something is, that are filled in later, or that may be public."""
_NAME_OF_A_SECRET = re.compile(r"[a-z]+(?:[-.][a-z0-9]+)+")
_WORDS_ONLY = re.compile(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*")
_ALGORITHM = r"(?i)(?:sha|md|argon|pbkdf|scrypt|bcrypt|aes|base|scram|utf)-?\d|.*(?:sha|md5)"
_SETTING = (
    r"(?m)^[ \t]*(?:export[ \t]+|-[ \t]+)?[\"']?([A-Za-z][\w.-]{1,80})[\"']?[ \t]*[:=]"
    r"[ \t]*[\"']?([^\s\"'#,&|>{\[()][^\s\"'#,()]*)[\"']?,?[ \t]*(?:#.*)?$"
)
_SHORTEST = 6
_A_NUMBER = re.compile(r"[0-9]+(?:ms|[smhd])?")


def may_be_secret(name: str, value: str) -> bool:
    """Whether a variable or key of this name holds a secret that can be read here, as far as a name shows.

    `CLIENT_SECRET: web-oauth` may as well be the name of a Secret, `passwordSecretKey: password` that of a key in one,
    `CSRF_TOKEN: X-CSRF-Token` that of a header, and `TOKEN: 3600` how long one lasts.
    """
    if value.lower() in _SWITCHES or _ELSEWHERE.match(value.strip()):
        return False
    words = _as_words(name)
    found = _WORDS.search(words)
    if not found:
        return bool(_A_KEY.search(words)) and is_random(value)
    word = found[0].strip("_")
    if word.startswith("PASS"):
        return True
    if word.endswith("KEY"):
        return not _WORDS.search(_as_words(value))
    if _A_NUMBER.fullmatch(value) or (_WORDS_ONLY.fullmatch(value) and _WORDS.search(_as_words(value))):
        return False
    return word.startswith("TOKEN") or not _NAME_OF_A_SECRET.fullmatch(value)


def named_in(text: str) -> Iterator[tuple[int, str]]:
    """The variables and keys in a file of settings that may hold a secret by their name, each with its line."""
    for match in re.finditer(_SETTING, text):
        if may_be_secret(match[1], match[2]):
            yield text.count("\n", 0, match.start(1)) + 1, match[1]


def is_password(name: str, value: str) -> bool:
    """Whether a password is named and there is one: not a word, such as `required` or `changeme`, but letters with digits."""
    word = _WORDS.search(_as_words(name))
    chosen = len(value) >= _SHORTEST and re.search(r"[A-Za-z]", value) and re.search(r"\d", value)
    return bool(word and word[0].strip("_").startswith("PASS") and chosen) and not re.match(_ALGORITHM, value)


def _as_words(name: str) -> str:
    return re.sub(r"[-.]", "_", _HUMP.sub("_", name)).upper()
