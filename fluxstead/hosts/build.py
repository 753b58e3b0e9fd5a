"""Joins the script's files into what is sent to a host's standard input.

The node travels as one line of ASCII JSON inside a quoted here-document, so none of its values is ever a shell word.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

PARTS: Final = (
    *("model", "gpt", "text", "tools", "files", "medium", "superblocks", "evidence", "look", "which", "against"),
    *("consent", "decide", "content", "wipe"),
    *("places", "identity", "holders", "read", "act", "system", "main"),
)
"""The files of `script/`, each after those that it imports."""
HOME: Final = Path(__file__).parent
END: Final = "FLUXSTEAD_END_OF_INPUT"
LOADER: Final = (
    "import sys\\n"
    "size = int(sys.stdin.buffer.readline())\\n"
    "source = sys.stdin.buffer.read(size)\\n"
    'exec(compile(source, "fluxstead-hosts", "exec"), {"__name__": "__main__"})'
)
"""Reads its own length first: Python would otherwise take the data for program text."""


@cache
def python_source() -> str:
    """The whole Python part, in reading order; it needs only the standard library of Python 3.9."""
    texts = [_without_imports((HOME / "script" / f"{part}.py").read_text(encoding="utf-8")) for part in PARTS]
    imports = sorted({line for lines, _ in texts for line in lines})
    return "\n".join(["from __future__ import annotations", *imports, *(body for _, body in texts)])


def stdin_for(mode: Literal["plan", "apply"], node: Mapping[str, object], source: str | None = None) -> str:
    """What `sudo -n bash -s` (or `sh -s`) on the host reads to plan or apply this node."""
    program = source if source is not None else python_source()
    data = json.dumps({"mode": mode, "node": node})
    prelude = (HOME / "prelude.sh").read_text(encoding="utf-8")
    loader = LOADER.replace("\\n", "\n")
    length = len(program.encode())
    return f"{prelude}exec python3 -c '{loader}' <<'{END}'\n{length}\n{program}{data}\n{END}\n"


def _without_imports(text: str) -> tuple[list[str], str]:
    """(its imports from the standard library, the text without any import)."""
    lines = text.splitlines()
    kept: list[str] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            ours = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fluxstead.")
            if not ours and getattr(node, "module", "") != "__future__":
                kept.append(ast.unparse(node))
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return kept, "\n".join(lines).strip("\n") + "\n\n"
