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
    """One form. `signs`: texts of which one is in whatever has it. The group of `pattern` is the part that has to be random.

    Patterns are compiled when a sign of theirs is found for the first time: most never are.
    """

    name: str
    signs: tuple[str, ...]
    pattern: str
    proves: bool = True


class Sighting(NamedTuple):
    """Something of a form: on which line, and whether that proves that it is a secret."""

    line: int
    name: str
    proves: bool


def _form(name: str, signs: str, pattern: str, *, proves: bool = True) -> Form:
    return Form(name, tuple(signs.split()), rf"(?<![A-Za-z0-9]){pattern}", proves)


_IS = r"[\"']?\s*[:=]\s*[\"']?"

# Where no other source is named, the prefix is in the issuer's own documentation of its tokens; lengths are lower bounds.
FORMS = (
    # RFC 7468 and RFC 4880, also with escaped line ends, as in JSON; one with a passphrase cannot be read.
    Form(
        "a private key",
        ("PRIVATE KEY",),
        (
            r"-----BEGIN (?!ENCRYPTED)(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[\s#\"'+,])*"
            r"(?:(?:Version|Comment|Charset|Hash): [^\n]*(?:\\[nr]|[\s#])+)*"
            # Of a key, DER in base64: a header alone is in whatever looks for keys, or explains them.
            r"(?=[A-Za-z0-9+/=]*[A-Z])(?=[A-Za-z0-9+/=]*[a-z])(?=[A-Za-z0-9+/=]*[0-9])([A-Za-z][A-Za-z0-9+/=]{19,}+)"
            r"(?!(?:\\[nr]|[\s#\"'+,])*(?:\.\.|\u2026))"
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
)
_URL = r"://([^\s/?#@:\"'<>`,]*):([^\s/?#@\"'`]{1,400})@(?=[\w\[${<%-])"
"""A name and a password in a URL (RFC 3986, 3.2.1): an `@` in a path or a query is none."""
_QUERY = r"(?i)://[^\s\"'<>`]{1,400}?[?&](?:\w{0,12}token|api_?key|(?:client_?)?secret|sig|signature|passw(?:or)?d)=([^\s&\"'<>`#)\]]{8,})"
_HOOK = r"https?://[^\s\"'<>`?]{1,200}/(?:web)?hooks?/(?:[\w.-]{1,60}/){0,4}([\w-]{20,})(?![\w/.-])"
_USER = r"https?://([\w-]{20,200})@"
_LOGIN = r"(?:\bauth[\"']?\s*[:=]\s*[\"']?|\bBasic\s+)([A-Za-z0-9+/]{8,400}={0,2})(?![A-Za-z0-9+/=])"
"""Docker's config.json (docs.docker.com, docker login) and RFC 7617: base64 of `name:password`."""
_SIGNED = r"(?<![A-Za-z0-9])eyJ[\w-]{8,}\.(eyJ[\w-]{8,})\.[\w-]{20,}"
"""RFC 7519. Some are public, such as Supabase's key for browsers; one for a Kubernetes API server never is."""
_ENCODED = r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/]{40,}={0,2}"
_MADE_UP = (
    r"(?i)x{4,}|\*{3,}|\.{3,}|\u2026|example|your|placeholder|redacted|dummy|change-?_?me|insert|abcdef\.0123456789abcdef"
    r"|%[svq]"
)
_COUNTED = r"(?i)abcdefghijkl|123456789012"
"""What nobody draws by lot."""
_FILLED_IN = (
    r"(?s)[$%]?[{(<\[].*|.*\$[{(A-Za-z_].*|\$\d|%[-+ #0-9.*$%]*[A-Za-z]|.*%[svq].*|(?i:%7b).*"
    r"|(?:%|__|@)\w+(?:%|__|@)|[A-Z][A-Z_]*|.*(?:\.\.\.|\u2026).*|[*xX\u2022.]{3,}|.*[()\\|\[\]{}].*"
)
"""What a program fills in (`${A}`, `$(a)`, `%s`, `__A__`), a pattern, what is cut off, and the words USER and PASSWORD."""
_GOES_ON = r"%[-+ #0-9.*$]*[a-z]|\$[{(]|\{\{|\.\.\.|\u2026"
"""After what only looks like a secret: the rest is filled in, or left out."""
_ANY_WORD = (
    r"(?i)(?:(?:your|my|some|the|db|new|user)?[-_]?(?:password|passwd|passwort|pass|pwd|pw|secret|token|key)[-_]?(?:here)?\d{0,3}"
    r"|change[-_]?(?:me|it|this)|example|placeholder|redacted|foo|bar|test|dummy|admin|root|postgres|guest|x+|\*+|\.+)"
)
_COMMENT = r"(?:^|\s)(?:#|//)"
_ALLOWED = ("gitleaks:allow", "pragma: allowlist secret")
"""How people tell gitleaks and detect-secrets, on the line, that something is none."""
CHOSEN = frozenset({"a URL with a password", "a URL with a token", "a login in base64"})
"""Forms of what people choose themselves, and so make up where they show how something is done."""
_HERE = r"(?:localhost|127\.0\.0\.1|\[::1\])(?![\w.-])"
_FEWEST_SIGNS = 5
_NEXT = 12


def sightings(text: str) -> Iterator[Sighting]:
    """What in `text` shows that it is a secret, or suggests it, by line; each form once a line."""
    found: dict[tuple[int, str], bool] = {}
    starts: list[int] = []
    for position, _, name, proves in _all_in(text):
        if not starts:
            starts = [match.end() for match in re.finditer("\n", text)]
        index = bisect_right(starts, position)
        begin, end = starts[index - 1] if index else 0, starts[index] if index < len(starts) else len(text)
        if not any(word in text[begin:end] for word in _ALLOWED) and not (not proves and re.search(_COMMENT, text[begin:position])):
            found[index + 1, name] = found.get((index + 1, name), False) or proves
    certain = {line for (line, _), proves in found.items() if proves}
    yield from (Sighting(line, name, proves) for (line, name), proves in sorted(found.items()) if proves or line not in certain)


def masked(text: str) -> str:
    """The text without whatever in it may be a secret."""
    kept, told = "", 0
    for begin, end, name, _ in sorted(_all_in(text)):
        kept += f"{text[told:begin]}({name})" if begin >= told else ""
        told = max(told, end)
    return kept + text[told:]


def is_random(value: str) -> bool:
    """Whether nobody would choose it as a name or a word: long, of letters and digits, with no pattern."""
    longest = max(re.split(r"[-_.:/]", value), key=len)
    letters, digits = re.search(r"[A-Za-z]", longest), re.search(r"\d", longest)
    return len(longest) >= 16 and bool(letters and digits) and _entropy(longest) > 3 and not re.search(_MADE_UP, value)  # noqa: PLR2004


def _entropy(value: str) -> float:
    """In bits per sign (Shannon); 16 random hexadecimal digits have at least 3."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())


_Span = tuple[int, int, str, bool]
"""From where to where something of a form is, its name, and whether it proves a secret."""


def _all_in(text: str) -> Iterator[_Span]:
    yield from _plain(text)
    for match in re.finditer(_ENCODED, text):
        inner = _decoded(match[0])
        if inner and (first := next((one for one in _plain(inner) if one[3]), None)):
            yield *match.span(), f"{first[2]} in base64", True


def _plain(text: str) -> Iterator[_Span]:
    for form in FORMS:
        if any(sign in text for sign in form.signs):
            yield from (
                (*match.span(), form.name, form.proves and len(set(match[1])) >= _FEWEST_SIGNS and not _is_word(match[1]))
                for match in re.finditer(form.pattern, text)
                if not (_is_made_up(match) or re.match(_GOES_ON, text[match.end() : match.end() + _NEXT]))
            )
    if "://" in text:
        yield from _urls(text)
    if "auth" in text or "Basic" in text:
        yield from _logins(text)
    if "eyJ" in text:
        for match in re.finditer(_SIGNED, text):
            yield *match.span(), "a signed token (JWT)", "kubernetes" in (_decoded(match[1]) or "")


def _is_made_up(match: re.Match[str]) -> bool:
    return bool(re.search(_MADE_UP, match[0]) or re.search(_COUNTED, match[1]))


def _urls(text: str) -> Iterator[_Span]:
    for match in re.finditer(_URL, text):
        if not _is_filled_in(match[2]) and not _is_filled_in(match[1] or "-"):
            word = _is_word(match[2]) or match[1] == match[2] or re.match(_HERE, text[match.end() : match.end() + 20])
            yield *match.span(), "a URL with a password", not word
    for match in re.finditer(_USER, text):
        if is_random(match[1]):
            yield *match.span(), "a URL with a token", True
    for match in re.finditer(_HOOK, text):
        if is_random(match[1]):
            yield *match.span(), "a webhook's address", False
    for match in re.finditer(_QUERY, text):
        if not _is_filled_in(match[1]) and not re.search(_MADE_UP, match[1]):
            yield *match.span(), "a URL with a token", is_random(match[1])


def _logins(text: str) -> Iterator[_Span]:
    for match in re.finditer(_LOGIN, text):
        name, colon, password = (_decoded(match[1]) or "").partition(":")
        if name and colon and password and "\n" not in password and not re.search(_MADE_UP, password):
            yield *match.span(), "a login in base64", not (_is_word(password) or _is_filled_in(password))


def _is_filled_in(word: str) -> bool:
    return re.fullmatch(_FILLED_IN, word) is not None


def _is_word(value: str) -> bool:
    return re.fullmatch(_ANY_WORD, value) is not None


def _decoded(encoded: str) -> str | None:
    """The ASCII text that this is base64 of, in either alphabet; None where it is none."""
    digits = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True).decode("ascii")
    except ValueError:
        return None
