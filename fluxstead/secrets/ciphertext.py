"""One file of ciphertext, as far as it can be read without a key: SOPS leaves names, keys and recipients readable."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.checks.reading.sops import ENCRYPTED, Sops, sops_of
from fluxstead.core.shape import entries_of, mapping
from fluxstead.tree.asks import SecretKey

HOLDERS = ("stringData", "data")
"""Of a key in both, the API server takes the first."""
KEY_NAME = "a key has letters, digits, `-`, `_` and `.`, 253 at most"


def is_key_name(name: str) -> bool:
    """Whether the API server takes it (kubernetes/apimachinery: validation.IsConfigMapKey)."""
    return bool(re.fullmatch(r"[-._A-Za-z0-9]{1,253}", name)) and name != "." and not name.startswith("..")


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


def broken_in(found: Ciphertext) -> Iterator[str]:
    """What no key opens, as it is written now (getsops/sops: aes/cipher.go, stores.Metadata; C2SP: age.md)."""
    for holder in HOLDERS:
        for key, value in mapping(found.data, holder).items():
            text = str(value)
            if text.startswith(ENCRYPTED) and not _is_whole(text):
                yield f"the value of {key}" if is_key_name(str(key)) else "a value"
    metadata = mapping(found.data, "sops")
    if str(metadata.get("mac")).startswith(ENCRYPTED) and not _is_whole(str(metadata["mac"])):
        yield "its MAC"
    if isinstance(date := metadata.get("lastmodified"), str) and not _DATE.fullmatch(date):
        yield "its date, which the MAC is sealed with"
    for one in entries_of(metadata, "age"):
        if not _is_sealed(str(one.get("enc"))):
            yield f"the data key for {str(one.get('recipient'))[:12]}…"


_WHOLE = re.compile(r"ENC\[AES256_GCM,data:([^,\]]*),iv:([^,\]]+),tag:([^,\]]+),type:(?:str|int|float|bytes|bool|comment|time)\]")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_SEALED = re.compile(r"\s*-----BEGIN AGE ENCRYPTED FILE-----\n([A-Za-z0-9+/=\n]+)\n-----END AGE ENCRYPTED FILE-----\s*")
_TAG = 16
"""Bytes (NIST SP 800-38D)."""


def _is_whole(text: str) -> bool:
    parts = _WHOLE.fullmatch(text)
    data, initial, tag = (_bytes(one) for one in parts.groups()) if parts else (None, None, None)
    return data is not None and bool(initial) and tag is not None and len(tag) == _TAG


def _is_sealed(text: str) -> bool:
    armor = _SEALED.fullmatch(text.replace("\r\n", "\n"))
    inside = _bytes(armor[1].replace("\n", "")) if armor else None
    return inside is not None and inside.startswith(b"age-encryption.org/v1\n-> ") and b"\n--- " in inside


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def missing_keys(wanted: Sequence[SecretKey], there: Mapping[str, Any]) -> list[str]:
    """The keys that have to be there and are not."""
    return [key.name for key in wanted if not key.optional and key.name not in there]


def other_keys(data: Mapping[str, Any]) -> list[str]:
    """For whom else it is than keys of age, which are the only ones that a description names (getsops/sops: stores.Metadata)."""
    metadata = mapping(data, "sops")
    return [name for name in _OTHER_KEYS if metadata.get(name)]


_OTHER_KEYS = ("kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "key_groups")
