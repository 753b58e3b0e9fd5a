"""Giving values: which Secrets a name means, which keys, and taking over what is in plain text elsewhere."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fluxstead.checks.reading.documents import documents_in
from fluxstead.core.shape import mapping
from fluxstead.secrets.ciphertext import KEY_NAME, ciphertext_in, is_key_name, missing_keys
from fluxstead.secrets.guard import secrets_in
from fluxstead.secrets.handed_over import live_secret
from fluxstead.secrets.identities import key_secret, refuse_another_key
from fluxstead.secrets.makers import made, public_half
from fluxstead.secrets.operator_needs import CLUSTER_KEY, K3S_TOKEN
from fluxstead.secrets.rotation import refuse_what_rotates
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.secrets.values import unseen_in, wrong_with
from fluxstead.secrets.vault import Value, Vault, manifest, texts_of, values_in
from fluxstead.tree.asks import SecretKey, SecretMaker, SecretNeed
from fluxstead.tree.secret_files import OPERATOR, SUFFIX


def chosen(scope: Scope, name: str) -> list[SecretNeed]:
    """What is needed by that name. Raises ToolTrouble where nothing is."""
    found = scope.named(name)
    if found:
        return found
    if CLUSTER_KEY in name:
        raise ToolTrouble("the cluster's key is not set by hand: ./run secrets init makes it")
    known = sorted({one for need in scope.all_needs for one in (need.name, need.qualified_name)})
    near = difflib.get_close_matches(name, known, n=1)
    needed = ", ".join(need.qualified_name for need in scope.all_needs) or "none; flux: {sopsSecret: …} lets layers decrypt"
    if name.removeprefix(f"{OPERATOR}/") == K3S_TOKEN:
        raise ToolTrouble(f"{name} is needed once k3s is installed: ./run upgrade kubernetes --lock, and then this")
    raise ToolTrouble(f"no described system needs a Secret {name}: {f'{near[0]}?' if near else f'needed are {needed}'}")


def keys_to_give(vault: Vault, needs: Sequence[SecretNeed], names: Sequence[str]) -> list[SecretKey]:
    """The keys to ask for: those that are named, else those that are missing, else all that have to be there."""
    known = {key.name: key for need in needs for key in need.keys}
    for name in names:
        key_name(name)
    if names:
        for name in names:
            if known and name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise ToolTrouble(f"{needs[0].qualified_name} has no key {name}: {near[0] if near else ', '.join(known)}?")
        return [known.get(name, SecretKey(name=name)) for name in names]
    if not known:
        raise ToolTrouble(f"which keys {needs[0].qualified_name} has is yours to say: ./run secrets set {needs[0].name} KEY…")
    wanted = [key for key in known.values() if not key.optional]
    missing = {name for need in needs for name in missing_keys(wanted, _there(vault, need))}
    return [key for key in wanted if key.name in missing] or wanted


def _there(vault: Vault, need: SecretNeed) -> Mapping[str, str]:
    path = vault.scope.path_of(need)
    text = vault.text(path)
    found = ciphertext_in(text, path) if text is not None else None
    return found.keys if found else {}


def already_given(vault: Vault, needs: Sequence[SecretNeed]) -> dict[str, Value]:
    """The values that those have which share them, where others lack theirs and nobody has another; else none."""
    if len({need.shared for need in needs}) != 1 or not needs[0].shared:
        return {}
    held = [values for need in needs if (values := vault.values(vault.scope.path_of(need)))]
    return held[0] if held and len(held) < len(needs) and all(values == held[0] for values in held) else {}


def refuse_unseen(name: str, value: Value) -> None:
    """Raises ToolTrouble, without it, where whoever typed it cannot have seen all of it."""
    if wrong := unseen_in(value):
        raise ToolTrouble(f"{name}: {wrong}")


def checked(key: SecretKey, value: Value) -> Value:
    """The value. Raises ToolTrouble, without it, where it is not what it has to be."""
    wrong = wrong_with(key.form, value)
    if wrong:
        raise ToolTrouble(f"{key.name}: {wrong}")
    return value


def with_its_public_half(key: SecretKey, value: Value) -> dict[str, Value]:
    """A value that somebody has, and what goes with it, so that no other key's public half stays beside it. Raises ToolTrouble."""
    checked(key, value)
    beside = {f"{key.name}.pub": public_half(value)} if key.maker == "ssh-key" and isinstance(value, str) else {}
    if None in beside.values():
        raise ToolTrouble(f"{key.name}: it is no private key of SSH without a passphrase, and in the cluster nobody types one")
    return {key.name: value, **{name: half for name, half in beside.items() if half}}


