"""Names of metrics as data: what the tool reads of a program's sources, in whatever order versions come."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from tools.catalog import main

TYPES = 'package x\n\nconst (\n\tstore = "store"\n\tsubsystemDisk = "disk"\n)\n'
NAMED = '\t\tprometheus.BuildFQName(store, subsystemDisk, "{name}"),\n'
VERSIONS = {"1.9.0": ["size"], "1.10.0": ["size", "health"], "1.11.0": ["health"]}


def sources(folder: Path, names: list[str]) -> list[str]:
    """The Go files of one version."""
    folder.mkdir(exist_ok=True)
    (folder / "types.go").write_text(TYPES)
    (folder / "disk.go").write_text("".join(NAMED.format(name=name) for name in names))
    (folder / "disk_test.go").write_text(NAMED.format(name="of_a_test"))
    return [str(path) for path in sorted(folder.iterdir())]


@pytest.mark.parametrize("order", list(permutations(VERSIONS)))
def test_names_are_held_with_the_versions_that_have_them(order: tuple[str, ...], tmp_path: Path) -> None:
    """Versions are numbers: 1.10 follows 1.9."""
    for version in order:
        files = sources(tmp_path / version, VERSIONS[version])
        main(["--data", str(tmp_path / "data"), "metrics", "store", version, *files])
    assert json.loads((tmp_path / "data/metrics/store.json").read_text()) == {
        "names": {"store_disk_health": [["1.10.0", "1.11.0"]], "store_disk_size": [["1.9.0", "1.10.0"]]},
        "versions": ["1.9.0", "1.10.0", "1.11.0"],
    }


def test_sources_that_name_nothing_are_refused(tmp_path: Path) -> None:
    """As are those whose constants stand in a file that was not given."""
    files = sources(tmp_path / "a", ["size"])
    with pytest.raises(SystemExit, match="subsystemDisk"):
        main(["--data", str(tmp_path), "metrics", "store", "1.0.0", *[file for file in files if not file.endswith("types.go")]])
