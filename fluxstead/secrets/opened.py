"""What shows only with a private key: whether the MAC is right, which Flux does not look at, and whether values can be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fluxstead.secrets.identities import may_open
from fluxstead.secrets.state import Entry, Trouble, ciphertext_in, look
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.secrets.values import wrong_with
from fluxstead.secrets.vault import Vault, values_in

_SHUT = frozenset({"missing", "plain", "no Secret", "no MAC"})
"""What cannot be opened, or was told already."""


def look_inside(vault: Vault) -> tuple[list[Entry], str | None]:
    """Every Secret, opened where a key of this machine opens it; and why none was, where none is for this machine."""
    entries = look(vault.scope)
    if not vault.scope.settings.people:
        return entries, "there is nobody to encrypt for yet: ./run secrets init"
    try:
        opens = may_open(vault.scope.settings.recipients)
    except ToolTrouble as trouble:
        return entries, str(trouble)
    if not opens:
        return entries, "no private key of this machine is one of the recipients"
    return [replace(entry, troubles=(*entry.troubles, *_inside(vault, entry))) for entry in entries], None


def _inside(vault: Vault, entry: Entry) -> Iterator[Trouble]:
    if {trouble.state for trouble in entry.troubles} & _SHUT:
        return
    try:
        text = vault.text(entry.path)
        if text is None or ciphertext_in(text, entry.path) is None:
            return
        values = values_in(vault.sops.opened(text))
    except ToolTrouble as trouble:
        broken = trouble.code not in {0, 128}
        cure = f"git log -p {entry.path}, and the last version that opens" if broken else "the key of somebody it is for"
        yield Trouble("MAC broken" if broken else "cannot be decrypted", str(trouble), cure)
        return
    forms = {key.name: key.form for key in entry.need.keys} if entry.need else {}
    for key, value in values.items():
        wrong = wrong_with(forms.get(key, "text"), value) if key in forms or not value else None
        if wrong:
            yield Trouble("malformed", f"{key}: {wrong}", f"./run secrets set {entry.name} {key}")
