"""Names of metrics, from the sources of the program that has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_CONSTANT = re.compile(r'^\s*(\w+)\s*=\s*"([a-z_]+)"', re.MULTILINE)
_NAME = re.compile(r'BuildFQName\(\s*(\w+),\s*(\w+),\s*"(\w+)"')


def names_in(files: Iterable[Path]) -> frozenset[str]:
    """What `prometheus.BuildFQName(namespace, subsystem, "name")` makes in these Go files, with constants that they define."""
    text = "\n".join(file.read_text() for file in files if not file.name.endswith("_test.go"))
    constants = dict(_CONSTANT.findall(text))
    found = _NAME.findall(text)
    unknown = {one for name in found for one in name[:2]} - constants.keys()
    if unknown or not found:
        raise SystemExit(f"no names of metrics are made, or from constants that are not here: {', '.join(sorted(unknown))}")
    return frozenset(f"{constants[namespace]}_{constants[subsystem]}_{name}" for namespace, subsystem, name in found)


def by_name(known: Mapping[str, frozenset[str]], versions: list[str]) -> dict[str, list[list[str]]]:
    """For each metric the first and the last version of each run in which it is there; `versions`: all, oldest first."""
    runs: dict[str, list[list[str]]] = {}
    for name in sorted(frozenset().union(*known.values())):
        there = [name in known[version] for version in versions]
        for index, version in enumerate(versions):
            if there[index] and (index == 0 or not there[index - 1]):
                runs.setdefault(name, []).append([version, version])
            elif there[index]:
                runs[name][-1][1] = version
    return runs
