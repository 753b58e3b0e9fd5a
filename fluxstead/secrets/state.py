"""What is there of what is needed, as far as it shows without a key: SOPS leaves names, keys and recipients readable."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from fluxstead.secrets.ciphertext import KEY_NAME, Ciphertext, broken_in, ciphertext_in, is_key_name, missing_keys, other_keys
from fluxstead.secrets.files import NotRead, text_of
from fluxstead.secrets.operator_needs import OperatorSecret
from fluxstead.secrets.settings import SecretsSettings
from fluxstead.tree.asks import SecretNeed
from fluxstead.tree.secret_files import FOLDER, LIST, OPERATOR, SUFFIX, secret_path

State = Literal[
    "there",
    "missing",
    "accepted",
    "keys missing",
    "keys too many",
    "another Secret",
    "plain",
    "not for these recipients",
    "no MAC",
    "broken",
    "MAC broken",
    "differs",
    "malformed",
    "no key names",
    "cannot be decrypted",
    "no Secret",
    "unused",
]


@dataclass(frozen=True, slots=True)
class Scope:
    """The secrets of one cluster: the project's folder, what the described systems need, for whom it is encrypted.

    `needs`: what layers apply. `operators`: what only people and the installer have.
    """

    root: Path
    cluster: str
    needs: tuple[SecretNeed, ...]
    settings: SecretsSettings
    sops_secret: str | None = None
    operators: tuple[OperatorSecret, ...] = ()

    def path_of(self, need: SecretNeed) -> str:
        """Where a Secret lies, from the project's folder."""
        return secret_path(self.cluster, need)

    @property
    def folder(self) -> str:
        """Where all of them lie."""
        return posixpath.join(FOLDER, self.cluster)

    @property
    def all_needs(self) -> tuple[SecretNeed, ...]:
        """With those that no layer applies."""
        return (*self.needs, *(one.need for one in self.operators))

    def operators_own(self, need: SecretNeed) -> OperatorSecret | None:
        """What else is known of a secret that no layer applies."""
        return next((one for one in self.operators if one.need == need), None)

    def recipients_of(self, need: SecretNeed) -> frozenset[str]:
        """For whom it is encrypted."""
        return frozenset(self.settings.people) if need.layer == OPERATOR else self.settings.recipients

    def named(self, name: str) -> list[SecretNeed]:
        """What is needed by that name: NAMESPACE/NAME, or NAME alone; several that share one value, or are given one."""
        found = [need for need in self.all_needs if name in {need.name, need.qualified_name, self.path_of(need)}]
        return list(dict.fromkeys(other for need in found for other in (need, *self.sharing(need))))

    def sharing(self, need: SecretNeed) -> list[SecretNeed]:
        """The others that hold the same value."""
        return [other for other in self.needs if need.shared and other.shared == need.shared and other != need]


