"""Values from people: typed without being shown, from standard input, from a file, or made up."""

from __future__ import annotations

import argparse
import os
import select
import sys
import termios
from pathlib import Path

from fluxstead.secrets import giving
from fluxstead.secrets.makers import MAKERS
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.secrets.values import OF_SEVERAL_LINES, docker_login
from fluxstead.secrets.vault import Value, text_or_bytes
from fluxstead.tree.asks import SecretKey, SecretNeed

_LONGEST = 1024**2
_QUIET = 0.1
"""Seconds without a sign after which nothing more of a paste comes."""
_BACK, _ALL, _END, _LINE = (b"\x7f", b"\b"), b"\x15", b"\x04", (b"\n", b"\r")


def value_of(options: argparse.Namespace, key: SecretKey, need: SecretNeed, number: int) -> dict[str, Value]:
    """The value of one of `number` keys, and what goes with it. Raises ToolTrouble."""
    if options.generate and (key.maker or not need.keys or number == 1):
        return dict(giving.generated(key, need, options.generate if options.generate in MAKERS else None))
    if (options.stdin or options.file) and number != 1:
        raise ToolTrouble(f"one value for one key: ./run secrets set {need.qualified_name} KEY")
    if options.stdin:
        return giving.with_its_public_half(key, _text(sys.stdin.buffer.read(), "what comes from standard input"))
    if options.file:
        return giving.with_its_public_half(key, _content(options.file))
    typed = _asked(key)
    giving.refuse_unseen(key.name, typed)
    return giving.with_its_public_half(key, typed)


def _content(file: Path) -> Value:
    """Of a file, or of a pipe that another program writes into."""
    try:
        with file.open("rb") as opened:
            found = opened.read(_LONGEST + 1)
    except OSError as problem:
        raise ToolTrouble(f"{file} cannot be read: {problem.strerror}") from None
    if len(found) > _LONGEST:
        raise ToolTrouble(f"{file} is longer than a Secret may be: 1 MiB")
    return text_or_bytes(found)


def _asked(key: SecretKey) -> str:
    if not sys.stdin.isatty():
        raise ToolTrouble(f"{key.name} cannot be asked for without a terminal: --stdin, --file or --generate")
    if key.form in OF_SEVERAL_LINES:
        raise ToolTrouble(f"{key.name} has several lines: ./run secrets set NAME {key.name} --file FILE")
    if key.form == "Docker's configuration":
        registry, user = line("registry, such as ghcr.io: ").strip(), line("user: ").strip()
        return docker_login(registry, user, _hidden("password or token: "))
    hint = f" ({key.hint})" if key.hint else ""
    return _hidden(f"{key.name}{hint}: ")


def line(question: str) -> str:
    """What is typed, as it is shown. Raises ToolTrouble where nothing more comes."""
    try:
        return input(question)
    except EOFError:
        raise ToolTrouble("nothing was given") from None


def _hidden(question: str) -> str:
    """What is typed, without showing it. Not line by line: Linux cuts a line off at 4,095 signs without a word (termios(3))."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = termios.tcgetattr(terminal)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSAFLUSH, quiet)
    try:
        print(question, end="", file=sys.stderr, flush=True)
        given = _typed(terminal)
        more = _rest(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        print(file=sys.stderr)
    if more:
        raise ToolTrouble("several lines were pasted, of which none is taken: --file FILE, or --stdin")
    return _text(given, "what was typed")


def _typed(terminal: int) -> bytes:
    found = b""
    while (sign := os.read(terminal, 1)) not in _LINE:
        if sign in (b"", _END):
            if not found:
                raise ToolTrouble("nothing was given")
            break
        found = _without_last(found) if sign in _BACK else b"" if sign == _ALL else found + sign
    return found


def _without_last(found: bytes) -> bytes:
    """Without its last sign, which in UTF-8 may be several bytes."""
    while found and found[-1] & 0xC0 == 0x80:  # noqa: PLR2004 -- RFC 3629, 3
        found = found[:-1]
    return found[:-1]


def _rest(terminal: int) -> bool:
    """Whether more was pasted; it is read, so that no shell gets it."""
    more = False
    while select.select([terminal], [], [], _QUIET)[0] and os.read(terminal, 4096):
        more = True
    return more


def _text(given: bytes, what: str) -> str:
    try:
        return given.decode()
    except UnicodeDecodeError:
        raise ToolTrouble(f"{what} is not UTF-8 text: what is no text comes by --file FILE") from None
