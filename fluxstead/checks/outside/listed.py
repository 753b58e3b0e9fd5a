"""Secrets in files that no kustomization lists: keys, variables, scripts, kubeconfigs. Whoever clones the repository has them too.

Only what is in Git's index is looked at, as it is on the disk, and not without end.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fluxstead.checks.reading.documents import documents_in
from fluxstead.checks.reading.repository import Git
from fluxstead.checks.reading.store import is_yaml, text_at
from fluxstead.checks.rule import Remark, Rule, not_checked
from fluxstead.checks.rules.secrets_in_text import WHY, Telling, by_form, by_name
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source, counted
from fluxstead.core.secrecy import is_password, may_be_secret
from fluxstead.core.secret_forms import CHOSEN, is_random, sightings
from fluxstead.core.shape import mapping

IN_FILE = refuses(
    "secrets/in-file", "F22", "age.agekey holds what looks like a key, a token or a password: an age key", "the files on disk"
)
SUSPECTED_IN_FILE = warns(
    "secrets/suspected-in-file", "F22", ".env may hold a secret in plain text: DB_PASSWORD", "the files on disk"
)

_MOST_FILES, _MOST_SIGNS = 20_000, 64 * 1024**2
_REGULAR = (b"100644", b"100755")
_EXAMPLES = re.compile(
    r"(?:^|/)(?:tests?|testdata|fixtures|examples?|docs?)/|(?:^|[/._-])(?:examples?|samples?|templates?|dist|test)(?:[._-][^/]*)?$"
    r"|(?:^|/)test_[^/]*$|\.(?:md|mdx|rst|adoc|txt|tpl|tmpl|j2)$",
    re.IGNORECASE,
)
"""Where people show what a secret looks like: there, nothing is certain."""
_SETTINGS = re.compile(r"(?:^|/)(?:\.env[^/]*|[^/]*\.(?:env|envrc|sh|bash|ini|conf|cfg|toml|tfvars|properties)|kubeconfig[^/]*)$")


_AGE = re.compile(r"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,}")


class Listed(NamedTuple):
    """The files of a folder that Git's index lists, and those of them that other rules look at."""

    root: Path
    known: frozenset[str]


def findings(listed: Listed) -> Iterator[Finding | Remark]:
    """What is in them and must not be read by others."""
    git = Git(listed.root)
    try:
        answer = git.ask("ls-files", "--stage", "-z")[0] if git.marked is not None else None
    except OSError:  # there is no git
        answer = None
    if answer is None:
        yield not_checked("secrets in files that nothing lists: Git does not say what is in the repository")
        return
    yield from _keys(listed, git)
    signs = 0
    paths = [path for path in _paths(answer) if path not in listed.known]
    for number, path in enumerate(paths):
        if number >= _MOST_FILES or signs > _MOST_SIGNS:
            yield not_checked(f"secrets in {counted(len(paths) - number, 'file')} that nothing lists, from {path} on: too many")
            return
        text = text_at(listed.root / path) or ""
        signs += len(text)
        shown = bool(_EXAMPLES.search(path))
        for one in _of_examples(path, text) if shown else _tellings(path, text):
            if one.certain and not shown:
                yield IN_FILE(one.source, what=one.what, why=WHY, fix=f"{one.fix}; `git rm {path}` leaves it in the history")
            else:
                yield SUSPECTED_IN_FILE(one.source, what=one.what, why=WHY, fix=one.fix)


def _keys(listed: Listed, git: Git) -> Iterator[Finding]:
    """Private keys of age where the next commit, or the one after it, has them: not added yet, or staged and changed since."""
    others, _ = git.ask("ls-files", "--others", "--exclude-standard", "-z")
    for path in _names(others):
        yield from _key(path, text_at(listed.root / path) or "", "it is in the project's folder, and the next `git add` takes it")
    changed, _ = git.ask("diff-files", "--name-only", "--relative", "-z")
    for path in _names(changed):
        staged, _ = git.ask("show", f":./{path}")
        if not _AGE.search(text_at(listed.root / path) or ""):
            yield from _key(path, (staged or b"").decode("utf-8", "replace"), "it is staged, whatever the file holds by now")


def _key(path: str, text: str, where: str) -> Iterator[Finding]:
    for one in sightings(text) if _AGE.search(text) else ():
        if one.proves and not _EXAMPLES.search(path):
            yield IN_FILE(
                Source(path, one.line),
                what=f"{path} holds a private key of age: {where}",
                why=WHY,
                fix=f"it outside the repository; git rm --cached {path}, where it was added",
            )
            return


def _names(answer: bytes | None) -> list[str]:
    names = (answer or b"").decode("utf-8", "surrogateescape").split("\0")
    return [name for name in names if name][:_MOST_FILES]


def _paths(listing: bytes) -> Iterator[str]:
    """The regular files, each once; neither links nor submodules."""
    seen = set()
    for entry in listing.split(b"\0"):
        head, _, name = entry.partition(b"\t")
        path = name.decode("utf-8", "surrogateescape")
        if head.startswith(_REGULAR) and path not in seen:
            seen.add(path)
            yield path


def _of_examples(path: str, text: str) -> Iterator[Telling]:
    """A real key or token may be there by mistake; passwords are made up."""
    return by_form(path, (one for one in sightings(text) if one.proves and one.name not in CHOSEN))


def _tellings(path: str, text: str) -> Iterator[Telling]:
    yield from by_form(path, sightings(text))
    if "kind: Secret" in text and is_yaml(path):
        yield from _manifests(path, text)
    elif _SETTINGS.search(path) or "kind: Config\n" in text or (is_yaml(path) and _is_configuration(path, text)):
        yield from by_name(path, text)


def _is_configuration(path: str, text: str) -> bool:
    """Whether it configures a program, such as k3s: neither an object, nor a chart's defaults, nor a workflow."""
    return "apiVersion:" not in text and "values" not in path.rpartition("/")[2] and not path.startswith(".")


def _manifests(path: str, text: str) -> Iterator[Telling]:
    """Secrets that are not applied from here; by hand, somebody did."""
    for document in documents_in(text, path):
        data = document.data if isinstance(document.data, Mapping) else {}
        if data.get("kind") != "Secret" or "sops" in data or document.problem:
            continue
        found = [(key, value) for key, value in _values(data) if may_be_secret(key, value)]
        if found:
            certain = any(is_random(value) or is_password(key, value) for key, value in found)
            what = f"{path} holds a Secret in plain text: {', '.join(f'`{key}`' for key, _ in found)}"
            yield Telling(certain, Source(path, document.source.line), what, "the file encrypted: sops --encrypt --in-place FILE")


def _values(secret: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((str(key), str(value)) for key, value in mapping(secret, "stringData").items())
    for key, value in mapping(secret, "data").items():
        try:
            yield str(key), base64.b64decode(str(value), validate=True).decode()
        except ValueError:  # it is no text
            continue


RULES = (Rule(findings, (IN_FILE, SUSPECTED_IN_FILE)),)
