"""Changing ciphertext: what was not touched keeps its bytes, and a run that ends anywhere leaves the old file or the new, whole."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Iterator, Mapping

from fluxstead.core.shape import mapping
from fluxstead.secrets.ciphertext import HOLDERS, Ciphertext, broken_in, ciphertext_in
from fluxstead.secrets.files import NotRead, text_of
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import SopsProgram, ToolTrouble
from fluxstead.tree.asks import SecretNeed
from fluxstead.tree.secret_files import LIST, OPERATOR, SUFFIX, list_text, secret_folder
from fluxstead.tree.staging import Staging, put_anew

_PLAIN_TO_FLUX = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
"""Flux would take `${…}` in a value for one of its own variables (failure U6)."""


Value = str | bytes
"""Of a key: text, or what is none."""
_MOST = 1024**2
"""Bytes of all values of a Secret (kubernetes/kubernetes: core.MaxSecretSize)."""
_WHERE_ELSE = "what is larger belongs on a volume"


class Vault:
    """The ciphertext of one cluster, for those whom the description names."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.sops = SopsProgram(scope.settings.recipients)
        self.own = SopsProgram(scope.settings.people)

    def text(self, path: str) -> str | None:
        """A file as it lies there; None where there is nothing. Raises ToolTrouble for whatever else is there."""
        try:
            return text_of(self.scope.root, path)
        except NotRead as problem:
            raise ToolTrouble(f"{path} is left as it is: {problem}") from None

    def program(self, need: SecretNeed) -> SopsProgram:
        """sops, for those who may have it."""
        return self.own if need.layer == OPERATOR else self.sops

    def values(self, path: str) -> dict[str, Value]:
        """The values of a Secret, decrypted in memory. Raises ToolTrouble."""
        text = self.text(path)
        return values_in(self.sops.opened(text)) if text is not None else {}

    def put(self, need: SecretNeed, values: Mapping[str, Value | None]) -> bool:
        """Give a Secret these values, and take those away that are None; whether anything changed."""
        path = self.scope.path_of(need)
        text = self.text(path)
        found = ciphertext_in(text, path) if text is not None else None
        if text is not None and found is None:
            raise ToolTrouble(f"{path} is not one Secret: git log -p {path}, and the last version that is")
        if text is None or found is None or found.sops is None:
            if text is not None:
                raise ToolTrouble(f"{path} is not a Secret that sops encrypted: ./run secrets import {path}")
            new = self.program(need).encrypted(manifest(need, {key: value for key, value in values.items() if value is not None}))
        else:
            new = self._changed(need, text, found, values)
        made = ciphertext_in(new, path)
        if new != text and made is not None and made.size > _MOST:
            raise ToolTrouble(f"{path} would have {made.size} bytes of values, and a Secret has at most {_MOST}: {_WHERE_ELSE}")
        # The list as well where nothing changed: a run that was ended between the two left it as it was.
        self.write({path: new} if new != text else {}, need.layer)
        return new != text

    def _changed(self, need: SecretNeed, text: str, found: Ciphertext, values: Mapping[str, Value | None]) -> str:
        held = {holder: set(mapping(found.data, holder)) for holder in HOLDERS}
        edits: list[tuple[str, str, str | None]] = []
        for key, value in values.items():
            place = "data" if isinstance(value, bytes) or (key in held["data"] and key not in held["stringData"]) else "stringData"
            edits += [(holder, key, None) for holder in HOLDERS if key in held[holder] and (value is None or holder != place)]
            if value is not None:
                edits.append((place, key, _encoded(value) if place == "data" else str(value)))
        if broken := list(broken_in(found)):
            path = self.scope.path_of(need)
            raise ToolTrouble(
                f"{path} is broken, and nothing is changed in it: {', '.join(broken)}; git log -p {path}, or give it anew"
            )
        return self.program(need).changed(text, edits)

    def write(self, texts: Mapping[str, str | None], *layers: str) -> None:
        """Write ciphertext, then the lists of these layers; what is None goes, after it left its list."""
        staging = Staging()
        wanted = {**texts, **self._lists(texts, layers)}
        there = {path: text for path, text in wanted.items() if text is not None}
        try:
            for path, text in there.items():
                put_anew(staging, self.scope.root / path, text)
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
        for layer in dict.fromkeys(one for one in layers if one != OPERATOR):
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


def _encoded(value: Value) -> str:
    return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()


def manifest(need: SecretNeed, values: Mapping[str, Value]) -> dict[str, object]:
    """A Secret as it is encrypted."""
    return secret_object(*need.identity, values, need.type)


def secret_object(namespace: str, name: str, values: Mapping[str, Value], kind: str = "Opaque") -> dict[str, object]:
    """The same, of any name."""
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    others = {key: _encoded(value) for key, value in values.items() if isinstance(value, bytes)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(_PLAIN_TO_FLUX)},
        "type": kind,
        **({"data": others} if others else {}),
        **({"stringData": texts} if texts or not others else {}),
    }


def values_in(secret: Mapping[str, object]) -> dict[str, Value]:
    """The values of a Secret in plain text, wherever they stand. Raises ToolTrouble where the API server would refuse one."""
    found: dict[str, Value] = {}
    for key, value in mapping(secret, "data").items():
        # The API server's decoder skips line ends (Go: encoding/base64).
        text = "" if value is None else value
        try:
            found[key] = text_or_bytes(base64.b64decode(str(text).replace("\r", "").replace("\n", ""), validate=True))
        except ValueError:
            text = None
        if not isinstance(text, str):
            raise ToolTrouble(f"{key} under data is not base64: its text belongs under stringData")
    for key, value in mapping(secret, "stringData").items():
        if value is not None and not isinstance(value, str):
            raise ToolTrouble(f'{key} under stringData is not text, and YAML may have changed it already: put it between "quotes"')
        found[key] = value or ""
    return found


def texts_in(secret: Mapping[str, object]) -> dict[str, str]:
    """Those of them that are text."""
    return texts_of(values_in(secret))


def texts_of(values: Mapping[str, Value]) -> dict[str, str]:
    """The same, of values."""
    return {key: value for key, value in values.items() if isinstance(value, str)}


def text_or_bytes(value: bytes) -> Value:
    """Text, where it is any: `stringData` holds nothing else."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value
    return value if "\0" in text else text
