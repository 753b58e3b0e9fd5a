"""Keys, tokens and passwords in any file that the tree is made of, and in the description, by what they look like (failure F22)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.store import is_yaml
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.secrecy import named_in
from fluxstead.core.secret_forms import sightings

IN_TEXT = refuses(
    "secrets/in-text", "F22", "apps/web/config.yaml holds what looks like a key, a token or a password: a GitHub token"
)
SUSPECTED = warns("secrets/suspected", "F22", "apps/web/config.yaml holds what may be a secret: a signed token (JWT)")

WHY = "anyone who can read the repository, now or later, has it (F22)"
_SETTINGS = frozenset({"Secret", "ConfigMap's keys"})
_MOST = 5
"""Findings of one file; what else is in it is counted."""


class Telling(NamedTuple):
    """What is to be said of a place, without a word of what stands there; and whether it is certain."""

    certain: bool
    source: Source
    what: str
    fix: str


def findings(context: CheckContext) -> Iterator[Finding]:
    """In the files that people wrote. All that is in a generated file comes from the description."""
    for one in _tellings(context):
        if one.certain:
            yield IN_TEXT(one.source, what=one.what, why=WHY, fix=one.fix)
        else:
            yield SUSPECTED(one.source, what=one.what, why=WHY, fix=one.fix)


def _tellings(context: CheckContext) -> Iterator[Telling]:
    tree = context.tree
    for path, text in sorted({**context.description, **_of_the_tree(context)}.items()):
        yield from by_form(path, text)
    for path, kind in sorted(tree.used.items()):
        # Values that a release takes from a ConfigMap are looked at with the release, a Secret's keys with the Secret.
        if kind in _SETTINGS or (kind == "ConfigMap" and not is_yaml(path)):
            yield from by_name(path, tree.store.any_text(path))


def _of_the_tree(context: CheckContext) -> dict[str, str]:
    tree = context.tree
    found = {path: tree.store.any_text(path) for path in tree.used}
    for path in tree.files:
        documents = tree.store.documents(path)
        if not (documents and documents[0].generated):
            found[path] = tree.store.text(path)
    return found


def by_form(path: str, text: str) -> Iterator[Telling]:
    """What a text shows, line by line."""
    ordered = sorted(sightings(text), key=lambda one: (not one.proves, one.line))
    for number, one in enumerate(ordered[:_MOST], 1):
        rest = f", and {len(ordered) - _MOST} more" if number == _MOST < len(ordered) else ""
        looks = "looks like a key, a token or a password" if one.proves else "may be a secret"
        leaked = "; and a new key, because this one has leaked" if one.proves else ", if it is one"
        fix = f"a reference to a SOPS-encrypted Secret{leaked}"
        yield Telling(one.proves, Source(path, one.line), f"{path} holds what {looks}: {one.name}{rest}", fix)


def by_name(path: str, text: str) -> Iterator[Telling]:
    """One for a file of settings with names that promise a secret, and values that can be read."""
    found = list(named_in(text))
    if found:
        line, name = found[0]
        rest = f", and {len(found) - 1} more" if len(found) > 1 else ""
        fix = "the file encrypted: sops --encrypt --in-place FILE; or no value, if it is only an example"
        yield Telling(False, Source(path, line), f"{path} may hold a secret in plain text: {name}{rest}", fix)  # noqa: FBT003 -- not certain


RULES = (Rule(findings, (IN_TEXT, SUSPECTED)),)
