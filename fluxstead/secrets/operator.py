"""The operator's own secrets, decrypted when they are used, for what installs a cluster."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from fluxstead.secrets.ciphertext import missing_keys
from fluxstead.secrets.state import Scope, digests
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.secrets.vault import Vault, texts_in
from fluxstead.tree.secret_files import OPERATOR, SUFFIX


def values_of(scope: Scope, name: str) -> dict[str, str]:
    """The values of one, by key; `name` as in `operator_needs`. Raises ToolTrouble, with what to type.

    They are for a pipe, or a program's own connection: never for an argument, an environment, a log or a state.
    """
    own = next((one for one in scope.operators if one.need.name == name), None)
    if own is None:
        raise ToolTrouble(f"the description needs no operator/{name}")
    if not scope.settings.people:
        raise ToolTrouble("there is nobody to encrypt for yet: ./run secrets init")
    vault, path = Vault(scope), scope.path_of(own.need)
    text = vault.text(path)
    if text is None:
        raise ToolTrouble(f"{own.need.qualified_name}, {own.need.purpose}, is missing: {own.cure}")
    try:
        values = texts_in(vault.own.opened(text))
    except ToolTrouble as trouble:
        raise ToolTrouble(f"{path}: {trouble}; ./run secrets says more", code=trouble.code) from None
    if lacks := missing_keys(own.need.keys, values):
        raise ToolTrouble(f"{path} lacks {', '.join(lacks)}: ./run secrets set {own.need.qualified_name} {' '.join(lacks)}")
    return values


def digests_of(scope: Scope, names: Iterable[str]) -> dict[str, str]:
    """Of those that are there, the SHA-256 of the ciphertext, which tells whether it is another."""
    found = digests(scope).get(OPERATOR, {})
    by_name = {posixpath.basename(path).removesuffix(SUFFIX): digest for path, digest in found.items()}
    return {name: by_name[name] for name in names if name in by_name}
