"""Stands in for `ssh` and the machine behind it: says that every declared disk was prepared, or refuses with REFUSE set."""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
from pathlib import Path


def main() -> int:
    """Answer the script on standard input, and count that in the file named by the first word."""
    with Path(sys.argv[1]).open("a", encoding="utf-8") as log:
        log.write("dialled\n")
    script = sys.stdin.read()
    token = re.match("token=([0-9a-f]+) ", script)
    assert token
    node = json.loads(script.splitlines()[-2].removeprefix("#"))["node"]
    empty: dict[str, object] = {"why": [], "message": "", "write": "", "found": None, "notes": []}
    disks = [
        {"name": disk["name"], "mountPath": disk["mountPath"], "action": "prepare", "filesystemUuid": filesystem(disk), **empty}
        for disk in node["disks"]
    ]
    refused = "REFUSE" in os.environ
    result = {"status": "refused" if refused else "fine", "why": ["told to"] * refused, "disks": disks}
    print(json.dumps({"answer": token[1], "result": result}))  # noqa: T201 -- the answer
    return int(refused)


def filesystem(disk: dict[str, str]) -> str:
    """A UUID for a disk, always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, disk["mountPath"]))


if __name__ == "__main__":
    sys.exit(main())
