"""`python -m fluxstead.cli`, which is what `./run` starts."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from fluxstead.cli import REPOSITORY

# Only the chosen command's module is imported: start-up counts.
_COMMANDS = {
    "render": "write generated/<stack>/ from the description",
    "check": "say what is wrong with the description and the tree; write nothing",
    "graph": "show which layer waits for which, and why",
    "secrets": "what the cluster needs and what is there; init, set, edit, import, move, recipients, guard",
    "certificates": "trust: write the authority's certificate, and say where devices keep what they trust",
    "doctor": "what is wrong with the running cluster and its machines, each trouble at its root",
    "verify": "try network, storage and ways in, in a namespace of its own; nothing of it is left",
    "backup": "which claim has which backup; restore: bring one back beside its claim, in its place, or all of them",
    "rotate": "exchange something for another of its kind, through the description and Git: backup-target",
    "recover": "cures for what the doctor finds in a running cluster: manager",
    "disk": "leave: empty a disk of a machine, then take it out, through the description and Git",
    "hosts": "plan, discover: what preparing the hosts would do, a file to start from",
    "upgrade": "kubernetes, flux: the next version of what lies beneath the tree",
    "kubeconfig": "fetch the cluster's kubeconfig over SSH into a file of its own",
    "schemas": "write the JSON schemas of the description's files",
    "test": "run the tests; further arguments go to pytest",
    "lint": "check style, types, imports and scripts",
    "bench": "measure, as ratios within one run",
}
_FORWARDED = {"test"}


class _PrintVersion(argparse.Action):
    """Prints the version, which only pyproject.toml holds, and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import tomllib  # noqa: PLC0415 - no other run needs it

        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        print(f"fluxstead {project['version']}, Python {sys.version.split(maxsplit=1)[0]}")
        parser.exit()


def main(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status."""
    parser = argparse.ArgumentParser(
        prog="./run", description="From one description to prepared disks and a checked Flux tree.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the versions of fluxstead and of Python")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    offered = {chosen: _COMMANDS[chosen]} if chosen in _COMMANDS else _COMMANDS
    for name, purpose in offered.items():
        command = commands.add_parser(name, help=purpose, description=purpose, add_help=name not in _FORWARDED, allow_abbrev=False)
        if name == chosen:
            import_module(f"fluxstead.cli.{name}").add_arguments(command)
    options, rest = parser.parse_known_args(arguments)
    if options.command in _FORWARDED:
        options.rest = rest
    elif rest:
        parser.error(f"unknown arguments: {' '.join(rest)}; see ./run {options.command} --help")
    status: int = import_module(f"fluxstead.cli.{options.command}").run(options)
    return status


if __name__ == "__main__":
    # Nearly all that a run imports and builds is there until its end: to look for cycles in it takes a tenth of the time, and as
    # much again in the interpreter's last look, from which `freeze` takes it.
    gc.disable()
    try:
        status = main(sys.argv[1:])
        gc.freeze()
        sys.exit(status)
    except KeyboardInterrupt:
        print("fluxstead: interrupted; run the same command again to resume", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever was reading has seen enough; the interpreter must not try to write the rest as it exits, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
