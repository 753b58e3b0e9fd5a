"""Files that SOPS encrypted, as its metadata describes them: a section `sops` in YAML and JSON, `sops_…` in a file of variables.

Source: getsops/sops, `stores` and `Metadata`; kustomize-controller decrypts objects, and the files that Secrets are generated from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import entries_of, mapping

ENCRYPTED = "ENC["
_METADATA = r"(?m)^[ \t]*[\"']?sops(?:_\w+)?[\"']?[ \t]*[:=]|^\[sops\]"
_MAC = r"\b(?:sops_)?mac[\"']?[ \t]*[:=][ \t]*[\"']?ENC\["
_RECIPIENT = r"\bage1[0-9a-z]+"


class Sops(NamedTuple):
    """For whom something is encrypted with age, and whether it has the code that shows changes made without the key."""

    recipients: frozenset[str]
    has_mac: bool


def sops_of(data: Mapping[str, Any]) -> Sops | None:
    """Of an object; None where it has no metadata of SOPS."""
    if "sops" not in data:
        return None
    metadata = mapping(data, "sops")
    recipients = frozenset(str(one.get("recipient")) for one in entries_of(metadata, "age"))
    return Sops(recipients, str(metadata.get("mac")).startswith(ENCRYPTED))


def sops_in(text: str) -> Sops | None:
    """Of a file of any of SOPS' formats; None where it is not encrypted."""
    if ENCRYPTED not in text or not re.search(_METADATA, text):
        return None
    return Sops(frozenset(re.findall(_RECIPIENT, text)), bool(re.search(_MAC, text)))