class Trouble(NamedTuple):
    """One thing that is wrong with a Secret, and what to type."""

    state: State
    detail: str
    cure: str


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One row: what is needed, or what lies there unneeded; without trouble, it is there."""

    path: str
    need: SecretNeed | None
    troubles: tuple[Trouble, ...] = ()
    accepted: str = ""
    """Why it may be missing."""

    @property
    def name(self) -> str:
        """As people call it."""
        return self.need.qualified_name if self.need else self.path

    @property
    def state(self) -> State:
        """The first thing that is wrong with it."""
        if self.accepted:
            return "accepted"
        return self.troubles[0].state if self.troubles else "there"


def digests(scope: Scope) -> dict[str, dict[str, str]]:
    """What other programs may know of ciphertext: whether it is another, by layer and path."""
    found: dict[str, dict[str, str]] = {}
    for need in scope.all_needs:
        path = scope.path_of(need)
        try:
            text = text_of(scope.root, path)
        except NotRead:
            continue
        if text is not None:
            found.setdefault(need.layer, {})[path] = hashlib.sha256(text.encode()).hexdigest()
    return found


def look(scope: Scope) -> list[SecretRow]:
    """Every Secret that is needed, and every file that nobody needs."""
    accepted = {need: scope.settings.accepted(need) for need in scope.all_needs}
    needed = [_look(scope, need, one.reason if one else "") for need, one in accepted.items()]
    known = {entry.path for entry in needed}
    return [*needed, *_unused(scope, [path for path in files_in(scope) if path not in known])]


def lacking(scope: Scope) -> list[str]:
    """What keeps a cluster from being installed, a line each with what to type: needed, not there, and not described as missing."""
    return [
        f"Secret {row.name}, {row.need.purpose}: {trouble.state}: {trouble.cure}"
        for row in look(scope)
        if row.need and not row.accepted
        for trouble in row.troubles
        if trouble.state in _NOT_THERE
    ]


_NOT_THERE = frozenset[State]({"missing", "keys missing", "another Secret", "no Secret", "plain"})


def files_in(scope: Scope) -> list[str]:
    """The files of all layers, without those that only the operator has to do with."""
    own = f"{scope.folder}/{OPERATOR}/"
    found = (scope.root / scope.folder).glob(f"*/*{SUFFIX}")
    paths = sorted(path.relative_to(scope.root).as_posix() for path in found)
    return [path for path in paths if not path.startswith(own)]


def _look(scope: Scope, need: SecretNeed, accepted: str) -> SecretRow:
    path, troubles = scope.path_of(need), [*_plain_beside(scope, need)]
    try:
        text = text_of(scope.root, path)
    except NotRead as problem:
        return SecretRow(path, need, (Trouble("no Secret", f"the file cannot be read: {problem}", f"git log -p {path}"),))
    if text is None:
        # What is to be imported from beside it is not asked for as well.
        missing = Trouble("missing", need.purpose, _cure(scope, need)) if not troubles else None
        return SecretRow(path, need, tuple(filter(None, (*troubles, missing))), accepted)
    found = ciphertext_in(text, path)
    if found is None:
        return SecretRow(path, need, (*troubles, Trouble("no Secret", "the file is not one Secret", f"git log -p {path}")))
    return SecretRow(path, need, (*troubles, *_troubles(scope, need, path, found)))


def _plain_beside(scope: Scope, need: SecretNeed) -> Iterator[Trouble]:
    """What its ciphertext was made of, or will be."""
    stem = scope.path_of(need).removesuffix(SUFFIX)
    for plain in (f"{stem}{suffix}" for suffix in _PLAIN):
        if posixpath.basename(plain) != LIST and (scope.root / plain).is_file():
            yield Trouble("plain", f"{plain} {BESIDE}", f"./run secrets import {plain}, then git rm or rm it")


_PLAIN = (".yaml", ".yml", ".json")
BESIDE = "beside it"


def _cure(scope: Scope, need: SecretNeed) -> str:
    own = scope.operators_own(need)
    return own.cure if own else f"./run secrets set {need.qualified_name}{_way(need)}"


def _way(need: SecretNeed, missing: Collection[str] = ()) -> str:
    """What else has to be typed: keys that only people know, and a file for what no prompt takes. `missing`: which."""
    if not need.keys:
        return " KEY…"
    wanted = [key for key in need.keys if (key.name in missing if missing else not key.optional)]
    if all(key.maker or key.made_with for key in wanted):
        return " --generate"
    whole = [key.name for key in wanted if key.form in {"Alertmanager's configuration", "YAML", "PEM", "known_hosts"}]
    return f" {whole[0]} --file FILE" if len(whole) == 1 else ""


def _troubles(scope: Scope, need: SecretNeed, path: str, found: Ciphertext) -> Iterator[Trouble]:
    if found.identity != need.identity:
        is_now = "/".join(found.identity)
        back = f"git log -p {path}, and the last version that is {'/'.join(need.identity)}"
        move = f"./run secrets move {path} {need.qualified_name}"
        yield Trouble("another Secret", f"the file is {is_now}", back if need.layer == OPERATOR else move)
    if found.sops is None or found.plain:
        keys = ", ".join(found.plain) or "no `sops` section"
        yield Trouble("plain", keys, f"./run secrets import {path}, and other values: whoever has the repository has these")
        return
    bad = [key for key in found.keys if not is_key_name(key)]
    if bad:
        # Not the name itself: it may well be a value that was typed in the wrong place.
        yield Trouble("no key names", f"{len(bad)} of its keys", f"./run secrets edit {need.qualified_name}: {KEY_NAME}")
    more = [key for key in found.keys if key not in {one.name for one in need.keys}] if need.alone else []
    if more:
        yield Trouble("keys too many", ", ".join(more), f"./run secrets unset {need.qualified_name} {' '.join(more)}")
    missing = missing_keys(need.keys, found.keys)
    if missing or not found.keys:
        give = f"./run secrets set {need.qualified_name}{_way(need, missing)}"
        yield Trouble("keys missing", ", ".join(missing) or "any key", give)
    if broken := list(broken_in(found)):
        yield Trouble("broken", ", ".join(broken), f"git log -p {path}, and the last version that opens")
    yield from of_recipients(scope.recipients_of(need), found.sops.recipients)
    if others := other_keys(found.data):
        yield Trouble("not for these recipients", f"still for keys of {', '.join(others)}", "./run secrets recipients update")
    if not found.sops.has_mac:
        yield Trouble("no MAC", "sops refuses to open it", f"git log -p {path}")


def of_recipients(wanted: frozenset[str], found: frozenset[str]) -> Iterator[Trouble]:
    """Whether a file is for exactly those of the description; without any there, nothing is known."""
    if wanted and wanted != found:
        lacks = [f"not for {_short(one)}" for one in sorted(wanted - found)]
        has = [f"still for {_short(one)}" for one in sorted(found - wanted)]
        yield Trouble("not for these recipients", "; ".join((*lacks, *has)), "./run secrets recipients update")


def _short(recipient: str) -> str:
    return f"{recipient[:12]}…"


def _unused(scope: Scope, paths: Sequence[str]) -> Iterator[SecretRow]:
    """Files that nobody needs, each with the Secret that may have been meant: one that is missing, of its name or the only one."""
    waiting = [need for need in scope.needs if not (scope.root / scope.path_of(need)).is_file()] if paths else []
    by_name = {need.name: need for need in reversed(waiting)}
    folders = {posixpath.dirname(scope.path_of(need)) for need in scope.needs} if paths else set()
    for path in paths:
        alike = by_name.get(posixpath.basename(path).removesuffix(SUFFIX)) or (waiting[0] if len(waiting) == 1 else None)
        move = f"./run secrets move {path} {alike.qualified_name}, or " if alike else ""
        gone = path if posixpath.dirname(path) in folders else f"-r {posixpath.dirname(path)}"
        yield SecretRow(path, None, (Trouble("unused", "no described system needs it", f"{move}git rm {gone}"),))
