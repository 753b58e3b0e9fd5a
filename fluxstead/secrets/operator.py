"""What only the operator's programs read: opened when it is used, and kept nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fluxstead.secrets.files import NotRead, text_of
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import SopsProgram, ToolTrouble
from fluxstead.secrets.vault import texts_in
from fluxstead.tree.secret_files import OPERATOR, SUFFIX


def operator_path(scope: Scope, name: str) -> str:
    """Where one lies, from the project's folder."""
    return f"{scope.folder}/{OPERATOR}/{name}{SUFFIX}"


def values_of(scope: Scope, name: str) -> dict[str, str]:
    """The values of one, decrypted with a key of this machine. Raises ToolTrouble."""
    path = operator_path(scope, name)
    try:
        text = text_of(scope.root / path)
    except NotRead as problem:
        raise ToolTrouble(f"{path} cannot be read: {problem}") from None
    if text is None:
        raise ToolTrouble(f"{path} is not there: ./run secrets says what to type")
    return texts_in(SopsProgram(scope.settings.people).opened(text))


def digests_of(scope: Scope, names: Iterable[str]) -> dict[str, str]:
    """Of those that are there, whether the ciphertext is another."""
    found = {}
    for name in names:
        try:
            text = text_of(scope.root / operator_path(scope, name))
        except NotRead:
            continue
        if text is not None:
            found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found