def generated(key: SecretKey, need: SecretNeed, maker: SecretMaker | None = None) -> dict[str, str]:
    """New values for a key that nobody has to know beforehand, and what goes with it; by `maker` where the need leaves it open."""
    if key.maker is None and need.keys:
        raise ToolTrouble(f"{key.name} of {need.qualified_name} cannot be made up: whoever issues it has it")
    while True:
        values = made(key.maker or maker or "password", key.name, need.name)
        if not need.keys or wrong_with(key.form, values[key.name]) is None:  # one token in many begins as a whole one does
            return values


@dataclass(frozen=True, slots=True)
class Import:
    """Secrets in plain text elsewhere, which become ciphertext."""

    vault: Vault

    def file(self, file: Path) -> Iterator[str]:
        """From a manifest. Raises ToolTrouble."""
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ToolTrouble(f"{file} cannot be read: {getattr(problem, 'strerror', None) or 'it is not text'}") from None
        secrets = [secret for one in _objects(text, file) for secret in secrets_in(one)]
        if not secrets:
            raise ToolTrouble(f"there is no Secret in {file}")
        if any("sops" in one for one in secrets):
            raise ToolTrouble(f"{file} is encrypted already: ./run secrets move {file} NAME")
        yield from self._take(secrets)
        root = self.vault.scope.root
        own = {str((root / self.vault.scope.path_of(need)).resolve()) for need in self.vault.scope.all_needs}
        if str(file.resolve()) not in own:
            yield f"remove {file}, which still has it in plain text: git rm {file}, or rm"
        yield f"if it was ever committed, everybody with the repository has it: git log --oneline -- {file}; then other values"

    def live(self, namespace: str, name: str) -> Iterator[str]:
        """From the running cluster, by the operator's kubectl. Raises ToolTrouble."""
        yield from self._take([live_secret(namespace, name)])

    def _take(self, secrets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """All of them are looked at before the first is written."""
        for needs, values, kind in [self._read(one) for one in secrets]:
            for need in needs:
                self._put(need, values, kind)
                yield f"encrypted {', '.join(values)} of {need.qualified_name} in {self.vault.scope.path_of(need)}"

    def _put(self, need: SecretNeed, values: Mapping[str, Value], kind: str) -> None:
        # It is what it is: the API server never lets a Secret become one of another type.
        need, path = need._replace(type=kind or need.type), self.vault.scope.path_of(need)
        text = self.vault.text(path)
        found = ciphertext_in(text, path) if text is not None else None
        if need.name == CLUSTER_KEY and need.layer == OPERATOR:
            made = self.vault.own.encrypted(key_secret(self.vault.scope, texts_of(values)))
            self.vault.write({path: made}, OPERATOR)
        elif found is not None and found.sops is None:  # the plain file stands in the Secret's own place
            self.vault.write({path: self.vault.program(need).encrypted(manifest(need, values))}, need.layer)
        else:
            self.vault.put(need, values)

    def _read(self, secret: Mapping[str, Any]) -> tuple[list[SecretNeed], dict[str, Value], str]:
        """Of which needs it is, its values and its type."""
        metadata, scope = mapping(secret, "metadata"), self.vault.scope
        namespace, name = str(metadata.get("namespace", "default")), str(metadata.get("name"))
        own = [one.need for one in scope.operators if one.need.live == (namespace, name)]
        needs = own or chosen(scope, f"{namespace}/{name}")
        values = values_in(secret)
        if not values:
            raise ToolTrouble(f"Secret {needs[0].qualified_name} has no values there")
        valid(needs[0], values)
        for need in needs:
            refuse_what_rotates(scope, need, taken_over=True)
            if need.name == CLUSTER_KEY and need.layer == OPERATOR:
                refuse_another_key(scope, values)
        return needs, values, str(secret.get("type") or "")


def valid(need: SecretNeed, values: Mapping[str, Value]) -> None:
    """Raises ToolTrouble, without any value, where the Secret may not have one of them."""
    known = {key.name: key for key in need.keys}
    for name, value in values.items():
        key_name(name)
        if name in known:
            checked(known[name], value)


def key_name(name: str) -> str:
    """The name of a key. Raises ToolTrouble, without the text, which may be a value."""
    if "=" in name:
        raise ToolTrouble("a value is never an argument: `ps` and the shell's history show it; give the key alone")
    if not is_key_name(name):
        raise ToolTrouble(f"one of the keys has no name that a key may have: {KEY_NAME}")
    return name


def edited(vault: Vault, need: SecretNeed, before: str, after: str) -> bool:
    """Take over what an editor left of a Secret; whether anything changed. Raises ToolTrouble where it may not be so."""
    path = vault.scope.path_of(need)
    found = ciphertext_in(after, path)
    if found is None or found.sops is None or found.plain or found.identity != need.identity:
        raise ToolTrouble(f"nothing is taken of what was edited: it is not Secret {need.qualified_name} any more")
    old, new = (values_in(vault.program(need).opened(text)) for text in (before, after))
    changed: dict[str, Value | None] = {key: value for key, value in new.items() if old.get(key) != value}
    given = {key: value for key, value in changed.items() if value is not None}
    valid(need, given)
    for key, value in given.items():
        refuse_unseen(key, value)
    if vault.text(path) != before:  # somebody else wrote it meanwhile
        return vault.put(need, changed | dict.fromkeys(old.keys() - new.keys()))
    if before != after:
        vault.write({path: after}, need.layer)
    return before != after


def _objects(text: str, file: Path) -> list[Mapping[str, Any]]:
    """The objects of a manifest, in YAML or JSON. What is wrong with it is told without what stands there."""
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text)
        except ValueError:
            raise ToolTrouble(f"{file} is not JSON") from None
        return [data] if isinstance(data, Mapping) else []
    documents = documents_in(text, str(file))
    broken = next((one for one in documents if one.problem), None)
    if broken:
        raise ToolTrouble(f"{broken.source} is not YAML")
    return [one.data for one in documents if isinstance(one.data, Mapping)]


