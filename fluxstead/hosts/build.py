"""Joins the script's files into what is sent to a host's standard input.

The node travels as one line of ASCII JSON inside a quoted here-document, so none of its values is ever a shell word. Every line of
the here-document begins with `#`: where something of the login reads the beginning of standard input, the shell takes what is left
for comments.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

PARTS: Final = (
    *("model", "gpt", "text", "tools", "files", "medium", "superblocks", "evidence", "look", "which", "against"),
    *("consent", "decide", "content", "wipe"),
    *("places", "identity", "holders", "read", "act", "apt", "packages"),
    *("item", "state_files", "state_copies", "state_login", "system", "preflight"),
    *("k3s_model", "k3s_settings", "k3s_files", "k3s_others", "k3s_read", "k3s_differs", "k3s_decide"),
    *("k3s_fetch", "k3s_wait", "k3s_act", "k3s_run", "main"),
)
"""The files of `script/`, each after those that it imports."""
INSTALLED: Final = ("s3_put", "sqlite_backup")
"""Those of `script/installed/`, likewise."""
HOME: Final = Path(__file__).parent
END: Final = "FLUXSTEAD_END_OF_INPUT"
COMMAND: Final = "sh -s"
"""What reads it, whatever the login shell is; the script itself asks sudo for root's rights."""
Mode = Literal["plan", "apply", "look", "mint", "kubeconfig", "login"]
SECONDS: Final[Mapping[Mode, int]] = {"plan": 1200, "apply": 3600, "look": 180, "mint": 180, "kubeconfig": 60, "login": 60}
"""How long a run on a host may take as a whole; it says so itself when that was not enough. pulumi-command bounds only the dialling
(pulumi-command: provider/pkg/provider/remote)."""
LOADER: Final = """
import io, json, sys
head, _, text = sys.stdin.buffer.read().decode().partition("\\n")
if head != f"#{len(text)}":
    why = "the script arrived cut off; nothing was done"
    print(json.dumps({"answer": sys.argv[1], "result": {"status": "failed", "why": [why]}}))
    sys.exit(3)
*program, data = [line[1:] for line in text.split("\\n")[:-1]]
sys.stdin = io.StringIO(data)
exec(compile("\\n".join(program), "fluxstead-hosts", "exec"), {"__name__": "__main__"})
"""
"""Reads everything before any of it runs: Python would otherwise take the data for program text."""


@cache
def python_source() -> str:
    """The whole Python part, in reading order; it needs only the standard library of Python 3.9."""
    program = _joined([HOME / "script" / f"{part}.py" for part in PARTS])
    before, place, after = program.partition('\nBACKUP_PROGRAM = ""\n')
    if not place:
        raise ValueError("state_files.py has no place for what is installed")
    return f"{before}\nBACKUP_PROGRAM = {installed_source()!r}\n{after}"


@cache
def installed_source() -> str:
    """The program that is left on a server whose SQLite is copied, as one file."""
    text = _joined([HOME / "script" / "installed" / f"{part}.py" for part in INSTALLED])
    return f"{text}\nsys.exit(main(sys.argv[1:]))\n"


def _joined(files: Iterable[Path]) -> str:
    texts = [_without_imports(file.read_text(encoding="utf-8")) for file in files]
    imports = sorted({line for lines, _ in texts for line in lines})
    return "\n".join(["from __future__ import annotations", *imports, *(body for _, body in texts)])


def stdin_for(
    mode: Mode,
    node: Mapping[str, object],
    source: str | None = None,
    nonce: str = "",
    k3s: Mapping[str, object] | None = None,
    *,
    login: Mapping[str, str] | None = None,
) -> str:
    """What `sh -s` on the host reads to plan or apply this node, as root or as a user who may sudo.

    The same text for the same node: `pulumi up` compares it with that of the last time. A nonce makes it that of one run. With
    `k3s`, which may hold a token and so is no input of any resource, a plan is of both, and an apply of k3s alone.
    `login`: what the mode of that name leaves there, likewise.
    """
    program = source if source is not None else python_source()
    told = {key: value for key, value in (("k3s", k3s), ("login", login)) if value is not None}
    data = json.dumps({"mode": mode, "seconds": SECONDS[mode], "node": node, **told})
    token = hashlib.sha256(f"{program}\0{data}\0{nonce}".encode()).hexdigest()[:24]
    prelude = (HOME / "prelude.sh").read_text(encoding="utf-8")
    document = "".join(f"#{line}\n" for line in (*program.split("\n"), data))
    start = f'exec "$@" "$python" -I -X utf8 -c \'{LOADER}\' "$token" "${{SSH_CONNECTION:-}}" <<\'{END}\''
    return f"token={token} needs={','.join(_modules(program))}\n{prelude}{start}\n#{len(document)}\n{document}{END}\n"


def token_of(stdin: str) -> str:
    """The token that an answer to this standard input carries, and no other line does."""
    found = re.match("token=([0-9a-f]+) ", stdin)
    if not found:
        raise ValueError(stdin[:80])
    return found.group(1)


def _modules(program: str) -> list[str]:
    """The modules that it imports, without which it cannot start."""
    named = re.findall(r"^(?:from|import) ([\w.]+)", program, re.MULTILINE)
    return sorted({"io", "json", "sys", *named} - {"__future__"})


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
