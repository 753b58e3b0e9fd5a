"""Changing ciphertext: what was not touched keeps its bytes, and a run that ends anywhere leaves the old file or the new, whole."""

from __future__ import annotations

import base64
import contextlib
import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path

from fluxstead.core.shape import mapping
from fluxstead.secrets.files import NotRead, text_of
from fluxstead.secrets.state import Ciphertext, Scope, ciphertext_in
from fluxstead.secrets.tools import Sops, ToolTrouble
from fluxstead.tree.asks import SecretNeed
from fluxstead.tree.secret_files import LIST, OPERATOR, SUFFIX, list_text, secret_folder
from fluxstead.tree.staging import Staging, scratch_of

_PLAIN_TO_FLUX = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
"""Flux would take `${…}` in a value for one of its own variables (failure U6)."""


_MOST = 1024**2
"""Bytes of all values of a Secret (kubernetes/kubernetes: core.MaxSecretSize)."""
_WHERE_ELSE = "what is larger belongs on a volume"


class Vault:
    """The ciphertext of one cluster, for those whom the description names."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.sops = Sops(scope.settings.recipients)
        self.own = Sops(scope.settings.people)

    def text(self, path: str) -> str | None:
        """A file as it lies there; None where there is nothing. Raises ToolTrouble for whatever else is there."""
        try:
            return text_of(self.scope.root / path)
        except NotRead as problem:
            raise ToolTrouble(f"{path} is left as it is: {problem}") from None

    def values(self, path: str) -> dict[str, str]:
        """The values of a Secret, decrypted in memory. Raises ToolTrouble."""
        text = self.text(path)
        return values_in(self.sops.opened(text)) if text is not None else {}

    def put(self, need: SecretNeed, values: Mapping[str, str | None]) -> bool:
        """Give a Secret these values, and take those away that are None; whether anything changed."""
        path = self.scope.path_of(need)
        text = self.text(path)
        found = ciphertext_in(text, path) if text is not None else None
        if text is None or found is None or found.sops is None:
            if text is not None:
                raise ToolTrouble(f"{path} is not a Secret that sops encrypted: ./run secrets import {path}")
            new = self.sops.encrypted(manifest(need, {key: value for key, value in values.items() if value is not None}))
        else:
            new = self._changed(text, found, values)
        made = ciphertext_in(new, path)
        if new != text and made is not None and made.size > _MOST:
            raise ToolTrouble(f"{path} would have {made.size} bytes of values, and a Secret has at most {_MOST}: {_WHERE_ELSE}")
        # The list as well where nothing changed: a run that was ended between the two left it as it was.
        self.write({path: new} if new != text else {}, need.layer)
        return new != text

    def _changed(self, text: str, found: Ciphertext, values: Mapping[str, str | None]) -> str:
        holders = {key: found.keys.get(key, "stringData") for key in values}
        encoded = {
            key: base64.b64encode(value.encode()).decode() if value is not None and holders[key] == "data" else value
            for key, value in values.items()
        }
        return self.sops.changed(text, holders, encoded)

    def write(self, texts: Mapping[str, str | None], *layers: str) -> None:
        """Write ciphertext, then the lists of these layers; what is None goes, after it left its list."""
        staging = Staging()
        wanted = {**texts, **self._lists(texts, layers)}
        there = {path: text for path, text in wanted.items() if text is not None}
        try:
            for path, text in there.items():
                with contextlib.suppress(OSError):
                    scratch_of(self.scope.root / path).unlink()
                staging.put(self.scope.root / path, text)
            staging.settle()
            for path in there:
                staging.move(self.scope.root / path)
                staging.settle_folders()
            for path in wanted.keys() - there.keys():
                staging.remove(self.scope.root / path, self.scope.root / self.scope.folder)
            staging.finish()
        finally:
            staging.abandon()

    def _lists(self, texts: Mapping[str, str | None], layers: tuple[str, ...]) -> dict[str, str | None]:
        """The lists that become others; that of a layer which needs nothing any more goes."""
        found: dict[str, str | None] = {}
        for layer in dict.fromkeys(layers):
            paths = [self.scope.path_of(need) for need in self.scope.needs if need.layer == layer]
            names = [posixpath.basename(path) for path in paths if self._will_be_there(path, texts)]
            place = posixpath.join(secret_folder(self.scope.cluster, layer), LIST)
            text = list_text(names) if paths else None
            if self.text(place) != text:
                found[place] = text
        return found

    def _will_be_there(self, path: str, texts: Mapping[str, str | None]) -> bool:
        return texts[path] is not None if path in texts else (self.scope.root / path).is_file()

    def operators(self) -> Iterator[str]:
        """The files that only people read."""
        folder = self.scope.root / self.scope.folder / OPERATOR
        yield from (path.relative_to(self.scope.root).as_posix() for path in sorted(folder.glob(f"*{SUFFIX}")))


def manifest(need: SecretNeed, values: Mapping[str, str]) -> dict[str, object]:
    """A Secret as it is encrypted."""
    return secret_object(need.namespace, need.name, values, need.type)


def secret_object(namespace: str, name: str, values: Mapping[str, str], kind: str = "Opaque") -> dict[str, object]:
    """The same, of any name."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(_PLAIN_TO_FLUX)},
        "type": kind,
        "stringData": dict(values),
    }


def values_in(secret: Mapping[str, object]) -> dict[str, str]:
    """The values of a Secret in plain text, wherever they stand; what is no text is left as base64."""
    data = mapping(secret, "data")
    found = {str(key): _decoded(value) if is_text(secret, key) else str(value) for key, value in data.items()}
    return found | {str(key): str(value or "") for key, value in mapping(secret, "stringData").items()}


def is_text(secret: Mapping[str, object], key: str) -> bool:
    """Whether what `data` holds at a key is text."""
    try:
        _decoded(mapping(secret, "data").get(key))
    except ValueError:
        return False
    return True


def _decoded(value: object) -> str:
    return base64.b64decode(str(value or ""), validate=True).decode()


def in_memory() -> Path | None:
    """A folder that no disk has (statfs(2): tmpfs), for what an editor needs as a file."""
    for folder in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108
        if folder and Path(folder).is_dir() and os.access(folder, os.W_OK) and _is_memory(Path(folder)):
            return Path(folder)
    return None


def _is_memory(folder: Path) -> bool:
    mounts = Path("/proc/self/mounts")
    fields = (line.split() for line in mounts.read_text(encoding="utf-8").splitlines()) if mounts.exists() else ()
    held = [one for one in fields if folder.resolve().is_relative_to(one[1])]
    return bool(held) and max(held, key=lambda one: len(one[1]))[2] in {"tmpfs", "ramfs"}
