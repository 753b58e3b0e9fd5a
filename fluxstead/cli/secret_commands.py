"""What `./run secrets WHAT` does: asks for values without showing them, and says what it did and what comes next."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from fluxstead.cli.project import tell
from fluxstead.cli.secret_values import line, value_of
from fluxstead.core.age import recipient as read_recipient
from fluxstead.description.edit import with_values
from fluxstead.embedded import Run
from fluxstead.secrets import giving
from fluxstead.secrets.identities import Describe, Init, own_recipients
from fluxstead.secrets.makers import TYPED, USER
from fluxstead.secrets.memory import memory_folder
from fluxstead.secrets.recipients import Recipients
from fluxstead.secrets.rotation import ignored, refuse_what_rotates
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.secrets.vault import Value, Vault
from fluxstead.tree.asks import SecretNeed
from fluxstead.tree.secret_files import FOLDER, OPERATOR

Work = Callable[[Scope, Describe], int]
"""What is left to do once everything was asked, on the description as it is then."""


def prepared(options: argparse.Namespace, scope: Scope) -> Work:
    """Ask what has to be asked. No lock is held meanwhile: a person takes their time. Raises ToolTrouble."""
    return _ASKING[options.what](options, scope)


def asks(options: argparse.Namespace) -> bool:
    """Whether the command begins with `prepared`."""
    return options.what in _ASKING


def at_once(options: argparse.Namespace) -> Work:
    """Any other command."""
    return partial(_COMMANDS[options.what], options)


def carry_out(work: Work, result: Run) -> int:
    """Do it, in a project that no other run changes meanwhile."""
    assert result.assembled is not None  # noqa: S101 -- the caller looked
    scope = result.assembled.secrets
    return work(scope, _describe(scope, result.assembled.description.stack_file))


def _describe(scope: Scope, stack_file: str) -> Describe:
    def described(sections: Mapping[str, Mapping[str, str | Sequence[str]]]) -> dict[str, str]:
        text = Vault(scope).text(stack_file) or ""
        for section, values in sections.items():
            text = with_values(text, section, values)
        return {stack_file: text}

    return described


def _init(options: argparse.Namespace, scope: Scope) -> Work:
    given = options.offline
    if given is None and not scope.settings.people and sys.stdin.isatty():
        given = line("The public key (age1…) of a key that is kept offline; empty, if there is none yet: ")
    offline = _recipient(given) if given else ""

    def begin(scope: Scope, describe: Describe) -> int:
        _say(Init(scope, describe, offline).run())
        print("next: ./run secrets")
        return 0

    return begin


def _recipient(text: str) -> str:
    try:
        return read_recipient(text.strip())
    except ValueError as problem:
        raise ToolTrouble(str(problem)) from None


def _set(options: argparse.Namespace, scope: Scope) -> Work:
    _with_recipients(scope)
    needs = _changeable(scope, options.name)
    if len(needs) > 1:
        tell(f"one value for {', '.join(need.qualified_name for need in needs)}")
    values = _values(options, Vault(scope), needs)
    typed = {key: str(values.pop(key)) for key in list(values) if options.generate and key.endswith(TYPED)}

    def give(scope: Scope, _: Describe) -> int:
        store = Vault(scope)
        for need in _changeable(scope, options.name):
            path, changed = scope.path_of(need), store.put(need, values)
            print(f"{'wrote' if changed else 'unchanged:'} {path}")
            if ignored(scope, path):
                tell(f"warning: Git ignores {path}, which is then on this machine alone: git add --force {path}")
            _show_public(scope, need, values)
        for password in typed.values():
            print(f"log in as {USER} with {password}, which is told this once and kept nowhere")
        print("next: ./run secrets; then ./run render, and a commit")
        return 0

    return give


def _changeable(scope: Scope, name: str) -> list[SecretNeed]:
    needs = giving.chosen(scope, name)
    for need in needs:
        refuse_what_rotates(scope, need)
    return needs


def _values(options: argparse.Namespace, vault: Vault, needs: Sequence[SecretNeed]) -> dict[str, Value]:
    asked = options.keys or options.stdin or options.file or options.generate
    if not asked and (held := giving.already_given(vault, needs)):
        tell("the others get what one of them has")
        return held
    keys = giving.keys_to_give(vault, needs, options.keys)
    values: dict[str, Value] = {}
    names = {key.name for key in keys}
    if options.generate:
        keys = [key for key in keys if key.made_with not in names]
    for key in keys:
        values |= value_of(options, key, needs[0], len(keys))
    return values


def _show_public(scope: Scope, need: SecretNeed, values: Mapping[str, Value]) -> None:
    own = scope.operators_own(need)
    for key, place in own.public.items() if own else ():
        if key in values:
            print(f"{place}:\n    {str(values[key]).strip()}")


def _unset(options: argparse.Namespace, scope: Scope, _: Describe) -> int:
    for need in _changeable(scope, options.name):
        path = scope.path_of(need)
        if Vault(scope).text(path) is None:
            raise ToolTrouble(f"there is no {path}")
        changed = Vault(scope).put(need, dict.fromkeys(options.keys))
        print(f"{'wrote' if changed else 'unchanged:'} {path}")
    return 0


def _edit(options: argparse.Namespace, scope: Scope) -> Work:
    need = _only(scope, options.name)
    path = scope.path_of(need)
    refuse_what_rotates(scope, need)
    if others := scope.sharing(need):
        names = ", ".join(other.qualified_name for other in others)
        raise ToolTrouble(
            f"{need.qualified_name} has one value with {names}, and an editor changes one: ./run secrets set {options.name}"
        )
    text = Vault(scope).text(path)
    if text is None:
        raise ToolTrouble(f"there is no {path} yet: ./run secrets set {need.qualified_name}")
    with memory_folder() as folder:
        new = Vault(scope).program(need).edited(text, folder)

    def take(scope: Scope, _: Describe) -> int:
        changed = giving.edited(Vault(scope), need, text, new)
        print(f"{'wrote' if changed else 'unchanged:'} {path}")
        return 0

    return take


def _only(scope: Scope, name: str) -> SecretNeed:
    needs = giving.chosen(scope, name)
    needs = [need for need in needs if need.qualified_name == name] or needs
    if len(needs) > 1:
        raise ToolTrouble(f"{name} is several: {', '.join(one.qualified_name for one in needs)}")
    return needs[0]


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
    print(f"moved to {giving.moved(Vault(scope), inside.as_posix(), _only(scope, options.name))}")
    return 0


def _recipients(options: argparse.Namespace, scope: Scope, describe: Describe) -> int:
    changing = Recipients(scope, describe, sure=options.handed_over)
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
    for one in lines:
        if one.startswith("warning: "):
            tell(one)
        else:
            print(one, flush=True)


_ASKING: Mapping[str, Callable[[argparse.Namespace, Scope], Work]] = {"init": _init, "set": _set, "edit": _edit}
_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Scope, Describe], int]] = {
    "unset": _unset,
    "import": _import,
    "move": _move,
    "recipients": _recipients,
}