def moved(vault: Vault, path: str, need: SecretNeed) -> str:
    """Move a file to where another need looks for it; its values keep their bytes. Raises ToolTrouble."""
    if not re.fullmatch(rf"{re.escape(vault.scope.folder)}/[^/]+/[^/]+{re.escape(SUFFIX)}", path) or "/../" in path:
        raise ToolTrouble(f"{path} is not below {vault.scope.folder}/: copy it there, into a folder of its own, first")
    if path.split("/")[2] == OPERATOR:
        raise ToolTrouble(f"{path} is only for people, and no layer gets it")
    text = vault.text(path)
    found = ciphertext_in(text, path) if text is not None else None
    if text is None or found is None or found.sops is None or not found.identity[1]:
        raise ToolTrouble(f"{path} is not a Secret that sops encrypted")
    if not mapping(found.data, "sops").get("mac_only_encrypted"):
        raise ToolTrouble(f"the MAC of {path} covers its name: sops decrypt {path}, then ./run secrets set {need.qualified_name}")
    target = vault.scope.path_of(need)
    if need.layer == OPERATOR:
        raise ToolTrouble(f"{path} is for the cluster as well, and {need.qualified_name} only for people: set it anew")
    if target != path and vault.text(target) is not None:
        raise ToolTrouble(f"{target} is there already")
    new = _renamed(text, {"name": need.name, "namespace": need.namespace})
    vault.write({target: new, **({path: None} if path != target else {})}, need.layer, path.split("/")[2])
    return target


def _renamed(text: str, values: Mapping[str, str]) -> str:
    """The text with other words in its `metadata`, and no other byte changed."""
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = top.value if isinstance(top, yaml.MappingNode) else ()
    metadata = next(value for key, value in entries if key.value == "metadata")
    for key, node in sorted(metadata.value, key=lambda one: -one[1].start_mark.index):
        if key.value in values:
            text = f"{text[: node.start_mark.index]}{values[key.value]}{text[node.end_mark.index :]}"
    return text
