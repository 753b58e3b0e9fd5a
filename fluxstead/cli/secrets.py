"""`./run secrets`: what the cluster needs, what of it is there, and how it gets there. No value is ever an argument."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fluxstead.cli import REPOSITORY

# What one command needs is imported in it: the guard runs before every commit, and needs next to nothing.
if TYPE_CHECKING:
    from fluxstead.embedded import Run
    from fluxstead.secrets.state import Scope, SecretRow

_NOT_IN_A_BACKUP = (
    "in no backup: your age key (~/.config/sops/age/keys.txt) and the offline one, without which nothing here opens, nor any copy"
    " of the cluster's state"
)
_KINDS = ("password", "token", "cookie", "htpasswd", "ssh-key", "ca")
_PURPOSES = {
    "init": "make the keys, once; run again it changes nothing",
    "set": "give a Secret values: asked for, from a file or standard input, or made up",
    "unset": "take keys out of a Secret",
    "edit": "open a Secret in sops' editor",
    "import": "encrypt a Secret that is in plain text in a file, or in the running cluster",
    "move": "move a file to where another Secret is needed, after a rename",
    "recipients": "list, add, remove: for whom secrets are encrypted",
    "guard": "install the hook that keeps plain text out of commits",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    _add_stack(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print the table")
    commands = parser.add_subparsers(dest="what", metavar="WHAT")
    made = {}
    for name, purpose in _PURPOSES.items():
        made[name] = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        _add_stack(made[name], inherit=True)
    made["init"].add_argument("--offline", metavar="AGE1…", help="the public key of an age key that is kept offline")
    made["set"].add_argument("name", metavar="NAME", help="as the table says: NAMESPACE/NAME, or NAME")
    made["set"].add_argument("keys", nargs="*", metavar="KEY", help="which keys; by default, those that are missing")
    way = made["set"].add_mutually_exclusive_group()
    way.add_argument("--stdin", action="store_true", help="the value of one key, from standard input")
    way.add_argument("--file", type=Path, metavar="FILE", help="the value of one key, from a file")
    way.add_argument("--generate", nargs="?", const="as needed", choices=("as needed", *_KINDS), help="make the values up")
    made["unset"].add_argument("name", metavar="NAME", help="as the table says")
    made["unset"].add_argument("keys", nargs="+", metavar="KEY", help="which keys")
    made["edit"].add_argument("name", metavar="NAME", help="as the table says")
    made["import"].add_argument("source", metavar="FILE or NAMESPACE/NAME", help="a manifest, or a Secret of the running cluster")
    made["move"].add_argument("file", metavar="FILE", help="a .sops.yaml file")
    made["move"].add_argument("name", metavar="NAME", help="the Secret that it becomes")
    made["recipients"].add_argument("how", nargs="?", choices=("add", "remove", "update"), help="without it, list them")
    made["recipients"].add_argument("recipient", nargs="?", metavar="AGE1…", help="a public key of age")
    made["recipients"].add_argument("--cluster", action="store_true", help="with add: make a new key for the cluster")
    sure = "with remove and update: the cluster has the key that stays, and Flux what is for it; where that cannot be asked"
    made["recipients"].add_argument("--handed-over", action="store_true", help=sure)
    made["guard"].add_argument("--staged", action="store_true", help="look at what is staged, as the hook does")


def _add_stack(parser: argparse.ArgumentParser, *, inherit: bool = False) -> None:
    """`--project` and `--stack`, before or behind the word."""
    default = argparse.SUPPRESS if inherit else None
    parser.add_argument("--project", type=Path, metavar="DIR", default=default, help="the folder with Pulumi.<stack>.yaml")
    parser.add_argument("--stack", metavar="NAME", default=default, help="which stack, where the folder has several")


def run(options: argparse.Namespace) -> int:
    """Do it, and give the exit status: 1 if something is left to do."""
    if options.what == "guard":
        return _guard(options)
    from fluxstead.cli.project import choose_stack, tell  # noqa: PLC0415
    from fluxstead.cli.writing import TROUBLE, in_words  # noqa: PLC0415
    from fluxstead.secrets.tools import ToolTrouble  # noqa: PLC0415

    try:
        if options.what is None:
            result = _described(options)
            return _table(options, result.assembled.secrets) if result and result.assembled else 1
        return _carried_out(options)
    except TROUBLE as trouble:
        tell(in_words(trouble))
    except ToolTrouble as trouble:
        tell(str(trouble))
    except EOFError:
        tell("nothing was given, and nothing was written")
    except OSError as problem:
        tell(f"{problem.filename or choose_stack(options)[0]}: {problem.strerror}")
    return 1


def _carried_out(options: argparse.Namespace) -> int:
    from fluxstead.cli import secret_commands  # noqa: PLC0415
    from fluxstead.cli.project import choose_stack, tell  # noqa: PLC0415
    from fluxstead.tree.lock import locked  # noqa: PLC0415

    if secret_commands.asks(options):
        result = _described(options)
        if result is None or result.assembled is None:
            return 1
        work = secret_commands.prepared(options, result.assembled.secrets)
    else:
        work = secret_commands.at_once(options)
    with locked(choose_stack(options)[0], alone=True, say=tell):
        # Read with the lock held: else what another run described meanwhile would be lost.
        result = _described(options)
        return secret_commands.carry_out(work, result) if result else 1


def _described(options: argparse.Namespace) -> Run | None:
    """The project as it is described now; None where it cannot be read, which is then said."""
    from fluxstead.cli.project import print_findings, run_project  # noqa: PLC0415

    result = run_project(options)
    if result.assembled is None:
        print_findings(result.findings, options.format)
        return None
    return result


def _table(options: argparse.Namespace, scope: Scope) -> int:
    from fluxstead.cli.project import tell  # noqa: PLC0415
    from fluxstead.secrets.opened import look_inside  # noqa: PLC0415

    entries, shut = look_inside(scope)
    to_do = [entry for entry in entries if entry.troubles and not entry.accepted]
    if options.format == "json":
        print(json.dumps([_as_json(entry, scope) for entry in entries], indent=1, ensure_ascii=False))
    else:
        _print(entries, scope)
        if not entries:
            print("no described system needs a Secret" if scope.sops_secret else "no layer decrypts: ./run secrets init")
        elif not to_do:
            print("nothing is left to do" if not shut else "as far as it shows without a key, everything is there")
        if scope.settings.people:
            print(_NOT_IN_A_BACKUP)
    if shut:
        tell(f"not looked into: {shut}")
    return int(bool(to_do))


def _print(entries: list[SecretRow], scope: Scope) -> None:
    width = max((len(entry.name) for entry in entries), default=0)
    states = max((len(entry.state) for entry in entries), default=0)
    for entry in entries:
        about = entry.need.purpose if entry.need else ""
        keys = ", ".join(key.name for key in entry.need.keys if not key.optional) if entry.need else ""
        print(f"{entry.name:{width}}  {entry.state:{states}}  {' · '.join(filter(None, (about, keys)))}".rstrip())
        if others := _shared(entry, scope):
            print(f"{'':{width}}  one value with {', '.join(others)}")
        if entry.accepted:
            print(f"{'':{width}}  because: {entry.accepted}")
            continue
        for trouble in entry.troubles:
            detail = f"{trouble.state}: {trouble.detail}; " if trouble.state != "missing" else ""
            print(f"{'':{width}}  {detail}{trouble.cure}")


def _shared(entry: SecretRow, scope: Scope) -> list[str]:
    return [other.qualified_name for other in scope.sharing(entry.need)] if entry.need else []


def _as_json(entry: SecretRow, scope: Scope) -> dict[str, object]:
    need = entry.need
    return {
        "secret": need.qualified_name if need else None,
        "file": entry.path,
        "state": entry.state,
        "for": need.purpose if need else None,
        "keys": [key.name for key in need.keys if not key.optional] if need else [],
        "oneValueWith": _shared(entry, scope),
        "accepted": entry.accepted or None,
        "troubles": [{"state": one.state, "detail": one.detail, "write": one.cure} for one in entry.troubles],
    }


def _guard(options: argparse.Namespace) -> int:
    from fluxstead.secrets import guard  # noqa: PLC0415

    # A hook runs where Git was called; the whole index is looked at, whichever project is in it.
    root = options.project or Path(os.environ.get("PWD", "."))
    try:
        if not options.staged:
            print(guard.install(root, REPOSITORY / "run"))
            print(guard.SNIPPET, end="")
            return 0
        found = list(guard.staged(root))
    except OSError as problem:
        print(f"fluxstead: {problem}", file=sys.stderr)
        return 2
    for line in found:
        print(line, file=sys.stderr)
    return int(bool(found))
