"""What is there of what is needed, as far as it shows without a key: SOPS leaves names, keys and recipients readable."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.checks.reading.sops import ENCRYPTED, Sops, sops_of
from fluxstead.core.shape import mapping
from fluxstead.secrets.files import NotRead, text_of
from fluxstead.secrets.settings import SecretsSettings
from fluxstead.tree.asks import SecretKey, SecretNeed
from fluxstead.tree.secret_files import FOLDER, LIST, OPERATOR, SUFFIX, secret_path

HOLDERS = ("stringData", "data")
"""Of a key in both, the API server takes the first."""
State = Literal[
    "there",
    "missing",
    "accepted",
    "keys missing",
    "another Secret",
    "plain",
    "not for these recipients",
    "no MAC",
    "MAC broken",
    "malformed",
    "no key names",
    "cannot be decrypted",
    "no Secret",
    "unused",
]


KEY_NAME = "a key has letters, digits, `-`, `_` and `.`, 253 at most"


def is_key_name(name: str) -> bool:
    """Whether the API server takes it (kubernetes/apimachinery: validation.IsConfigMapKey)."""
    return bool(re.fullmatch(r"[-._A-Za-z0-9]{1,253}", name)) and name != "." and not name.startswith("..")


@dataclass(frozen=True, slots=True)
class Scope:
    """The secrets of one cluster: the project's folder, what the described systems need, for whom it is encrypted."""

    root: Path
    cluster: str
    needs: tuple[SecretNeed, ...]
    settings: SecretsSettings
    sops_secret: str | None = None

    def path_of(self, need: SecretNeed) -> str:
        """Where a Secret lies, from the project's folder."""
        return secret_path(self.cluster, need)

    @property
    def folder(self) -> str:
        """Where all of them lie."""
        return posixpath.join(FOLDER, self.cluster)

    def named(self, name: str) -> list[SecretNeed]:
        """What is needed by that name: NAMESPACE/NAME, or NAME alone, which may be several that are given one value."""
        return [need for need in self.needs if name in {need.name, need.qualified_name}]


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


class Ciphertext(NamedTuple):
    """A file as it can be read without a key."""

    data: Mapping[str, Any]
    sops: Sops | None
    document: Document

    @property
    def identity(self) -> tuple[str, str]:
        """Its namespace and its name."""
        metadata = mapping(self.data, "metadata")
        return str(metadata.get("namespace", "")), str(metadata.get("name", ""))

    @property
    def keys(self) -> dict[str, str]:
        """Which keys it has, each with the place that holds it."""
        return {str(key): holder for holder in reversed(HOLDERS) for key in mapping(self.data, holder)}

    @property
    def plain(self) -> list[str]:
        """The keys whose values can be read; SOPS encrypts no empty ones."""
        values = ((str(key), value) for holder in HOLDERS for key, value in mapping(self.data, holder).items())
        return [key for key, value in values if value not in (None, "") and not str(value).startswith(ENCRYPTED)]

    @property
    def size(self) -> int:
        """Bytes of all values, decrypted: AES-GCM makes nothing longer, and Kubernetes counts `data` without its base64."""
        found = 0
        for holder in HOLDERS:
            for value in mapping(self.data, holder).values():
                secret = _DATA.match(str(value))
                length = _decoded(secret[1]) if secret else len(str(value).encode())
                found += length * 3 // 4 if holder == "data" else length
        return found


_DATA = re.compile(r"ENC\[AES256_GCM,data:([A-Za-z0-9+/]*)=*,")


def _decoded(digits: str) -> int:
    """How many bytes base64 without its padding stands for."""
    return len(digits) * 3 // 4


def ciphertext_in(text: str, path: str) -> Ciphertext | None:
    """What a file holds; None where it is not one Secret."""
    documents = [one for one in documents_in(text, path) if one.data is not None or one.problem]
    if len(documents) != 1 or not isinstance(documents[0].data, Mapping) or documents[0].data.get("kind") != "Secret":
        return None
    return Ciphertext(documents[0].data, sops_of(documents[0].data), documents[0])


def digests(scope: Scope) -> dict[str, dict[str, str]]:
    """What other programs may know of ciphertext: whether it is another, by layer and path."""
    found: dict[str, dict[str, str]] = {}
    for need in scope.needs:
        path = scope.path_of(need)
        try:
            text = text_of(scope.root / path)
        except NotRead:
            continue
        if text is not None:
            found.setdefault(need.layer, {})[path] = hashlib.sha256(text.encode()).hexdigest()
    return found


