"""`.sops.yaml`: for whom sops encrypts what, for people who run it by hand. fluxstead itself goes by the description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import indent

from fluxstead.core.yaml_text import to_yaml
from fluxstead.tree.secret_files import FOLDER, OPERATOR

RULES = ".sops.yaml"
_ENCRYPTED = "^(data|stringData)$"


def configuration(rules: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A whole file: for each path, its recipients; the first that fits counts."""
    return f"stores:\n  yaml:\n    indent: 2\ncreation_rules:\n{_rules(rules)}"


def _rules(rules: Iterable[tuple[str, Sequence[str]]]) -> str:
    return to_yaml(
        [
            {
                **({"path_regex": path} if path else {}),
                "encrypted_regex": _ENCRYPTED,
                # Else a changed name or label, which people may read and edit, would make the whole file unreadable.
                "mac_only_encrypted": True,
                "age": list(recipients),
            }
            for path, recipients in rules
        ]
    )


def rules_file(cluster: str, people: Sequence[str], machines: Sequence[str], text: str | None) -> str:
    """The file with one cluster's rules; what is not ours in it stays. A new one where there is none."""
    own = [(f"^{FOLDER}/{cluster}/{OPERATOR}/", list(people)), (f"^{FOLDER}/{cluster}/", [*people, *machines])]
    begin, end = (f"# {FOLDER}/{cluster}, kept by ./run secrets: {word}\n" for word in ("begin", "end"))
    there = text if text is not None else configuration([]).replace("[]\n", "")
    first = re.search(r"(?m)^creation_rules:[ \t]*\n(?:[ \t]*#.*\n|[ \t]*\n)*(?P<indent> *)- ", there)
    block = indent(f"{begin}{_rules(own)}{end}", first["indent"] if first else "  ")
    if old := re.search(rf"(?ms)^ *{re.escape(begin)}.*?^ *{re.escape(end)}", there):
        return f"{there[: old.start()]}{block}{there[old.end() :]}"
    if found := re.search(r"(?m)^creation_rules:[ \t]*\n", there):
        return f"{there[: found.end()]}{block}{there[found.end() :]}"
    return f"{there.rstrip()}\ncreation_rules:\n{block}".lstrip()
