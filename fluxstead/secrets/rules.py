"""`.sops.yaml`: for whom sops encrypts what, for people who run it by hand. fluxstead itself goes by the description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import indent

import yaml

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
    """The file with one cluster's rules; what is not ours in it stays. A new one where there is none. Raises NotWritable."""
    own = [(f"^{FOLDER}/{cluster}/{OPERATOR}/", list(people)), (f"^{FOLDER}/{cluster}/", [*people, *machines])]
    made = _with_rules(cluster, own, text)
    if not _says(made, own, text or ""):
        raise NotWritable(_rules(own))
    return made


def _says(made: str, own: Sequence[tuple[str, Sequence[str]]], before: str) -> bool:
    """Whether sops reads our rules in it, and those of others as they were."""
    paths = dict(own)
    try:
        rules = yaml.safe_load(made)["creation_rules"]
        former = (yaml.safe_load(before) or {}).get("creation_rules") or ()
        ours = [(rule["path_regex"], rule["age"]) for rule in rules if rule.get("path_regex") in paths]
        others, theirs = ([rule for rule in some if rule.get("path_regex") not in paths] for some in (rules, former))
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return False
    return ours == [*own] and others == theirs


class NotWritable(Exception):  # noqa: N818 -- the operator does it instead
    """The file is written in a way that is not changed here; the text is what belongs under its `creation_rules`."""


def _with_rules(cluster: str, own: Sequence[tuple[str, Sequence[str]]], text: str | None) -> str:
    begin, end = (f"# {FOLDER}/{cluster}, kept by ./run secrets: {word}\n" for word in ("begin", "end"))
    there = text if text is not None else configuration([]).replace("[]\n", "")
    first = re.search(r"(?m)^creation_rules:[ \t]*(?:#.*)?\n(?:[ \t]*#.*\n|[ \t]*\n)*(?P<indent> *)- ", there)
    block = indent(f"{begin}{_rules(own)}{end}", first["indent"] if first else "  ")
    if old := re.search(rf"(?ms)^ *{re.escape(begin)}.*?^ *{re.escape(end)}", there):
        return f"{there[: old.start()]}{block}{there[old.end() :]}"
    if found := re.search(r"(?m)^creation_rules:[ \t]*(?:#.*)?\n", there):
        return f"{there[: found.end()]}{block}{there[found.end() :]}"
    return f"{there.rstrip()}\ncreation_rules:\n{block}".lstrip()
