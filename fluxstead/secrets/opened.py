"""What shows only with a private key: whether the MAC is right, which Flux does not look at, and whether values can be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fluxstead.secrets.ciphertext import ciphertext_in
from fluxstead.secrets.makers import public_half
from fluxstead.secrets.state import Scope, SecretRow, Trouble, look
from fluxstead.secrets.tools import NO_KEY, ToolTrouble
from fluxstead.secrets.values import wrong_with
from fluxstead.secrets.vault import Value, Vault, values_in
from fluxstead.tree.asks import SecretNeed

_SHUT = frozenset({"missing", "plain", "no Secret", "no MAC", "broken"})
"""What cannot be opened, or was told already."""


def look_inside(scope: Scope) -> tuple[list[SecretRow], str | None]:
    """Every Secret, opened where a key of this machine opens it; and why none was, where none is for this machine."""
    entries = look(scope)
    if not scope.settings.people:
        return entries, "there is nobody to encrypt for yet: ./run secrets init"
    try:
        vault = Vault(scope)
    except ToolTrouble as trouble:  # sops is not here
        return entries, str(trouble)
    looked, values = [], dict[SecretNeed, dict[str, Value]]()
    for entry in entries:
        found = list(_inside(vault, entry, values))
        # One that is for exactly these recipients, and does not open, tells of all others.
        if any(one.state == "cannot be decrypted" for one in found) and not _is_for_others(entry):
            return entries, f"{found[0].detail}"
        looked.append(replace(entry, troubles=(*entry.troubles, *found)))
    return [_compared(scope, row, values) for row in looked], None


def _compared(scope: Scope, row: SecretRow, values: Mapping[SecretNeed, Mapping[str, Value]]) -> SecretRow:
    """With what differs from the first of those that should have one value."""
    first = next((need for need in scope.sharing(row.need) if need in values), None) if row.need else None
    if row.need is None or first is None or scope.needs.index(first) > scope.needs.index(row.need):
        return row
    if row.need not in values or values[row.need] == values[first]:
        return row
    keys = " ".join(dict.fromkeys((*values[first], *values[row.need])))
    detail, cure = f"another value than {first.qualified_name} has", f"./run secrets set {row.name} {keys}"
    return replace(row, troubles=(*row.troubles, Trouble("differs", detail, cure)))


def _is_for_others(entry: SecretRow) -> bool:
    return any(trouble.state == "not for these recipients" for trouble in entry.troubles)


def _inside(vault: Vault, entry: SecretRow, taken: dict[SecretNeed, dict[str, Value]]) -> Iterator[Trouble]:
    if {trouble.state for trouble in entry.troubles} & _SHUT:
        return
    try:
        text = vault.text(entry.path)
        if text is None or ciphertext_in(text, entry.path) is None:
            return
        secret = vault.sops.opened(text)
    except ToolTrouble as trouble:
        broken = trouble.code not in {0, NO_KEY}
        cure = f"git log -p {entry.path}, and the last version that opens" if broken else "the key of somebody it is for"
        yield Trouble("MAC broken" if broken else "cannot be decrypted", str(trouble), cure)
        return
    try:
        values = values_in(secret)
    except ToolTrouble as trouble:
        yield Trouble("malformed", str(trouble), f"./run secrets edit {entry.name}")
        return
    if entry.need:
        taken[entry.need] = values
    yield from _malformed(entry, values)


def _malformed(entry: SecretRow, values: Mapping[str, Value]) -> Iterator[Trouble]:
    keys = {key.name: key for key in entry.need.keys} if entry.need else {}
    for name, value in values.items():
        wrong = wrong_with(keys[name].form if name in keys else "text", value) if name in keys or not value else None
        if wrong:
            yield Trouble("malformed", f"{name}: {wrong}", f"./run secrets set {entry.name} {name}")
    for name, key in keys.items():
        public = str(values.get(f"{name}.pub", ""))
        if key.maker == "ssh-key" and public and (public_half(str(values.get(name))) or "").split()[:2] != public.split()[:2]:
            detail = f"{name}.pub is not the public half of {name}"
            yield Trouble("malformed", detail, f"./run secrets set {entry.name} {name} --file FILE")