def look(scope: Scope) -> list[SecretRow]:
    """Every Secret that is needed, and every file that nobody needs."""
    accepted = {one.secret: one.reason for one in scope.settings.missing}
    needed = [_look(scope, need, accepted.get(need.qualified_name, "")) for need in scope.needs]
    known = {entry.path for entry in needed}
    return [*needed, *_unused(scope, [path for path in files_in(scope) if path not in known])]


def files_in(scope: Scope) -> list[str]:
    """The files of all layers, without those that only the operator has to do with."""
    own = f"{scope.folder}/{OPERATOR}/"
    found = (scope.root / scope.folder).glob(f"*/*{SUFFIX}")
    paths = sorted(path.relative_to(scope.root).as_posix() for path in found)
    return [path for path in paths if not path.startswith(own)]


def _look(scope: Scope, need: SecretNeed, accepted: str) -> SecretRow:
    path = scope.path_of(need)
    try:
        text = text_of(scope.root / path)
    except NotRead as problem:
        return SecretRow(path, need, (Trouble("no Secret", f"the file cannot be read: {problem}", f"git log -p {path}"),))
    plain = f"{path.removesuffix(SUFFIX)}.yaml"
    if posixpath.basename(plain) != LIST and (scope.root / plain).is_file():
        return SecretRow(
            path, need, (Trouble("plain", f"{plain} beside it", f"./run secrets import {plain}, then git rm or rm it"),)
        )
    if text is None:
        trouble = Trouble("missing", need.purpose, f"./run secrets set {need.qualified_name}{_way(need)}")
        return SecretRow(path, need, (trouble,), accepted)
    found = ciphertext_in(text, path)
    if found is None:
        return SecretRow(path, need, (Trouble("no Secret", "the file is not one Secret", f"git log -p {path}"),))
    return SecretRow(path, need, tuple(_troubles(scope, need, path, found)))


def _way(need: SecretNeed) -> str:
    """What else has to be typed: keys that only people know, and a file for what no prompt takes."""
    if not need.keys:
        return " KEY…"
    whole = [key.name for key in need.keys if key.form in {"Alertmanager's configuration", "YAML", "PEM"} and not key.optional]
    return f" {whole[0]} --file FILE" if len(whole) == 1 else ""


def _troubles(scope: Scope, need: SecretNeed, path: str, found: Ciphertext) -> Iterator[Trouble]:
    if found.identity != (need.namespace, need.name):
        is_now = "/".join(found.identity)
        yield Trouble("another Secret", f"the file is {is_now}", f"./run secrets move {path} {need.qualified_name}")
    if found.sops is None or found.plain:
        keys = ", ".join(found.plain) or "no `sops` section"
        yield Trouble("plain", keys, f"./run secrets import {path}, and other values: whoever has the repository has these")
        return
    bad = [key for key in found.keys if not is_key_name(key)]
    if bad:
        # Not the name itself: it may well be a value that was typed in the wrong place.
        yield Trouble("no key names", f"{len(bad)} of its keys", f"./run secrets edit {need.qualified_name}: {KEY_NAME}")
    missing = missing_keys(need.keys, found.keys)
    if missing or not found.keys:
        yield Trouble("keys missing", ", ".join(missing) or "any key", f"./run secrets set {need.qualified_name}")
    yield from of_recipients(scope.settings.recipients, found.sops.recipients)
    if others := other_keys(found.data):
        yield Trouble("not for these recipients", f"still for keys of {', '.join(others)}", "./run secrets recipients update")
    if not found.sops.has_mac:
        yield Trouble("no MAC", "sops refuses to open it", f"git log -p {path}")


def missing_keys(wanted: Sequence[SecretKey], there: Mapping[str, Any]) -> list[str]:
    """The keys that have to be there and are not."""
    return [key.name for key in wanted if not key.optional and key.name not in there]


def of_recipients(wanted: frozenset[str], found: frozenset[str]) -> Iterator[Trouble]:
    """Whether a file is for exactly those of the description; without any there, nothing is known."""
    if wanted and wanted != found:
        lacks = [f"not for {_short(one)}" for one in sorted(wanted - found)]
        has = [f"still for {_short(one)}" for one in sorted(found - wanted)]
        yield Trouble("not for these recipients", "; ".join((*lacks, *has)), "./run secrets recipients update")


def other_keys(data: Mapping[str, Any]) -> list[str]:
    """For whom else it is than keys of age, which are the only ones that a description names (getsops/sops: stores.Metadata)."""
    metadata = mapping(data, "sops")
    return [name for name in _OTHER_KEYS if metadata.get(name)]


_OTHER_KEYS = ("kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "key_groups")


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
