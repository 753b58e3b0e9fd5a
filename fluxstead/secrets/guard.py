"""What must not be committed, looked at before every commit: secrets in plain text, and private keys of age.

Only what is staged is read, as it is staged, and next to nothing is imported: it runs before every commit.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fluxstead.core.secret_forms import sightings
from fluxstead.core.shape import mapping

_KEY = re.compile(r"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,}|age-secret-key-(?:pq-)?1[0-9a-z]{20,}")
"""Bech32 is of one case, either of which is read (BIP 173)."""
_SECRET = re.compile(r"\bkind\b.*\bSecret\b")
_SAFE = ("gitleaks:allow", "pragma: allowlist secret")
"""How people tell gitleaks and detect-secrets, on the line, that something is none."""
_MOST = 1024**2
"""What is longer is no text in which people paste a token; it may hold a key or a Secret all the same."""
SUFFIX = ".sops.yaml"


def staged(root: Path) -> Iterator[str]:
    """What is wrong with what the next commit would add, a line each: file, line, what, what to do."""
    for path in _git(root, "diff", "--cached", "--name-only", "--no-renames", "--diff-filter=ACMT", "-z").split("\0"):
        if path:
            text = _git(root, "show", f":{path}")
            yield from wrong_in(path, text)


def wrong_in(path: str, text: str) -> Iterator[str]:
    """What of a file must not be in Git."""
    for number, line in enumerate(text.splitlines(), 1) if _KEY.search(text) else ():
        if _KEY.search(line) and not any(word in line for word in _SAFE):
            yield f"{path}:{number}: a private key of age: git rm --cached {shlex.quote(path)}, and keep it outside the repository"
            return
    if "\0" in text:
        return
    named = path.lower().endswith((".yaml", ".yml", ".json"))
    if named and (_SECRET.search(text) or "secretGenerator" in text) and not _shown(path):
        yield from _manifest(path, text)
    elif path.endswith(SUFFIX) and not path.endswith(f"/{SUFFIX}") and path != SUFFIX and "\nsops:" not in text:
        yield f"{path}:1: it is called .sops.yaml and is not encrypted: ./run secrets import {path}"
    for one in sightings(text) if len(text) <= _MOST else ():
        if one.proves and not path.endswith(SUFFIX) and not _shown(path):
            yield f"{path}:{one.line}: {one.name}: take it out, and change it where it is used"


def _shown(path: str) -> bool:
    """Where people show what a secret looks like: deeper, a folder of that name is an environment, or an application."""
    if re.search(r"(?:^|/)secrets/.*\.(?:ya?ml|json)$", path):
        return False
    return bool(re.match(r"(?:tests?|examples?|docs?)/", path) or re.search(r"(?:^|/)(?:testdata|fixtures)/", path))


def _manifest(path: str, text: str) -> Iterator[str]:
    """Values of a Secret that can be read, in whatever form it is written; one that only some are encrypted of is worst."""
    from fluxstead.checks.reading.documents import documents_in  # noqa: PLC0415 -- few commits have a Secret

    for document in documents_in(text, path):
        if document.problem:
            yield from _broken(path, text)
            return
        yield from _generated(path, text, document.data)
        for secret in secrets_in(document.data):
            how = "is in plain text beside encrypted values" if "sops" in secret else "is in plain text"
            for key in _readable(secret):
                number = _line_of(text, str(key), document.source.line)
                if not any(word in text.splitlines()[number - 1] for word in _SAFE):
                    yield f"{path}:{number}: Secret key {key} {how}: ./run secrets import {path}"


def _generated(path: str, text: str, data: Any) -> Iterator[str]:
    """Values that kustomize makes a Secret of."""
    for one in _entries(data, "secretGenerator"):
        literals = one.get("literals")
        for literal in literals if isinstance(literals, list) else ():
            key, _, value = str(literal).partition("=")
            if value and "${" not in value:
                number = next((at for at, line in enumerate(text.splitlines(), 1) if str(literal) in line), 1)
                yield f"{path}:{number}: {key} of a secretGenerator is in plain text: take it out, and change it where it is used"


def _entries(data: Any, key: str) -> Iterator[Mapping[str, Any]]:
    found = data.get(key) if isinstance(data, Mapping) else None
    yield from (one for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()


def _broken(path: str, text: str) -> Iterator[str]:
    """Of what is no YAML, as templates are: line by line, below a Secret's `data`."""
    inside, found = False, False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\S", line):
            inside = bool(re.match(r"(?:data|stringData)\s*:", line))
        value = re.match(r"\s+[\w.-]+\s*:\s*(?P<value>\S.*)$", line) if inside else None
        if value and not re.match(r"ENC\[|[\"']{2}|\{\{|#", value["value"]) and not re.search(r"\{\{|\$\{", value["value"]):
            found = True
            yield f"{path}:{number}: a key of a Secret is in plain text, and the file is not YAML: take it out, or mend the file"
    if not found and "{{" not in text:
        yield f"{path}:1: it has a Secret and is not YAML, so that nobody can say whether it is encrypted: mend it first"


def secrets_in(data: Any) -> Iterator[Mapping[str, Any]]:
    """The Secrets in a document, also in a List."""
    if not isinstance(data, Mapping):
        return
    if data.get("kind") == "Secret":
        yield data
    items = data.get("items")
    for item in items if isinstance(items, list) else ():
        yield from secrets_in(item)


def _readable(secret: Mapping[str, Any]) -> Iterator[str]:
    for holder in ("data", "stringData"):
        for key, value in mapping(secret, holder).items():
            text = str(value)
            if value not in (None, "") and not text.startswith("ENC[") and "${" not in text:
                yield key


def _line_of(text: str, key: str, start: int) -> int:
    written = re.compile(rf"(?<![\w.-]){re.escape(key)}[\"']?\s*:")
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if number >= start and written.search(line)), start)


def install(root: Path, run: Path) -> str:
    """Install the hook; gives what was done."""
    hooks = Path(_git(root, "rev-parse", "--path-format=absolute", "--git-path", "hooks").strip())
    hook, text = hooks / "pre-commit", _hook(run)
    if hook.exists() and hook.read_text(encoding="utf-8", errors="replace") != text:
        return f"{hook} is there already; add this line to it:\n    {_line(run)}"
    hooks.mkdir(parents=True, exist_ok=True)
    hook.write_text(text, encoding="utf-8")
    hook.chmod(0o755)
    shared = _git(root, "config", "--default", "", "--get", "core.hooksPath").strip()
    return f"installed {hook}{', for every repository whose core.hooksPath is this folder' if shared else ''}"


def _line(run: Path) -> str:
    return f"{shlex.quote(str(run.resolve()))} secrets guard --staged || exit 1"


def _hook(run: Path) -> str:
    return f"#!/bin/sh\n# Written by ./run secrets guard: nothing in plain text is committed.\n{_line(run)}\n"


SNIPPET = """\
# In CI, before anything is published. Without a key, what is missing, in plain text or no ciphertext any more fails; what takes
# a key to see is looked into if CI has one, and else said.
- run: ./run check
- run: ./run secrets
"""


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise OSError(done.stderr.decode("utf-8", "replace").strip() or "git refused")
    return done.stdout.decode("utf-8", "replace")
