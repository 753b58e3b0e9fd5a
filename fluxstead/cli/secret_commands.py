"""What `./run secrets WHAT` does: asks for values without showing them, and says what it did and what comes next."""

from __future__ import annotations

import argparse
import getpass
import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from fluxstead.cli.project import tell
from fluxstead.core.age import recipient as read_recipient
from fluxstead.description.edit import with_values
from fluxstead.embedded import Run
from fluxstead.secrets import giving, vault
from fluxstead.secrets.identities import Beginning, Describe, own_recipients
from fluxstead.secrets.makers import MAKERS
from fluxstead.secrets.recipients import Recipients
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.secrets.values import OF_SEVERAL_LINES, docker_login
from fluxstead.secrets.vault import Vault
from fluxstead.tree.asks import SecretKey, SecretNeed
from fluxstead.tree.secret_files import FOLDER, OPERATOR


def run(options: argparse.Namespace, result: Run) -> int:
    """Carry out one of them."""
    assert result.assembled is not None  # noqa: S101 -- the caller looked
    scope = result.assembled.secrets
    return _COMMANDS[options.what](options, scope, _describe(scope, result.assembled.description.stack_file))


def _describe(scope: Scope, stack_file: str) -> Describe:
    def write(section: str, values: Mapping[str, str | Sequence[str]]) -> None:
        store = Vault(scope)
        store.write({stack_file: with_values(store.text(stack_file) or "", section, values)})

    return write


def _init(options: argparse.Namespace, scope: Scope, describe: Describe) -> int:
    def offline() -> str:
        given = options.offline
        if given is None and sys.stdin.isatty():
            given = input("The public key (age1…) of a key that is kept offline; empty, if there is none yet: ")
        return _recipient(given) if given else ""

    _say(Beginning(scope, describe, offline).run())
    print("next: ./run secrets")
    return 0


def _recipient(text: str) -> str:
    try:
        return read_recipient(text.strip())
    except ValueError as problem:
        raise ToolTrouble(str(problem)) from None


def _set(options: argparse.Namespace, scope: Scope, _: Describe) -> int:
    _with_recipients(scope)
    store = Vault(scope)
    needs = giving.chosen(scope, options.name)
    keys = giving.keys_to_give(store, needs, options.keys)
    values: dict[str, str] = {}
    for key in keys:
        values |= _values(options, key, needs[0], len(keys))
    for need in needs:
        changed = store.put(need, values)
        print(f"{'wrote' if changed else 'unchanged:'} {scope.path_of(need)}")
    print("next: ./run secrets; then ./run render, and a commit")
    return 0


def _values(options: argparse.Namespace, key: SecretKey, need: SecretNeed, number: int) -> dict[str, str]:
    if options.generate and (key.maker or not need.keys or number == 1):
        return giving.generated(key, need, options.generate if options.generate in MAKERS else None)
    return {key.name: _value(options, key, need, number)}


def _value(options: argparse.Namespace, key: SecretKey, need: SecretNeed, number: int) -> str:
    if (options.stdin or options.file) and number != 1:
        raise ToolTrouble(f"one value for one key: ./run secrets set {need.qualified_name} KEY")
    if options.stdin or options.file:
        return giving.checked(key, _given(options.file))
    return _asked(key)


def _given(file: Path | None) -> str:
    """Byte for byte: what is not text would become something else on its way."""
    try:
        if file is None:
            if isinstance(sys.stdin, io.TextIOWrapper):
                sys.stdin.reconfigure(encoding="utf-8", errors="strict", newline="")
            text = sys.stdin.read()
        else:
            with file.open(encoding="utf-8", newline="") as opened:
                text = opened.read()
        text.encode()
    except (UnicodeError, IsADirectoryError, FileNotFoundError):
        raise ToolTrouble(f"{file or 'standard input'} is no file of UTF-8 text") from None
    return text


