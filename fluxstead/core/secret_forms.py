"""What shows by its form that it is a secret: a small table, each form with who defines it, and the search for them in a text.

Some forms prove it; others only suggest it, such as the password `postgres` of the user `postgres`. What stands in for a secret
(`<token>`, `${TOKEN}`, `ghp_xxxx`) is none, and no more than the form's name is ever told.
"""

from __future__ import annotations

import base64
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple


class Form(NamedTuple):
    """One form. `signs`: texts of which one is in whatever has it. The group of `pattern` is the part that has to be random."""

    name: str
    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    proves: bool = True


class Sighting(NamedTuple):
    """Something of a form: on which line, and whether that proves that it is a secret."""

    line: int
    name: str
    proves: bool


def _form(name: str, signs: str, pattern: str, *, proves: bool = True) -> Form:
    return Form(name, tuple(signs.split()), re.compile(rf"(?<![A-Za-z0-9]){pattern}"), proves)


_IS = r"[\"']?\s*[:=]\s*[\"']?"

# Where no other source is named, the prefix is in the issuer's own documentation of its tokens; lengths are lower bounds.
FORMS = (
    # RFC 7468 and RFC 4880, also with escaped line ends, as in JSON; one with a passphrase cannot be read.
    Form(
        "a private key",
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN (?!ENCRYPTED)(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[\s#\"'+,])*"
            r"(?:(?:Version|Comment|Charset|Hash): [^\n]*(?:\\[nr]|[\s#])+)*([A-Za-z0-9+/=]{10,})"
        ),
    ),
    _form("an age key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-(?:PQ-)?1([0-9A-Z]{20,})"),  # C2SP/age
    _form("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"(?:gh[pousr]_|github_pat_)(\w{16,})"),
    _form("a GitLab token", "glpat- gldt- glrt- glptt- glagent- glcbt-", r"gl(?:pat|dt|rt|ptt|agent|cbt)-([\w-]{16,})"),
    _form("a Slack token", "xox xapp-", r"(?:xox[abeoprs]-|xapp-)([\w-]{16,})"),
    _form("a Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/\w+/\w+/\w+/(\w{16,})"),
    _form("a Discord webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{10,}/([\w-]{20,})"),
    _form(
        "a Teams webhook",
        ".webhook.office.com/ .logic.azure.com",
        r"[\w-]+\.(?:webhook\.office|logic\.azure)\.com\S*[/=]([\w-]{20,})",
    ),
    _form("a Telegram bot's token", ":AA", r"\d{8,10}:(AA[\w-]{32,})"),
    # k3s docs, cli/token: the secure format, and the bootstrap token of kubeadm.
    _form("a k3s token", "K10", r"K10[0-9a-f]{8,64}::(?:[\w.-]+:)?([^\s\"'<${:]{8,})"),
    _form("a token to join the cluster", "oken OKEN", rf"[\w-]{{0,40}}(?i:token){_IS}([a-z0-9]{{6}}\.[a-z0-9]{{16}})\b"),
    _form(
        "an AWS secret key",
        "ecret ECRET",
        rf"(?i:aws\w{{0,8}}secret)\w{{0,14}}{_IS}([A-Za-z0-9/+]{{40}})(?![\w/+=])",
    ),
    _form("an AWS access key's id", "AKIA ASIA", r"A[KS]IA([A-Z2-7]{16})\b", proves=False),
    _form("an Azure key", "AccountKey= SharedAccessKey=", r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,})"),
    _form("a Google OAuth secret", "GOCSPX-", r"GOCSPX-([\w-]{20,})"),
    _form("a Google API key", "AIza", r"AIza([\w-]{35})", proves=False),  # browsers have some of them, too
    _form("a Docker token", "dckr_", r"dckr_[po]at_([\w-]{20,})"),
    _form("an npm token", "npm_", r"npm_([A-Za-z0-9]{36})"),
    _form("a PyPI token", "pypi-AgE", r"pypi-AgE([\w-]{40,})"),
    _form("a Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.([\w-]{24,})"),
    _form("a Tailscale key", "tskey-", r"tskey-[a-z]+-([\w-]{12,})"),
    _form("a DigitalOcean token", "dop_v1_ doo_v1_", r"do[opr]_v1_([0-9a-f]{40,})"),
    _form("a Grafana token", "glsa_ glc_", r"(?:glsa_|glc_)(\w{32,})"),
    _form("a Cloudflare tunnel's token", "eyJhIjoi", r"(eyJhIjoi[\w+/=-]{80,})"),
    _form("a Stripe key", "k_live_ whsec_", r"(?:[rs]k_live_|whsec_)(\w{16,})"),
    _form("a SendGrid key", "SG.", r"SG\.([\w-]{16,32}\.[\w-]{16,64})"),
    _form("an OpenAI or Anthropic key", "sk-", r"sk-(?:proj|svcacct|admin|ant-[a-z0-9]+)-([\w-]{20,})"),
    _form("a Hugging Face token", "hf_", r"hf_([A-Za-z]{34})"),
    _form("a 1Password token", "ops_eyJ", r"ops_eyJ([\w+/=-]{80,})"),
    _form("a Pulumi token", "pul-", r"pul-([0-9a-f]{40})"),
    _form("an Atlassian token", "ATATT3", r"ATATT3([\w=-]{40,})"),
    _form("an ntfy token", "tk_", r"tk_([a-z0-9]{29})\b"),
    _form("a webhook's address", "hook", r"(?:web)?hooks?/(?:[\w.-]{1,60}/){0,4}([A-Za-z0-9_-]{20,})(?![\w/.-])", proves=False),
)
_URL = re.compile(r"://([^\s/?#@:\"'<>`,]*):([^\s/?#@\"'`]{1,400})@(?=[\w\[${<%-])")
"""A name and a password in a URL (RFC 3986, 3.2.1): an `@` in a path or a query is none."""
_QUERY = re.compile(
    r"://[^\s\"'<>`]{1,400}?[?&](?:\w{0,12}token|api_?key|(?:client_?)?secret|sig|signature|passw(?:or)?d)=([^\s&\"'<>`#)\]]{8,})",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(?:\bauth[\"']?\s*[:=]\s*[\"']?|\bBasic\s+)([A-Za-z0-9+/]{8,400}={0,2})(?![A-Za-z0-9+/=])")
"""Docker's config.json (docs.docker.com, docker login) and RFC 7617: base64 of `name:password`."""
_SIGNED = re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{8,}\.(eyJ[\w-]{8,})\.[\w-]{20,}")
"""RFC 7519. Some are public, such as Supabase's key for browsers; one for a Kubernetes API server never is."""
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/]{40,}={0,2}")
_MADE_UP = re.compile(
    r"x{4,}|\*{3,}|\.{3,}|example|your|placeholder|redacted|dummy|change-?_?me|insert|abcdef\.0123456789abcdef", re.IGNORECASE
)
_FILLED_IN = re.compile(r"[$%]?[{(<\[].*|.*\$[{(A-Za-z_].*|%[a-z]|[A-Z][A-Z_]*|.*[()\\|\[\]{}].*", re.DOTALL)
"""What a program fills in, a pattern, and the words USER and PASSWORD."""
_ANY_WORD = re.compile(
    r"(?:(?:your|my|some|the|db|new|user)?[-_]?(?:password|passwd|passwort|pass|pwd|pw|secret|token|key)[-_]?(?:here)?\d{0,3}"
    r"|change[-_]?(?:me|it|this)|example|placeholder|redacted|foo|bar|test|dummy|admin|root|postgres|guest|x+|\*+|\.+)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:^|\s)(?:#|//)")
_ALLOWED = ("gitleaks:allow", "pragma: allowlist secret")
"""How people tell gitleaks and detect-secrets, on the line, that something is none."""
_SIGNS_ELSEWHERE = ("://", "auth", "Basic", "eyJ")
_FEWEST_SIGNS = 5


def sightings(text: str) -> Iterator[Sighting]:
    """What in `text` shows that it is a secret, or suggests it, by line; each form once a line."""
    found: dict[tuple[int, str], bool] = {}
    starts: list[int] = []
    for position, name, proves in _all_in(text):
        if not starts:
            starts = [match.end() for match in re.finditer("\n", text)]
        index = bisect_right(starts, position)
        begin, end = starts[index - 1] if index else 0, starts[index] if index < len(starts) else len(text)
        if not any(word in text[begin:end] for word in _ALLOWED) and not (not proves and _COMMENT.search(text[begin:position])):
            found[index + 1, name] = found.get((index + 1, name), False) or proves
    yield from (Sighting(line, name, proves) for (line, name), proves in sorted(found.items()))


def is_random(value: str) -> bool:
    """Whether nobody would choose it as a name or a word: long, of letters and digits, with no pattern."""
    longest = max(re.split(r"[-_.:/]", value), key=len)
    letters, digits = re.search(r"[A-Za-z]", longest), re.search(r"\d", longest)
    return len(longest) >= 16 and bool(letters and digits) and _entropy(longest) > 3 and not _MADE_UP.search(value)  # noqa: PLR2004


def _entropy(value: str) -> float:
    """In bits per sign (Shannon); 16 random hexadecimal digits have at least 3."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())


def _all_in(text: str) -> Iterator[tuple[int, str, bool]]:
    yield from _plain(text)
    for match in _ENCODED.finditer(text):
        inner = _decoded(match[0])
        if inner and (first := next((one for one in _plain(inner) if one[2]), None)):
            yield match.start(), f"{first[1]} in base64", True


def _plain(text: str) -> Iterator[tuple[int, str, bool]]:
    for form in FORMS:
        if any(sign in text for sign in form.signs):
            yield from (
                (match.start(), form.name, form.proves and len(set(match[1])) >= _FEWEST_SIGNS)
                for match in form.pattern.finditer(text)
                if not _MADE_UP.search(match[0])
            )
    if any(sign in text for sign in _SIGNS_ELSEWHERE):
        yield from _logins(text)


def _logins(text: str) -> Iterator[tuple[int, str, bool]]:
    for match in _URL.finditer(text):
        if not _FILLED_IN.fullmatch(match[2]) and not _FILLED_IN.fullmatch(match[1] or "-"):
            word = _ANY_WORD.fullmatch(match[2]) or match[1] == match[2]
            yield match.start(), "a URL with a password", not word
    for match in _QUERY.finditer(text):
        if not _FILLED_IN.fullmatch(match[1]) and not _MADE_UP.search(match[1]):
            yield match.start(), "a URL with a token", is_random(match[1])
    for match in _LOGIN.finditer(text):
        name, colon, password = (_decoded(match[1]) or "").partition(":")
        if name and colon and password and "\n" not in password and not _MADE_UP.search(password):
            yield match.start(), "a login in base64", not (_ANY_WORD.fullmatch(password) or _FILLED_IN.fullmatch(password))
    for match in _SIGNED.finditer(text):
        yield match.start(), "a signed token (JWT)", "kubernetes" in (_decoded(match[1]) or "")


def _decoded(encoded: str) -> str | None:
    """The ASCII text that this is base64 of, in either alphabet; None where it is none."""
    digits = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True).decode("ascii")
    except ValueError:
        return None
