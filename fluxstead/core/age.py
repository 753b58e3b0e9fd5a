"""Recipients of age: public keys that files are encrypted for (age-encryption.org/v1; C2SP: age.md)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from fluxstead.core.refusal import refuse

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_X25519 = rf"age1[{_LETTERS}]{{58}}"
_OTHERS = rf"age1(?:pq|[a-z0-9]+)1[{_LETTERS}]{{6,}}"
"""Recipients of a plugin, and those of post-quantum keys."""
_SSH = r"ssh-(?:ed25519|rsa) [A-Za-z0-9+/]+={0,2}(?: .*)?"


def recipient(value: str) -> str:
    """A recipient, as it is written. Refuses whatever is none."""
    if "AGE-SECRET-KEY" in value.upper():
        raise refuse(
            "this is a private key, and not a recipient",
            why="whoever reads the repository, now or later, decrypts everything with it (F22)",
            fix="the public key, age1…, that `age-keygen -y` prints; and a new private key, since this one is known",
        )
    if re.fullmatch(_SSH, value) or ((re.fullmatch(_X25519, value) or re.fullmatch(_OTHERS, value)) and _sums_up(value)):
        return value
    raise refuse(
        f"{value!r} is not an age recipient",
        why="no file can be encrypted for it; a letter may be missing or mistyped, since its checksum is wrong"
        if value.startswith("age1")
        else "files in Git are encrypted for public keys of age",
        fix="the public key that `age-keygen -y` prints: age1 and 58 more characters",
    )


def _sums_up(text: str) -> bool:
    """Whether the checksum of Bech32 is right (BIP 173)."""
    prefix, _, data = text.rpartition("1")
    expanded = [*(ord(one) >> 5 for one in prefix), 0, *(ord(one) & 31 for one in prefix), *map(_LETTERS.index, data)]
    total = 1
    for value in expanded:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            total ^= generator if top >> bit & 1 else 0
    return total == 1


Recipient = Annotated[str, AfterValidator(recipient)]
"""A public key that files are encrypted for."""