def _asked(key: SecretKey) -> str:
    if not sys.stdin.isatty():
        raise ToolTrouble(f"{key.name} cannot be asked for without a terminal: --stdin, --file or --generate")
    if key.form in OF_SEVERAL_LINES:
        raise ToolTrouble(f"{key.name} has several lines: ./run secrets set NAME {key.name} --file FILE")
    if key.form == "Docker's configuration":
        registry, user = input("registry, such as ghcr.io: ").strip(), input("user: ").strip()
        return giving.checked(key, docker_login(registry, user, getpass.getpass("password or token: ")))
    hint = f" ({key.hint})" if key.hint else ""
    return giving.checked(key, getpass.getpass(f"{key.name}{hint}: "))


def _unset(options: argparse.Namespace, scope: Scope, _: Describe) -> int:
    for need in giving.chosen(scope, options.name):
        path = scope.path_of(need)
        if Vault(scope).text(path) is None:
            raise ToolTrouble(f"there is no {path}")
        changed = Vault(scope).put(need, dict.fromkeys(options.keys))
        print(f"{'wrote' if changed else 'unchanged:'} {path}")
    return 0


def _edit(options: argparse.Namespace, scope: Scope, _: Describe) -> int:
    memory = vault.in_memory()
    if memory is None:
        raise ToolTrouble("there is no folder in memory here, and an editor would leave plain text on the disk: ./run secrets set")
    [need, *more] = giving.chosen(scope, options.name)
    if more:
        raise ToolTrouble(f"{options.name} is several: {', '.join(one.qualified_name for one in (need, *more))}")
    store, path = Vault(scope), scope.path_of(need)
    text = store.text(path)
    if text is None:
        raise ToolTrouble(f"there is no {path} yet: ./run secrets set {need.qualified_name}")
    folder = Path(tempfile.mkdtemp(prefix="fluxstead-", dir=memory))
    try:
        new = store.sops.edited(text, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if new != text:
        store.write({path: new}, need.layer)
    print(f"{'wrote' if new != text else 'unchanged:'} {path}")
    return 0


def _import(options: argparse.Namespace, scope: Scope, _: Describe) -> int:
    _with_recipients(scope)
    taking, source = giving.Import(Vault(scope)), Path(options.source)
    namespace, slash, name = options.source.partition("/")
    live = slash and not source.exists() and "." not in name and "/" not in name
    _say(taking.live(namespace, name) if live else taking.file(source))
    print("next: ./run secrets; then ./run render, and a commit")
    return 0


def _move(options: argparse.Namespace, scope: Scope, _: Describe) -> int:
    path = Path(options.file)
    inside = path.resolve().relative_to(scope.root.resolve()) if path.resolve().is_relative_to(scope.root.resolve()) else path
    needs = giving.chosen(scope, options.name)
    if len(needs) > 1:
        raise ToolTrouble(f"{options.name} is several: {', '.join(one.qualified_name for one in needs)}")
    print(f"moved to {giving.moved(Vault(scope), inside.as_posix(), needs[0])}")
    return 0


def _recipients(options: argparse.Namespace, scope: Scope, describe: Describe) -> int:
    changing = Recipients(scope, describe)
    if options.how == "update":
        _say(changing.update())
    elif options.how == "add" and options.cluster:
        _say(changing.add_cluster())
    elif options.how:
        if not options.recipient:
            raise ToolTrouble(f"./run secrets recipients {options.how} age1…")
        _say((changing.add if options.how == "add" else changing.remove)(_recipient(options.recipient)))
    else:
        own = set(own_recipients())
        for one in scope.settings.people:
            print(f"person   {one}{'  (of this machine)' if one in own else ''}")
        for one in scope.settings.cluster:
            print(f"cluster  {one}")
    return 0


def _with_recipients(scope: Scope) -> None:
    if not scope.settings.people or not scope.settings.cluster:
        raise ToolTrouble(f"there is nobody to encrypt for yet: ./run secrets init ({FOLDER}/{scope.cluster}/{OPERATOR} is empty)")


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        if line.startswith("warning: "):
            tell(line)
        else:
            print(line, flush=True)


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Scope, Describe], int]] = {
    "init": _init,
    "set": _set,
    "unset": _unset,
    "edit": _edit,
    "import": _import,
    "move": _move,
    "recipients": _recipients,
}
